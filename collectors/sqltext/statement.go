package sqltext

// Class is what kind of work a statement asks for.
type Class string

// The classes of statements.
const (
	Select        Class = "select"         // reads, and locks nothing
	LockingSelect Class = "locking_select" // SELECT … FOR UPDATE, FOR SHARE, LOCK IN SHARE MODE
	DML           Class = "dml"            // INSERT, UPDATE, DELETE, REPLACE, LOAD
	DDL           Class = "ddl"            // CREATE, ALTER, DROP, TRUNCATE, RENAME
	Transaction   Class = "transaction"    // BEGIN, COMMIT, SAVEPOINT, XA, LOCK TABLES, SET autocommit …
	Call          Class = "call"           // CALL: what it reads and writes is not in the text
	Other         Class = "other"          // SET, SHOW, EXPLAIN, EXECUTE by name, ANALYZE TABLE …
)

// Statement is what the tokens of a text tell.
type Statement struct {
	// Fingerprint is the identity, see the function of that name.
	Fingerprint string
	// Text is the canonical text, see Normalize.
	Text string
	// Class is the kind of work.
	Class Class
	// Reads and Writes name the tables, as schema.table where the text said so, each once, in the
	// order of the text. A name that is a keyword to MariaDB is in upper case in its digest texts
	// (EVENTS), so compare without case with what exists. They are empty for Call and Other.
	Reads, Writes []string
	// Origin is where the statement comes from, as its comments say.
	Origin Origin
	// Truncated says that the text was cut off, so that all of the above is about its beginning.
	Truncated bool
	// Prepared says that EXECUTE, PREPARE or DEALLOCATE stood in front: MySQL 9 counts the three
	// steps of a prepared statement as three digests. Command is which one.
	Prepared bool
	// Command is EXECUTE, PREPARE or DEALLOCATE if Prepared, else empty. Only an EXECUTE is a call.
	Command string
}

// Parse is [Parse] of a text read with these options.
func (o Options) Parse(sql string) Statement {
	var room canonRoom
	c := o.canonical(sql, &room, false)
	st := c.statement(c.text(), &tableFinder{})
	st.Origin = o.OriginOf(sql)
	return st
}

// statement returns what the tokens, which are printed as text, tell.
func (c *canon) statement(text string, f *tableFinder) Statement {
	st := Statement{
		Fingerprint: c.fingerprint(),
		Text:        text,
		Class:       c.class(),
		Truncated:   c.truncated,
		Prepared:    c.command != "",
		Command:     c.command,
	}
	st.Reads, st.Writes = c.tables(st.Class, f)
	return st
}

// class tells the class by the statement's verb, and a SELECT's locks by its end.
func (c *canon) class() Class {
	verb := c.verb()
	if verb < 0 {
		return Other
	}
	switch c.items[verb].kw {
	case kwSelect, kwTable, kwValues:
		if c.locks() {
			return LockingSelect
		}
		return Select
	case kwInsert, kwUpdate, kwDelete, kwReplace, kwLoad:
		return DML
	case kwCreate, kwAlter, kwDrop, kwTruncate, kwRename:
		return DDL
	case kwBegin, kwCommit, kwRollback, kwStart, kwSavepoint, kwRelease, kwXA, kwLock, kwUnlock:
		return c.transaction(verb)
	case kwSet:
		return c.set()
	case kwCall:
		return Call
	default:
		return Other
	}
}

// verb returns the index of the word that says what a statement does: the first one that is not in
// front of a parenthesised SELECT or part of WITH; -1 if there is none.
func (c *canon) verb() int {
	i := 0
	for i < len(c.items) && c.items[i].isOp("(") {
		i++
	}
	if i == len(c.items) {
		return -1
	}
	if c.items[i].kw != kwWith {
		return i
	}
	for depth := 0; i < len(c.items); i++ {
		switch t := &c.items[i]; {
		case t.isOp("("):
			depth++
		case t.isOp(")"):
			depth--
		case depth == 0 && (t.kw == kwSelect || t.kw == kwUpdate || t.kw == kwDelete || t.kw == kwValues || t.kw == kwTable):
			return i
		}
	}
	return -1
}

// locks reports whether a SELECT asks for row locks, in itself or in a subquery.
func (c *canon) locks() bool {
	for i := 1; i < len(c.items); i++ {
		switch before := c.items[i-1].kw; c.items[i].kw {
		case kwUpdate, kwShare:
			if before == kwFor {
				return true
			}
		case kwIn:
			if before == kwLock && i+1 < len(c.items) && c.items[i+1].kw == kwShare {
				return true
			}
		default:
		}
	}
	return false
}

// transaction tells transaction control from what begins with the same words: START REPLICA,
// LOCK INSTANCE, BEGIN NOT ATOMIC.
func (c *canon) transaction(verb int) Class {
	next := &item{}
	if verb+1 < len(c.items) {
		next = &c.items[verb+1]
	}
	switch c.items[verb].kw {
	case kwStart:
		if next.kw != kwTransaction {
			return Other
		}
	case kwBegin:
		if next.kw == kwNot {
			return Other
		}
	case kwLock, kwUnlock:
		if next.kw != kwTables && next.kw != kwTable {
			return Other
		}
	default:
	}
	return Transaction
}

// set tells SET TRANSACTION and SET autocommit from other settings.
func (c *canon) set() Class {
	for i := 1; i < len(c.items) && i < 5; i++ {
		switch t := &c.items[i]; {
		case t.isOp("="), t.isOp(":="):
			return Other
		case t.kw == kwTransaction, t.named() && equalName(t.text, "AUTOCOMMIT"):
			return Transaction
		}
	}
	return Other
}

func equalName(s, upper string) bool { return len(s) == len(upper) && equalUpper(s, upper) }
