// Package slowlog reads slow query logs: of MySQL, MariaDB, Percona Server, RDS and Aurora, each in
// any verbosity, and adds them up by statement.
//
// # The way of the data
//
//	io.Reader ─► splitter ─► batches of whole entries ─┬─► decoder ─► Entry ─► Aggregate ─┐
//	             (one at a time; knows the order)      └─► decoder ─► Entry ─► Aggregate ─┴─► Merge
//
// The splitter finds where entries begin and end, and nothing more: that is the one thing that needs
// the log from its beginning. It takes a fraction of the time of the rest, so several processors take
// turns at it, and each goes on with what it has split off. What an entry inherits from those before it
// (the database of the last "use", the last "# Time") is handed on with each batch, so a batch can be
// decoded anywhere, in any order.
//
// A decoder reads the lines of a header into an [Entry] that it uses again for the next one. An
// [Aggregate] adds entries up in classes of equal fingerprint. All its sums are integers and all its
// choices have a total order, so that Merge gives the same whatever was added where.
//
// [Digest] is all of this together. A [Reader] gives one entry after the other to who wants entries:
// at the end of a growing log it can be asked again.
//
// # What is an entry
//
// An entry begins with a line "# Time: " or "# User@Host: " and has a line "# Query_time: ". Its
// statement ends with a semicolon at the end of a line, before the next entry, the banner of a server
// or the end. Statements can hold such lines themselves, in a literal with line ends. So where quotes
// are open, by count and then by the lexer, and the literal is closed further on by what can be the
// end of a literal, the header in between is text.
//
// What is no entry is skipped and named by its line, and so is an entry whose header or statement has
// no end: the next entry is found by its header.
//
// # What cannot be known
//
// MySQL does not write the database of an entry, only "use" where it differs from the entry before:
// a session without any looks as if it had the last one. MariaDB leaves no trace of
// log_slow_rate_limit: say it in [Options]. A session that sets its timestamp sets MariaDB's times.
package slowlog
