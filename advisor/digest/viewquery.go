package digest

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"

	"plimsoll/advisor/layout"
	"plimsoll/collectors/snapshot"
	"plimsoll/collectors/sqltext"
	"plimsoll/rules"
)

// queryView is a statement in words. A figure that is not known is a dash, and one that is estimated
// has ≈ before it.
type queryView struct {
	Number                   int
	Fingerprint, Class, Text string
	Brief                    string // for a narrow column: what it does to which table
	Share, Calls, Total      string
	Min, Mean, P50           string
	P95, P99, Max            string
	Lock, LockMean, LockMax  string
	Examined, Sent, Affected string // rows a call
	ExaminedMax, SentMax     string
	Scans, TmpDisk           string
	Tables, Writes           string
	Databases, Users, Hosts  string
	First, Last              string
	Sample                   *sampleView
	Plan                     *planView
	ShareRatio               float64
}

// sampleView is the slowest call in words.
type sampleView struct{ About, Where, Origin, SQL string }

// planView is a plan in words.
type planView struct {
	About string
	Steps []stepView
}

// stepView is how one table was read, in words.
type stepView struct{ ID, Kind, Table, Type, Key, Rows, ReadRows, Filtered, ReadFiltered, Extra string }

// What is the table, and what else the server says of it.
func (s stepView) What() string {
	if s.Table == "" {
		return s.Extra
	}
	return strings.TrimSuffix(s.Table+": "+s.Extra, ": ")
}

func lookAtQuery(n int, q *Query) queryView {
	t, about := q.TimeSeconds, ""
	if q.Estimated {
		about = "≈"
	}
	v := queryView{
		Number: n, Fingerprint: layout.Clean(q.Fingerprint), Class: layout.Clean(strings.ReplaceAll(q.Class, "_", " ")),
		Text: statementText(q.Text), Brief: brief(q), ShareRatio: q.ShareRatio,
		Share: about + rules.Words(q.ShareRatio, rules.Ratio), Calls: about + number(q.Calls), Total: about + duration(t.Sum),
		Min: duration(t.Min), Mean: about + duration(t.Mean), P50: about + duration(t.P50), P95: about + duration(t.P95), P99: about + duration(t.P99), Max: duration(t.Max),
		Examined: perCall(about, q.RowsExamined), Sent: perCall(about, q.RowsSent), Affected: perCall(about, q.RowsAffected),
		ExaminedMax: most(q.RowsExamined), SentMax: most(q.RowsSent),
		Scans: scans(about, q), TmpDisk: optional(about, q.TmpDiskTables),
		Tables: layout.Clean(strings.Join(q.Tables, ", ")), Writes: layout.Clean(strings.Join(q.Writes, ", ")),
		Databases: list(q.Databases, q.MoreDatabases), Users: list(q.Users, q.MoreUsers), Hosts: list(q.Hosts, q.MoreHosts),
		First: stamp(q.FirstSeen), Last: stamp(q.LastSeen), Lock: unknown, LockMean: unknown, LockMax: unknown,
	}
	if w := q.LockSeconds; w != nil {
		v.Lock, v.LockMean, v.LockMax = about+duration(w.Sum), about+duration(w.Mean), duration(w.Max)
	}
	if q.Sample != nil {
		v.Sample = lookAtSample(q.Sample)
	}
	if q.Plan != nil {
		v.Plan = lookAtPlan(q.Plan)
	}
	return v
}

// shortText is how many columns of a statement say what it is.
const shortText = 110

// Short is the beginning of the statement.
func (q queryView) Short() string { return layout.Cut(q.Text, shortText) }

// From is where the calls came from.
func (q queryView) From() string {
	if q.Users == "" {
		return q.Databases
	}
	return strings.TrimSpace(q.Databases + " by " + q.Users)
}

// barUnits is the length of a bar in its own units; a page stretches it.
const barUnits = 1000

// Bar is how long the bar of the share is.
func (q queryView) Bar() string {
	return strconv.FormatFloat(barUnits*min(max(q.ShareRatio, 0), 1), 'f', 1, 64)
}

// Time says how long the calls took.
func (q queryView) Time() string {
	if q.Calls == "1" {
		return "1 call of " + q.Total
	}
	return q.Calls + " calls took " + q.Total + ": mean " + q.Mean + ", median " + q.P50 + ", p95 " + q.P95 + ", p99 " + q.P99 +
		", min " + q.Min + ", max " + q.Max
}

