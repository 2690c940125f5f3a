package digest

import (
	"time"

	"plimsoll/advisor/layout"
)

// appendTo appends the statement as layout.AppendJSON does. Its members are those of the type, in its
// order.
func (q *Query) appendTo(to []byte, depth int) ([]byte, error) {
	w := queryWriter{layout.NewJSONWriter(to, depth)}
	w.query(q)
	return w.Bytes()
}

// queryWriter writes what is in a Query. A nil pointer is no member.
type queryWriter struct{ *layout.JSONWriter }

func (w queryWriter) query(q *Query) {
	w.Open('{')
	w.text("fingerprint", q.Fingerprint)
	w.text("text", string(q.Text))
	w.text("class", q.Class)
	w.texts("tables", q.Tables)
	w.texts("writes", q.Writes)
	w.names("databases", q.Databases)
	w.names("users", q.Users)
	w.names("hosts", q.Hosts)
	w.more("more_databases", q.MoreDatabases)
	w.more("more_users", q.MoreUsers)
	w.more("more_hosts", q.MoreHosts)
	w.float("share_ratio", q.ShareRatio)
	w.uint("calls", q.Calls)
	w.Key("estimated")
	w.Bool(q.Estimated)
	w.seconds("time_seconds", &q.TimeSeconds)
	w.waits("lock_seconds", q.LockSeconds)
	w.rows("rows_examined", q.RowsExamined)
	w.rows("rows_sent", q.RowsSent)
	w.rows("rows_affected", q.RowsAffected)
	w.count("full_scans", q.FullScans)
	w.count("tmp_disk_tables", q.TmpDiskTables)
	w.time("first_seen", q.FirstSeen)
	w.time("last_seen", q.LastSeen)
	w.sample("sample", q.Sample)
	if q.Plan != nil {
		w.Key("plan")
		w.Value(q.Plan)
	}
	w.Close('}')
}

func (w queryWriter) seconds(key string, s *Seconds) {
	w.Key(key)
	w.Open('{')
	w.float("sum", s.Sum)
	w.float("min", s.Min)
	w.float("max", s.Max)
	w.float("mean", s.Mean)
	w.float("p50", s.P50)
	w.float("p95", s.P95)
	w.float("p99", s.P99)
	w.Close('}')
}

func (w queryWriter) waits(key string, t *Waits) {
	if t == nil {
		return
	}
	w.Key(key)
	w.Open('{')
	w.uint("calls", t.Calls)
	w.float("sum", t.Sum)
	w.float("max", t.Max)
	w.float("mean", t.Mean)
	w.Close('}')
}

func (w queryWriter) rows(key string, r *Rows) {
	if r == nil {
		return
	}
	w.Key(key)
	w.Open('{')
	w.uint("calls", r.Calls)
	w.uint("sum", r.Sum)
	w.uint("max", r.Max)
	w.Close('}')
}

func (w queryWriter) sample(key string, s *Sample) {
	if s == nil {
		return
	}
	w.Key(key)
	w.Open('{')
	w.text("file", s.File)
	w.int("line", s.Line)
	w.int("offset", s.Offset)
	w.float("seconds", s.Seconds)
	w.time("time", s.Time)
	w.known("user", s.User)
	w.known("host", s.Host)
	w.known("database", s.Database)
	if s.Origin != nil {
		w.Key("origin")
		w.Value(s.Origin)
	}
	w.text("sql", s.SQL)
	w.more("cut", s.Cut)
	w.Close('}')
}

func (w queryWriter) names(key string, list []Name) {
	w.Key(key)
	if list == nil {
		w.Value(nil)
		return
	}
	w.Open('[')
	for i := range list {
		w.Next()
		w.Open('{')
		w.text("name", list[i].Name)
		w.uint("calls", list[i].Calls)
		w.Close('}')
	}
	w.Close(']')
}

func (w queryWriter) texts(key string, list []string) {
	w.Key(key)
	if list == nil {
		w.Value(nil)
		return
	}
	w.Open('[')
	for _, s := range list {
		w.Next()
		w.Text(s)
	}
	w.Close(']')
}

func (w queryWriter) text(key, s string) {
	w.Key(key)
	w.Text(s)
}

func (w queryWriter) known(key, s string) {
	if s != "" {
		w.text(key, s)
	}
}

func (w queryWriter) more(key string, b bool) {
	if b {
		w.Key(key)
		w.Bool(b)
	}
}

func (w queryWriter) uint(key string, n uint64) {
	w.Key(key)
	w.Uint(n)
}

func (w queryWriter) int(key string, n int64) {
	w.Key(key)
	w.Int(n)
}

func (w queryWriter) float(key string, f float64) {
	w.Key(key)
	w.Float(f)
}

func (w queryWriter) count(key string, n *uint64) {
	if n != nil {
		w.uint(key, *n)
	}
}

func (w queryWriter) time(key string, t *time.Time) {
	if t != nil {
		w.Key(key)
		w.Time(*t)
	}
}
