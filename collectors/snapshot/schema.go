package snapshot

import "time"

// Use is how tables and indexes are used, as totals since Since.
type Use struct {
	Meta
	// Source is performance_schema or userstat.
	Source string `json:"source"`
	// Since is when the server began to count: an index unused since yesterday
	// is not an unused index.
	Since   time.Time  `json:"since"`
	Tables  []TableUse `json:"tables,omitempty"`
	Indexes []IndexUse `json:"indexes,omitempty"`
	// Series are the accumulators behind the table series of /metrics, which
	// never fall as a table's own totals do when it is made anew: the leading
	// tables, and one named "other" in no schema for all others.
	Series []TableUse `json:"series,omitempty"`
}

// TableUse is the rows that passed one table.
type TableUse struct {
	Schema  string `json:"schema"`
	Table   string `json:"table"`
	Reads   uint64 `json:"reads"`
	Inserts uint64 `json:"inserts"`
	Updates uint64 `json:"updates"`
	Deletes uint64 `json:"deletes"`
	// ScanReads is the part of Reads that used no index; nil where not told.
	ScanReads *uint64  `json:"scan_reads,omitempty"`
	Seconds   *float64 `json:"seconds,omitempty"`
}

// IndexUse is the rows read through one index.
type IndexUse struct {
	Schema string `json:"schema"`
	Table  string `json:"table"`
	Index  string `json:"index"`
	Reads  uint64 `json:"reads"`
}

// Schema is the structure of the tables, with the server's statistics. Source:
// information_schema.
type Schema struct {
	Meta
	Tables []Table `json:"tables"`
}

// Table is one base table.
type Table struct {
	Schema string `json:"schema"`
	Name   string `json:"name"`
	Engine string `json:"engine"`
	// Created is when the table was created or last rebuilt, such as by an
	// online schema change: its use counts from then. Nil where not told.
	Created *time.Time `json:"created,omitempty"`
	// Rows is the storage engine's estimate: off by half is usual.
	Rows        *uint64      `json:"rows,omitempty"`
	DataBytes   *uint64      `json:"data_bytes,omitempty"`
	IndexBytes  *uint64      `json:"index_bytes,omitempty"`
	FreeBytes   *uint64      `json:"free_bytes,omitempty"`
	Partitioned bool         `json:"partitioned,omitempty"`
	Columns     []Column     `json:"columns"`
	Indexes     []Index      `json:"indexes,omitempty"`
	ForeignKeys []ForeignKey `json:"foreign_keys,omitempty"`
}

// Column is one column, in the order of the table.
type Column struct {
	Name string `json:"name"`
	// Type is the full type, such as varchar(64) or int(10) unsigned.
	Type string `json:"type"`
	// MaxBytes is the longest value of a character column in bytes
	// (CHARACTER_OCTET_LENGTH); nil for others.
	MaxBytes  *uint64 `json:"max_bytes,omitempty"`
	Nullable  bool    `json:"nullable,omitempty"`
	Collation string  `json:"collation,omitempty"`
	Generated bool    `json:"generated,omitempty"`
}

// Index is one index, the primary key (named PRIMARY) included.
type Index struct {
	Name   string `json:"name"`
	Unique bool   `json:"unique,omitempty"`
	// Type is BTREE, FULLTEXT, SPATIAL or HASH.
	Type string `json:"type"`
	// Ignored is true for an INVISIBLE (MySQL) or IGNORED (MariaDB) index.
	Ignored bool        `json:"ignored,omitempty"`
	Parts   []IndexPart `json:"parts"`
}

// IndexPart is one column of an index.
type IndexPart struct {
	// Column is empty for an expression.
	Column string `json:"column"`
	// Prefix is the indexed length in characters; nil for the whole column.
	Prefix     *int `json:"prefix,omitempty"`
	Descending bool `json:"descending,omitempty"`
	// Cardinality is the estimated number of distinct values of the index up to
	// this part; nil if the server has none.
	Cardinality *uint64 `json:"cardinality,omitempty"`
}

// ForeignKey is a constraint that needs an index whose left prefix it is.
type ForeignKey struct {
	Name              string   `json:"name"`
	Columns           []string `json:"columns"`
	ReferencedSchema  string   `json:"referenced_schema"`
	ReferencedTable   string   `json:"referenced_table"`
	ReferencedColumns []string `json:"referenced_columns"`
}
