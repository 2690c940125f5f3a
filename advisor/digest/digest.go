package digest

import (
	"time"

	"plimsoll/collectors/snapshot"
	"plimsoll/collectors/sqltext"
)

// SchemaVersion is the version of the JSON form. It grows when a field changes its meaning or goes; new
// fields do not change it.
const SchemaVersion = 1

// Digest is what slow logs hold, by statement. All durations are in seconds, all times in UTC.
type Digest struct {
	Schema  int    `json:"schema"`
	Version string `json:"version"`
	// FirstSeen and LastSeen are the times of the first and the last call; absent if the logs tell none.
	FirstSeen *time.Time `json:"first_seen,omitempty"`
	LastSeen  *time.Time `json:"last_seen,omitempty"`
	Files     []File     `json:"files"`
	// Entries is how many whole entries the logs have, and FilteredOut how many of them are not in the
	// figures because of their time, database, user, host or duration.
	Entries     uint64 `json:"entries"`
	FilteredOut uint64 `json:"filtered_out"`
	// Estimated says that the server logged one of several calls, and that the figures of such calls
	// stand for all of them.
	Estimated bool `json:"estimated"`
	// Statements is how many statements there are, of which queries may be the first ones. Calls and
	// TimeSeconds are sums over all of them.
	Statements  uint64  `json:"statements"`
	Calls       uint64  `json:"calls"`
	TimeSeconds float64 `json:"time_seconds"`
	// QuantileErrorRatio is how far a quantile can be off, as a share of itself.
	QuantileErrorRatio float64 `json:"quantile_error_ratio"`
	// Samples says how the text of samples is shown.
	Samples Samples `json:"samples"`
	// Sort is what the queries are ordered by, the most first.
	Sort    Sort    `json:"sort"`
	Queries []Query `json:"queries"`
	// Untold are the calls of statements beyond the first 100,000 different ones, which are in calls and
	// time_seconds only; absent if there are none.
	Untold *Rest `json:"untold,omitempty"`
	// SkippedTotal is how many parts of the logs were no whole entry, and Skipped the first of them.
	SkippedTotal uint64 `json:"skipped_total"`
	Skipped      []Skip `json:"skipped"`
}

// File is one source.
type File struct {
	// Name is as it was given; - is standard input.
	Name string `json:"name"`
	// Bytes is how many were read, decompressed.
	Bytes   uint64 `json:"bytes"`
	Entries uint64 `json:"entries"`
	Skipped uint64 `json:"skipped"`
	// Error says why it was not read, or not to its end; absent if it was.
	Error string `json:"error,omitempty"`
}

// Query is all calls of one statement.
type Query struct {
	// Fingerprint is the identity of the statement. It begins with fp1t: if only its beginning is known.
	Fingerprint string `json:"fingerprint"`
	// Text is the statement without its literals.
	Text snapshot.Redacted `json:"text"`
	// Class is the kind of work: select, locking_select, dml, ddl, transaction, call, other, or admin for
	// commands of the protocol.
	Class string `json:"class"`
	// Tables are those that it names, as schema.table where it says so, and Writes those that it changes.
	Tables []string `json:"tables"`
	Writes []string `json:"writes"`
	// Databases, Users and Hosts are in the order of the alphabet, the first 20 of each; the three after
	// them say that there are more.
	Databases     []Name `json:"databases"`
	Users         []Name `json:"users"`
	Hosts         []Name `json:"hosts"`
	MoreDatabases bool   `json:"more_databases,omitempty"`
	MoreUsers     bool   `json:"more_users,omitempty"`
	MoreHosts     bool   `json:"more_hosts,omitempty"`

	// ShareRatio is its share of the time of all statements, 0..1.
	ShareRatio float64 `json:"share_ratio"`
	Calls      uint64  `json:"calls"`
	// Estimated says that some calls were not logged, and are estimated from those that were.
	Estimated   bool    `json:"estimated"`
	TimeSeconds Seconds `json:"time_seconds"`
	// LockSeconds is what the server calls Lock_time: waits for tables, and in some versions for rows too.
	LockSeconds  *Waits `json:"lock_seconds,omitempty"`
	RowsExamined *Rows  `json:"rows_examined,omitempty"`
	RowsSent     *Rows  `json:"rows_sent,omitempty"`
	// RowsAffected is told by MariaDB and Percona Server only.
	RowsAffected *Rows `json:"rows_affected,omitempty"`
	// FullScans is in how many calls a table was read from its beginning to its end, and TmpDiskTables
	// how many temporary tables went to disk; absent where the logs do not tell.
	FullScans     *uint64 `json:"full_scans,omitempty"`
	TmpDiskTables *uint64 `json:"tmp_disk_tables,omitempty"`

	FirstSeen *time.Time `json:"first_seen,omitempty"`
	LastSeen  *time.Time `json:"last_seen,omitempty"`
	// Sample is the slowest call; absent if no samples are wanted.
	Sample *Sample `json:"sample,omitempty"`
	// Plan is that of the slowest call with one; absent if none is wanted or the logs have none.
	Plan *Plan `json:"plan,omitempty"`
}

