package sqlshape

// Shape is what a statement asks of its tables.
type Shape struct {
	// Tables are the occurrences of tables, in the order in which the statement names them: a table
	// that is joined with itself occurs twice.
	Tables []Table
	// Blocks are the statement's query blocks: each SELECT is one, so is an UPDATE or a DELETE. A
	// derived table or CTE that the optimizer merges is part of the block around it.
	Blocks []Block
	// Partial says that the text was cut off: what is here is true, but there is more. Columns,
	// order and OR of a partial shape are left out.
	Partial bool
	// Unresolved counts columns that could be any table's, because the text names no table and the
	// catalog does not know them.
	Unresolved int
}

// Block is a query block. Tables of one block are joined with one another.
type Block struct {
	// Outer is the block around a subquery, -1 for the outermost and for the branches of a UNION.
	Outer int
	// Limited says that there is a LIMIT; Limit is its row count, 0 if unknown.
	Limited bool
	Limit   int
	// Ordered and Grouped say that there is an ORDER BY or a GROUP BY. If all of it are columns of
	// one table, in one direction each, it stands at that table.
	Ordered, Grouped bool
	// Distinct is SELECT DISTINCT, Aggregated an aggregate function.
	Distinct, Aggregated bool
}

// Table is one occurrence of a table, and what the statement asks of it. Columns have their names as
// the catalog spells them, else as the text does; each list has each column once, in text order.
type Table struct {
	// Schema is empty if the text names none. Derived tables that are not merged have no Name.
	Schema, Name, Alias string
	Derived             bool
	// Block is the index of the query block in which the table stands.
	Block int
	// Outer says that the table is on the inner side of an outer join: no filter of it restricts
	// the others, and it cannot come first.
	Outer bool
	// Write says that the statement changes the table; Sets are the columns of its UPDATE.
	Write bool
	Sets  []string

	// Predicates are those that all rows must pass.
	Predicates
	// Or are the predicates of which rows must pass one branch.
	Or []Or
	// Joins are the columns whose value is known once another table's row is.
	Joins []Join

	// Order and Group are the block's ORDER BY and GROUP BY if they consist of columns of this table
	// alone.
	Order, Group []Ordered
	// Needed are all columns that the statement reads of the table; All says that these are not all,
	// because of * or because the text was cut off.
	Needed []string
	All    bool
	// Hinted are the indexes that USE, FORCE or IGNORE INDEX names.
	Hinted []string
}

// Predicates are conditions on the columns of one table, by what an index can do with them.
type Predicates struct {
	// Equal are columns compared by = or <=> with something known before the table is read.
	Equal []string
	// In are columns compared with a list.
	In []In
	// Null are columns that must be NULL: for an index as good as an equality.
	Null []string
	// Range are columns compared by <, <=, >, >= or BETWEEN.
	Range []string
	// NotNull are columns that must not be NULL: a range, of most rows as a rule.
	NotNull []string
	// PrefixLike are columns compared by LIKE with a pattern that begins with text: a range. Like
	// are those whose pattern is not known.
	PrefixLike, Like []string
	// Match are the columns of MATCH … AGAINST, which only a FULLTEXT index serves.
	Match []string
	// Wrapped are columns inside an expression that is compared: no plain index serves that.
	Wrapped []Wrapped
	// Number are those of the columns above that are compared with a number: a text column is then
	// converted row by row, and no index of it serves. Only live SQL tells, a digest does not.
	Number []string
	// Other are columns under conditions that exclude little or are no range: <>, NOT IN, NOT LIKE,
	// LIKE '%x', REGEXP, a column by itself.
	Other []string
}

// In is a column compared with a list.
type In struct {
	Column string
	// Values is the length of the list, 0 if unknown: a digest text does not tell.
	Values int
}

// Wrapped is a column inside an expression.
type Wrapped struct {
	Column string
	// By is the function around it in lower case, or the operator.
	By string
}

// Or is a disjunction, seen from one table.
type Or struct {
	// Branches are what each branch asks of this table.
	Branches []Predicates
	// Complete says that each branch has a predicate on this table that an index can serve.
	Complete bool
}

// Join is a column whose value is known once a row of another table is known.
type Join struct {
	Column string
	// To is the index of the other table in Shape.Tables, ToColumn its column, empty if the value
	// is computed from that table.
	To       int
	ToColumn string
	// Correlated says that the other table belongs to the block around this one.
	Correlated bool
	// Semi says that the other table is in an IN subquery: the optimizer may turn it to a join.
	Semi bool
}

// Ordered is a column of ORDER BY or GROUP BY.
type Ordered struct {
	Column string
	Desc   bool
}

// Sargable reports whether an index can serve one of the predicates.
func (p *Predicates) Sargable() bool {
	return len(p.Equal)+len(p.In)+len(p.Null)+len(p.Range)+len(p.PrefixLike) > 0
}
