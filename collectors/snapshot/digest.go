package snapshot

import "time"

// Digests are the statements that a server ran, normalised and counted. Rows
// are all active digests, at most MaxDigests by time; Texts say once what each
// fingerprint stands for.
type Digests struct {
	Meta
	// ServerTime is the server's clock at this read, and Previous at the read
	// before: differences belong to the interval between the two.
	ServerTime time.Time `json:"server_time"`
	Previous   time.Time `json:"previous"`
	Rows       []Digest  `json:"rows"`
	// Overflow counts statements that found the server's digest table full, and
	// that the slow log does not show either. Source: the row of the digest table
	// whose digest is NULL.
	Overflow *DigestTotals `json:"overflow,omitempty"`
	// Lost is Performance_schema_digest_lost.
	Lost *uint64 `json:"lost,omitempty"`
	// Capacity is performance_schema_digests_size, Used the rows in it now.
	Capacity int `json:"capacity"`
	Used     int `json:"used"`
	// Rev is the highest revision among Texts.
	Rev   uint64       `json:"rev"`
	Texts []DigestText `json:"texts,omitempty"`
	// Series are the accumulators behind the digest series of /metrics.
	Series []DigestSeries `json:"series,omitempty"`
	// SlowLog is the second source; nil where no log is followed.
	SlowLog *SlowLog `json:"slow_log,omitempty"`
	// Partial is true if statements are known from the slow log alone, and it
	// does not hold all of them: every total is a lower bound.
	Partial bool `json:"partial,omitempty"`
}

// SlowLog is how the slow log is followed. Totals are since the Epoch of the
// Digests.
type SlowLog struct {
	// File is where the server writes it.
	File string `json:"file"`
	// ThresholdSeconds is long_query_time: faster statements are not in it.
	ThresholdSeconds float64 `json:"threshold_seconds"`
	// RateLimit is log_slow_rate_limit where the server logs one of so many;
	// calls are then estimates.
	RateLimit uint64 `json:"rate_limit,omitempty"`
	// Bytes and Entries are what was read of it.
	Bytes   uint64 `json:"bytes"`
	Entries uint64 `json:"entries"`
	// SkippedBytes were left out, because the server wrote more than the agent
	// reads in a second, for longer than it waits.
	SkippedBytes uint64 `json:"skipped_bytes"`
	// Damaged counts parts that were no whole entry; Uncounted are entries that
	// could not be told from others or were too long.
	Damaged   uint64 `json:"damaged"`
	Uncounted uint64 `json:"uncounted"`
	// BehindSeconds is how old the last entry is that was read; 0 if all were,
	// nil if that is not known.
	BehindSeconds *float64 `json:"behind_seconds,omitempty"`
	// Leads is how many statements the log counts, and not the digest table.
	Leads int `json:"leads"`
}

// MaxDigests is how many digests a snapshot holds: the size of MySQL's own
// digest table by default.
const MaxDigests = 10000

// Digest is the totals of one statement in one default schema, since Epoch.
type Digest struct {
	// Fingerprint is sqltext's identity: the same for MySQL, MariaDB and the
	// slow log. It starts with fp1t: where the server cut the text.
	Fingerprint string `json:"fingerprint"`
	// Schema is the session's default schema; empty if it had none.
	Schema string `json:"schema"`
	// Aliases are the server's own digests that share the fingerprint.
	Aliases   []string  `json:"aliases,omitempty"`
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
	// Source is who counts it now: SourceSlowLog, or empty for the digest
	// table. The totals hold what either counted while it did.
	Source string `json:"source,omitempty"`
	// Estimated is true if some calls stand for others that a rate limit kept
	// out of the log.
	Estimated bool `json:"estimated,omitempty"`
	DigestTotals
}

// SourceSlowLog is the Source of a digest that the slow log counts. It does not
// tell of processor time, warnings, sorted rows and the use of indexes, and of
// errors only where log_slow_extra is on: these totals then stay as they are.
const SourceSlowLog = "slow_log"

