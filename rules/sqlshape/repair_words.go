package sqlshape

import (
	"slices"
	"strings"

	"plimsoll/collectors/sqltext"
)

// word writes a keyword and what belongs to it.
func (r *repairer) word(k string) bool {
	switch k {
	case "FOR":
		return r.forClause()
	case "LOCK":
		if r.next("LOCK", "IN", "SHARE", "MODE") {
			return r.skip(4)
		}
	case "RETURNING", "PROCEDURE":
		if r.depth == 0 && r.verb != "SELECT" || r.next("PROCEDURE", "ANALYSE") {
			return false
		}
	case "ON":
		if r.next("ON", "DUPLICATE", "KEY") {
			return false
		}
	case "SELECT", "SET":
		r.body = true
	case "VALUES", "VALUE":
		if r.depth == 0 && !r.body && (r.verb == "INSERT" || r.verb == "REPLACE") {
			r.write("VALUES (1)", 1)
			return false
		}
	case "TABLE":
		if r.i == 0 || r.at(-1).Is("UNION") || r.at(-1).Is("ALL") {
			return r.write("SELECT * FROM", 1)
		}
	case "IN":
		if r.at(1).Is("(") && r.at(2).Kind == sqltext.List && r.at(3).Is(")") {
			return r.write("IN ::list", 4)
		}
	case "SOUNDS":
		if r.next("SOUNDS", "LIKE") {
			return r.write("REGEXP", 2)
		}
	case "SEPARATOR":
		if r.at(1).Value() {
			return r.write("SEPARATOR ','", 2)
		}
	case "DATE", "TIME", "TIMESTAMP":
		if r.at(1).Value() {
			return r.skip(1)
		}
	case "LIMIT", "OFFSET", "FETCH", "ROWS":
		return r.limit(k)
	case "INTERSECT", "EXCEPT":
		return r.setOperation()
	case "COLLATE", "USING":
		if n := r.at(1); n.Kind == sqltext.Name {
			return r.write(k+" "+n.Ident(), 2)
		}
	}
	return r.write(r.spelling(k), 1)
}

// forClause skips FOR UPDATE and its like to their end, and FOR SYSTEM_TIME.
func (r *repairer) forClause() bool {
	switch {
	case r.at(1).Is("UPDATE"), r.at(1).Is("SHARE"):
		r.i += 2
		for r.i < len(r.toks) && !r.next(")") && !r.next("UNION") && !r.next("INTO") && !r.next("LOCK") {
			r.i++
		}
		return true
	case r.at(1).Is("SYSTEM_TIME"):
		return r.systemTime()
	}
	return r.write("FOR", 1)
}

// systemTime skips AS OF x, ALL, BETWEEN x AND y, or FROM x TO y.
func (r *repairer) systemTime() bool {
	n := 2
	switch {
	case r.at(2).Is("ALL"):
		n = 3
	case r.at(2).Is("AS"):
		n = 4
	case r.at(2).Is("BETWEEN"), r.at(2).Is("FROM"):
		n = 3
	}
	r.i += n
	if n != 3 || !r.at(-1).Is("ALL") {
		r.systemTimePoint()
	}
	if r.next("AND") || r.next("TO") {
		r.i++
		r.systemTimePoint()
	}
	return true
}

// systemTimePoint skips a point in time: a value with the words around it, or a function.
func (r *repairer) systemTimePoint() {
	for r.keyword() == "TIMESTAMP" || r.keyword() == "TRANSACTION" {
		r.i++
	}
	r.i++
	if r.next("(") {
		for r.i < len(r.toks) && !r.next(")") {
			r.i++
		}
		r.i++
	}
}

// limit writes all spellings of LIMIT as LIMIT a, b, and leaves ROWS EXAMINED out.
func (r *repairer) limit(k string) bool {
	switch {
	case r.next("LIMIT", "ROWS", "EXAMINED"):
		return r.skip(4)
	case r.next("ROWS", "EXAMINED"):
		return r.skip(3)
	case k == "FETCH" && (r.at(1).Is("FIRST") || r.at(1).Is("NEXT")):
		return r.fetch()
	case k == "OFFSET" && r.at(1).Value() && (r.at(2).Is("ROWS") || r.at(2).Is("ROW")):
		return r.skip(3)
	case k == "OFFSET" && r.at(-1).Value():
		return r.write("OFFSET", 1)
	case k == "OFFSET" || k == "FETCH":
		return r.write(quote(r.at(0).Ident()), 1)
	}
	return r.write(k, 1)
}

// fetch writes FETCH FIRST n ROWS ONLY as LIMIT n.
func (r *repairer) fetch() bool {
	limit, n := "LIMIT 1", 2
	if v := r.at(2); v.Value() {
		limit, n = "LIMIT ?", 3
		if v.Kind == sqltext.Number {
			limit = "LIMIT " + v.Text
		}
	}
	for _, w := range []string{"ROWS", "ROW", "ONLY", "WITH", "TIES"} {
		if r.at(n).Is(w) {
			n++
		}
	}
	return r.write(limit, n)
}