// Name is a database, a user or a host, with its calls.
type Name struct {
	Name  string `json:"name"`
	Calls uint64 `json:"calls"`
}

// Seconds is how long calls took. A quantile is at most quantile_error_ratio of itself off, all others
// are exact.
type Seconds struct {
	Sum  float64 `json:"sum"`
	Min  float64 `json:"min"`
	Max  float64 `json:"max"`
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P95  float64 `json:"p95"`
	P99  float64 `json:"p99"`
}

// Waits is how long calls waited.
type Waits struct {
	// Calls is of how many calls the logs tell it; the sum and the mean are over these.
	Calls uint64  `json:"calls"`
	Sum   float64 `json:"sum"`
	Max   float64 `json:"max"`
	Mean  float64 `json:"mean"`
}

// Rows is how many rows calls met.
type Rows struct {
	// Calls is of how many calls the logs tell it; the sum is over these.
	Calls uint64 `json:"calls"`
	Sum   uint64 `json:"sum"`
	Max   uint64 `json:"max"`
}

// PerCall returns the mean of the calls of which it is told.
func (r *Rows) PerCall() float64 { return float64(r.Sum) / float64(r.Calls) }

// Sample is one call.
type Sample struct {
	// File, Line (from 1) and Offset (in bytes) are where it is.
	File     string     `json:"file"`
	Line     int64      `json:"line"`
	Offset   int64      `json:"offset"`
	Seconds  float64    `json:"seconds"`
	Time     *time.Time `json:"time,omitempty"`
	User     string     `json:"user,omitempty"`
	Host     string     `json:"host,omitempty"`
	Database string     `json:"database,omitempty"`
	// Origin is where in a program it came from, as its comments say; absent if they do not.
	Origin *sqltext.Origin `json:"origin,omitempty"`
	// SQL is the statement; samples of the digest says whether with its literals.
	SQL string `json:"sql"`
	// Cut says that only its beginning is here.
	Cut bool `json:"cut,omitempty"`
}

// Plan is how the server executed a call, as MariaDB writes it at log_slow_verbosity=explain.
type Plan struct {
	// Seconds is how long that call took.
	Seconds float64              `json:"seconds"`
	Steps   []snapshot.PlanTable `json:"steps"`
}

// Rest is calls that are shown together.
type Rest struct {
	Calls       uint64  `json:"calls"`
	TimeSeconds float64 `json:"time_seconds"`
}

// Skip is a part of a log that is no whole entry.
type Skip struct {
	File string `json:"file"`
	// Line, from 1, and Offset, in bytes from 0, are where it begins.
	Line   int64 `json:"line"`
	Offset int64 `json:"offset"`
	Bytes  int64 `json:"bytes"`
	// Reason holds nothing of the log.
	Reason string `json:"reason"`
}
