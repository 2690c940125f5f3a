package snapshot

import "time"

// Plans are how leading statements were executed, with the rows that they
// really read. Source: the lines "# explain:" of MariaDB's slow log, which it
// writes with log_slow_verbosity = explain.
type Plans struct {
	Meta
	// Rows are at most MaxPlans, by the time of their statements.
	Rows []StatementPlan `json:"rows"`
}

// MaxPlans is how many plans a snapshot holds for a server.
const MaxPlans = 50

// StatementPlan is how one call of a statement was executed: the slowest of the
// last interval in which the log had a plan of it.
type StatementPlan struct {
	Fingerprint string `json:"fingerprint"`
	Schema      string `json:"schema"`
	// Logged is when the agent read it.
	Logged time.Time `json:"logged"`
	// Seconds is how long the call took.
	Seconds float64     `json:"seconds"`
	Tables  []PlanTable `json:"tables"`
}

// PlanTable is one step of a plan, in the order of execution.
type PlanTable struct {
	// Select is the number of the SELECT; nil for the result of a union.
	Select     *uint64 `json:"select,omitempty"`
	SelectType string  `json:"select_type,omitempty"`
	// Table is its name or alias; empty if it reads none.
	Table string `json:"table,omitempty"`
	// Access is how it is read: ALL, index, range, ref, eq_ref, const …
	Access       string   `json:"access,omitempty"`
	PossibleKeys []string `json:"possible_keys,omitempty"`
	// Key is the index that was used; empty if there was none.
	Key       string `json:"key,omitempty"`
	KeyLength string `json:"key_length,omitempty"`
	Ref       string `json:"ref,omitempty"`
	// Rows is how many rows the optimizer expected of a look-up, and RowsRead
	// how many there were on average; nil where the server says NULL.
	Rows     *float64 `json:"rows,omitempty"`
	RowsRead *float64 `json:"rows_read,omitempty"`
	// FilteredRatio is the share of them that was expected to pass the
	// conditions, and ReadFilteredRatio the share that did, 0..1.
	FilteredRatio     *float64 `json:"filtered_ratio,omitempty"`
	ReadFilteredRatio *float64 `json:"read_filtered_ratio,omitempty"`
	Extra             Redacted `json:"extra,omitempty"`
}