// setOperation writes INTERSECT and EXCEPT as UNION ALL: what each branch reads is the same.
func (r *repairer) setOperation() bool {
	n := 1
	if r.at(1).Is("ALL") || r.at(1).Is("DISTINCT") {
		n = 2
	}
	return r.write("UNION ALL", n)
}

// spelling returns how the parser wants a keyword: as it is, or in quotes if it must be a name.
func (r *repairer) spelling(k string) string {
	given := r.at(0).Ident()
	if r.at(1).Is("(") {
		if slices.Contains(bareCalls, k) {
			return k
		}
		return quote(given) // a call like any other, so that the parser does not count its arguments
	}
	switch {
	case k == "ESCAPE" && r.at(1).Value(), k == "RECURSIVE" && r.at(-1).Is("WITH"):
		return k
	case k == "USER" && given == "SYSTEM_USER":
		return "`user`" // so a digest text shows the column user
	case k == "INT" && (r.at(-1).Is("SIGNED") || r.at(-1).Is("UNSIGNED")):
		return ""
	case slices.Contains(names, k), strings.HasPrefix(k, "CURRENT_") && !currentTime(given):
		return quote(given)
	case strings.EqualFold(given, k):
		return given // it may be a name
	}
	return k
}

// currentTime reports whether a word that is not called is the time: CURRENT_TIMESTAMP, which a digest
// text shows as NOW, and not a column called now.
func currentTime(given string) bool {
	return len(given) > len("CURTIME") || given == strings.ToUpper(given)
}

// names are words that are names where they are not called: words that the parser reserves and at
// least one server does not, such as rank, a column of many a MariaDB, and words that the servers
// know by several spellings, of which each may be a column of its own.
var names = []string{
	"CUME_DIST", "DENSE_RANK", "EMPTY", "ESCAPE", "FETCH", "FIRST_VALUE", "GENERATED", "LAG", "LAST_VALUE", "LEAD",
	"NEXT", "NTH_VALUE", "NTILE", "OFF", "OFFSET", "OPTIMIZER_COSTS", "PERCENT_RANK", "RANK", "RECURSIVE",
	"ROW_NUMBER", "SAVEPOINT", "STORED", "SYSDATE", "UNDO", "VIRTUAL",
	"ANY", "COLUMNS", "GEOMETRYCOLLECTION", "NDBCLUSTER", "RELAY_THREAD", "REPLICA", "REPLICAS",
	"REPLICA_POS", "STD", "SUBSTRING", "VARIANCE",
}

// bareCalls are the keywords that stay without quotes in front of a parenthesis: the grammar's, and
// functions whose arguments have a grammar of their own.
var bareCalls = []string{
	"ADDDATE", "AGAINST", "ALL", "AND", "ANY", "AS", "AVG", "BETWEEN", "BIT_AND", "BIT_OR", "BIT_XOR", "BY", "CASE",
	"CAST", "CHAR", "CONVERT", "COUNT", "CUME_DIST", "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "DATE_ADD",
	"DATE_SUB", "DECIMAL", "DEFAULT", "DENSE_RANK", "DISTINCT", "DIV", "DOUBLE", "ELSE", "EXISTS", "EXTRACT",
	"FIRST_VALUE", "FLOAT", "FROM", "GROUP_CONCAT", "HAVING", "IN", "INDEX", "INTERVAL", "INTO", "JOIN",
	"JSON_ARRAYAGG", "JSON_OBJECTAGG", "JSON_TABLE", "JSON_VALUE", "KEY", "LAG", "LAST_VALUE", "LATERAL", "LEAD",
	"LIKE", "LIMIT", "MATCH", "MAX", "MIN", "MOD", "NCHAR", "NOT", "NTH_VALUE", "NTILE", "OF", "ON", "OR", "OVER",
	"PARTITION", "PERCENT_RANK", "POSITION", "RANK", "REGEXP", "ROW", "ROW_NUMBER", "SELECT", "SET", "STD",
	"STDDEV_SAMP", "STRAIGHT_JOIN", "SUBDATE", "SUBSTRING", "SUM", "SYSDATE", "THEN", "TIME", "TIMESTAMPADD",
	"TIMESTAMPDIFF", "TRIM", "UNION", "USING", "UTC_DATE", "UTC_TIME", "UTC_TIMESTAMP", "VALUES", "VARIANCE",
	"VAR_SAMP", "VARCHAR", "VARBINARY", "BINARY", "DATETIME", "WEIGHT_STRING", "WHEN", "WHERE", "WITH", "XOR",
}
