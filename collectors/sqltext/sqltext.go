// Package sqltext gives SQL one identity and takes its literals away.
//
// One lexer reads what a client sent, what MySQL shows as DIGEST_TEXT and what MariaDB shows there,
// and brings all three to the same canonical tokens, so that one statement has one fingerprint
// wherever it was seen:
//
//	live       select * from t where id in (1, -2) and type = 0x41 limit 10,20
//	MySQL      SELECT * FROM `t` WHERE `id` IN (...) AND TYPE = ? LIMIT ?, ...
//	MariaDB    SELECT * FROM `t` WHERE ID IN (...) AND TYPE = ? LIMIT ?, ...
//
// It knows tokens and no grammar: no text is too broken for it, and the cost is one pass.
//
// # What is canonical
//
//   - A literal, a placeholder and NULL where a value may stand are one value: its sign, its charset
//     introducer and the strings it is concatenated with belong to it. IS NULL and NOT NULL stay.
//   - Values in a row separated by commas are one list. IN with one value is IN with a list.
//     Equal rows after VALUES, equal elements of IN, and more than two equal branches of a UNION
//     are folded. LIMIT a, b is LIMIT b OFFSET a.
//   - Keywords of MySQL and MariaDB compare without case, and by what the servers hold for one word
//     (DISTINCT and DISTINCTROW, DAY and SQL_TSI_DAY). Other names keep their case: on Linux Users
//     and users are two tables. Quoting is no difference.
//   - Comments and optimizer hints are no part of it, the inside of /*! */ is. SET STATEMENT … FOR,
//     EXECUTE, PREPARE and DEALLOCATE in front of a statement are no part of it either.
//   - User variables have no name, because the servers show none.
//
// fp1, the identity made of these rules, is frozen: testdata/fp1.txt.
//
// # One statement, and many
//
// [Parse] tells everything of a statement, [Fingerprint] and [Normalize] a part of it. Who reads a log
// of millions has a [Digester]. [OriginOf] reads what comments say of where a statement comes from,
// and [ParseFamily] takes the tables that a program makes one a site or a day for one.
//
// # What it cannot know
//
// A server in sql_mode ANSI_QUOTES or NO_BACKSLASH_ESCAPES reads quotes differently: say so in
// [Options]. Digest texts need neither. Texts in a character set whose second bytes can be a quote
// or a backslash (GBK, SJIS, Big5) must be converted to UTF-8 before.
package sqltext

// Options say how a text is to be read. The zero value is MySQL's default.
type Options struct {
	// ANSIQuotes reads "x" as a name, not as a string: sql_mode contains ANSI_QUOTES.
	ANSIQuotes bool
	// NoBackslashEscapes reads \ in a string as itself: sql_mode contains NO_BACKSLASH_ESCAPES.
	NoBackslashEscapes bool
	// MaxDigestLength is the server's limit for a digest in bytes, the smaller one of its variables
	// max_digest_length and performance_schema_max_digest_length; zero for live SQL. Servers cut a
	// digest text without a mark, so only its length can tell that the rest is missing.
	MaxDigestLength int
}

// Fingerprint returns the identity of a statement: "fp1:" and 16 hexadecimal digits, or "fp1t:" and
// 16 digits if the text is cut off, as digest texts are at max_digest_length. See [HasPrefixOf] for
// what a cut text may be a part of.
func Fingerprint(sql string) string { return Options{}.Fingerprint(sql) }

// Normalize returns the canonical text for people: literals as ?, lists folded, keywords in upper
// case, identifiers as given. A text that was cut off ends in " ...". It is free of literals, of
// control characters and of invalid UTF-8, and has the fingerprint of sql.
func Normalize(sql string) string { return Options{}.Normalize(sql) }

// Redact returns what may leave the host of any SQL, whole, cut or broken. It is [Normalize] by the
// name of its promise: no literal survives, whatever the text is. For messages of a server, which
// quote SQL inside quotes, use [RedactMessage].
func Redact(sql string) string { return Options{}.Normalize(sql) }

// Parse returns everything that the tokens of a statement tell, from one pass.
func Parse(sql string) Statement { return Options{}.Parse(sql) }

// ParseFamily is [Parse] of the statement with the numbers in its tables' names taken away, so that
// what a network of sites asks of wp_2_posts and wp_12_posts counts as one. The fingerprint is that of
// Text, which says `wp_#_posts`; it is that of the statement itself if there are no such tables. See
// [TableFamily].
func ParseFamily(sql string) Statement { return Options{}.ParseFamily(sql) }

// Fingerprint is [Fingerprint] of a text read with these options.
func (o Options) Fingerprint(sql string) string {
	var room canonRoom
	c := o.canonical(sql, &room, false)
	return c.fingerprint()
}

// Normalize is [Normalize] of a text read with these options.
func (o Options) Normalize(sql string) string {
	var room canonRoom
	c := o.canonical(sql, &room, false)
	return c.text()
}

// Redact is [Redact] of a text read with these options.
func (o Options) Redact(sql string) string { return o.Normalize(sql) }