// DigestTotals are sums over executions. Source: the columns of
// performance_schema.events_statements_summary_by_digest named beside them.
type DigestTotals struct {
	Calls         uint64   `json:"calls"`                 // COUNT_STAR
	Seconds       float64  `json:"seconds"`               // SUM_TIMER_WAIT
	LockSeconds   float64  `json:"lock_seconds"`          // SUM_LOCK_TIME
	CPUSeconds    *float64 `json:"cpu_seconds,omitempty"` // SUM_CPU_TIME, MySQL 8.0.28
	Errors        uint64   `json:"errors"`                // SUM_ERRORS
	Warnings      uint64   `json:"warnings"`              // SUM_WARNINGS
	RowsAffected  uint64   `json:"rows_affected"`         // SUM_ROWS_AFFECTED
	RowsSent      uint64   `json:"rows_sent"`             // SUM_ROWS_SENT
	RowsExamined  uint64   `json:"rows_examined"`         // SUM_ROWS_EXAMINED
	TmpTables     uint64   `json:"tmp_tables"`            // SUM_CREATED_TMP_TABLES
	TmpDiskTables uint64   `json:"tmp_disk_tables"`       // SUM_CREATED_TMP_DISK_TABLES
	FullJoins     uint64   `json:"full_joins"`            // SUM_SELECT_FULL_JOIN
	FullScans     uint64   `json:"full_scans"`            // SUM_SELECT_SCAN
	NoIndexUsed   uint64   `json:"no_index_used"`         // SUM_NO_INDEX_USED
	NoGoodIndex   uint64   `json:"no_good_index_used"`    // SUM_NO_GOOD_INDEX_USED
	SortRows      uint64   `json:"sort_rows"`             // SUM_SORT_ROWS
	SortMerges    uint64   `json:"sort_merge_passes"`     // SUM_SORT_MERGE_PASSES
}

// DigestText is what a fingerprint stands for.
type DigestText struct {
	Fingerprint string   `json:"fingerprint"`
	Text        Redacted `json:"text"`
	// Class is sqltext's class of the statement, such as select or dml.
	Class string `json:"class"`
	// Reads and Writes name tables, as schema.table where the text says so.
	Reads  []string `json:"reads,omitempty"`
	Writes []string `json:"writes,omitempty"`
	// Truncated is true if the server cut the text, so that several statements
	// may share it. Remedy: max_digest_length and
	// performance_schema_max_digest_length.
	Truncated bool `json:"truncated,omitempty"`
	// Own is true for the agent's own statements: they count as cost, not as
	// the site's work.
	Own bool `json:"own,omitempty"`
	// Rev is the revision at which the text was first sent: it grows by one a
	// text, so that a reader asks only for what it lacks.
	Rev uint64 `json:"rev"`
}

// DigestSeries is one accumulator of /metrics. It never falls: it goes on at
// its old value when a digest leaves the top and returns. Fingerprint is
// "other" for what is not exposed by itself, and "overflow" for statements that
// the server could not place.
type DigestSeries struct {
	Fingerprint string `json:"fingerprint"`
	Schema      string `json:"schema"`
	DigestTotals
}

// Coverage is how much of the server's work the digests see, since Epoch.
type Coverage struct {
	Meta
	// Statements is all that clients sent (Questions); Digested is the part
	// that was counted: by the digest table, its NULL row included, or by the
	// slow log where that shows more of a statement.
	Statements uint64 `json:"statements"`
	Digested   uint64 `json:"digested"`
	// PreparedExecutions counts binary-protocol executions
	// (Com_stmt_execute). PreparedHidden is true on servers whose digest table
	// does not see them: MariaDB up to at least 11.8.
	PreparedExecutions uint64 `json:"prepared_executions"`
	PreparedHidden     bool   `json:"prepared_hidden"`
	// PreparedLogged is how many of the hidden ones the slow log shows. A log
	// with a threshold shows the slow ones only.
	PreparedLogged uint64 `json:"prepared_logged,omitempty"`
	// HiddenSeconds is the time in executions that neither shows, and Seconds
	// in all statements. Source:
	// performance_schema.events_statements_summary_global_by_event_name.
	HiddenSeconds *float64 `json:"hidden_seconds,omitempty"`
	Seconds       *float64 `json:"seconds,omitempty"`
}

// Latency is how long the leading digests took, as histograms since Epoch.
type Latency struct {
	Meta
	Rows []DigestLatency `json:"rows"`
	// All is the histogram of all the server's statements together; nil if the
	// server keeps none. Source: MySQL's events_statements_histogram_global,
	// MariaDB's plugin query_response_time.
	All *Histogram `json:"all,omitempty"`
}

// DigestLatency is the histogram of one digest. Source: MySQL's
// events_statements_histogram_by_digest.
type DigestLatency struct {
	Fingerprint string `json:"fingerprint"`
	Schema      string `json:"schema"`
	Histogram
}

// Histogram counts executions by how long they took.
type Histogram struct {
	// Buckets hold counts that do not include lower buckets, and only those
	// that are not empty, by rising bound.
	Buckets []Bucket `json:"buckets"`
	// P50, P95 and P99 are of the last interval, in seconds, as the upper bound
	// of their bucket; nil if it held no execution.
	P50 *float64 `json:"p50,omitempty"`
	P95 *float64 `json:"p95,omitempty"`
	P99 *float64 `json:"p99,omitempty"`
}

// Bucket counts executions that took at most UpToSeconds, and more than the
// bound below it.
type Bucket struct {
	UpToSeconds float64 `json:"up_to_seconds"`
	Count       uint64  `json:"count"`
}