// statementText returns what to show of a statement: one of comments only has no text.
func statementText(text snapshot.Redacted) string {
	return cmp.Or(layout.Clean(string(text)), "(only a comment)")
}

// brief says in few words what a statement does.
func brief(q *Query) string {
	verb, _, _ := strings.Cut(string(q.Text), " ")
	switch {
	case q.Class == string(sqltext.Call), len(q.Tables) == 0:
		return statementText(q.Text)
	case len(q.Writes) > 0:
		return layout.Clean(verb + " " + q.Writes[0])
	}
	return layout.Clean(verb + " " + strings.Join(q.Tables, ", "))
}

func perCall(about string, r *Rows) string {
	if r == nil {
		return unknown
	}
	return about + rules.Words(r.PerCall(), rules.Count)
}

func most(r *Rows) string {
	if r == nil {
		return unknown
	}
	return number(r.Max)
}

func optional(about string, n *uint64) string {
	if n == nil {
		return unknown
	}
	return about + number(*n)
}

// scans says of how many calls a full scan was a part.
func scans(about string, q *Query) string {
	switch {
	case q.FullScans == nil:
		return unknown
	case *q.FullScans == 0:
		return "0"
	case *q.FullScans == q.Calls:
		return "all"
	}
	return about + number(*q.FullScans)
}

func lookAtSample(s *Sample) *sampleView {
	who := s.User
	if s.Host != "" {
		who += "@" + s.Host
	}
	var about []string
	for _, part := range []string{duration(s.Seconds), sampleTime(s), who, s.Database} {
		if part != "" {
			about = append(about, part)
		}
	}
	v := &sampleView{
		About: layout.Clean(strings.Join(about, ", ")), Where: layout.Clean(fmt.Sprintf("%s, line %d", s.File, s.Line)),
		SQL: layout.Clean(s.SQL),
	}
	if s.Cut {
		v.SQL = strings.TrimSuffix(v.SQL, " …") + " …"
	}
	if s.Origin != nil {
		v.Origin = origin(s.Origin)
	}
	return v
}

func sampleTime(s *Sample) string {
	if s.Time == nil {
		return ""
	}
	return stamp(s.Time) + " UTC"
}

func origin(o *sqltext.Origin) string {
	var parts []string
	for _, p := range []struct{ key, value string }{
		{"application", o.Application},
		{"framework", o.Framework},
		{"driver", o.Driver},
		{"controller", o.Controller},
		{"action", o.Action},
		{"route", o.Route},
		{"job", o.Job},
	} {
		if p.value != "" {
			parts = append(parts, p.key+" "+p.value)
		}
	}
	return layout.Clean(strings.Join(parts, ", "))
}

func lookAtPlan(p *Plan) *planView {
	v := &planView{About: "of a call of " + duration(p.Seconds)}
	for _, r := range p.Steps {
		s := stepView{
			Kind: layout.Clean(r.SelectType), Table: layout.Clean(r.Table), Type: layout.Clean(r.Access), Key: layout.Clean(cmp.Or(r.Key, "none")),
			Rows: rowsOf(r.Rows), ReadRows: rowsOf(r.RowsRead), Filtered: share(r.FilteredRatio), ReadFiltered: share(r.ReadFilteredRatio),
			Extra: layout.Clean(string(r.Extra)),
		}
		if r.Select != nil {
			s.ID = strconv.FormatUint(*r.Select, 10)
		}
		v.Steps = append(v.Steps, s)
	}
	return v
}

func rowsOf(n *float64) string {
	if n == nil {
		return unknown
	}
	return rules.Words(*n, rules.Count)
}

func share(n *float64) string {
	if n == nil || math.IsNaN(*n) {
		return unknown
	}
	return rules.Words(*n, rules.Ratio)
}

// Locks says how long the calls waited for locks.
func (q queryView) Locks() string {
	if q.Lock == unknown {
		return unknown
	}
	return "waited " + q.Lock + ": mean " + q.LockMean + ", max " + q.LockMax
}

// Rows says how many rows a call met.
func (q queryView) Rows() string {
	return q.Examined + " examined (max " + q.ExaminedMax + "), " + q.Sent + " sent (max " + q.SentMax + "), " + q.Affected + " affected"
}

// Seen says between which times the calls were.
func (q queryView) Seen() string {
	switch {
	case q.First == unknown:
		return unknown
	case q.First == q.Last:
		return q.First + " UTC"
	}
	return q.First + " to " + q.Last + " UTC"
}
