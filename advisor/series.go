package advisor

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"plimsoll/advisor/keeper"
	"plimsoll/advisor/observe"
	"plimsoll/advisor/report"
	"plimsoll/advisor/store"
	"plimsoll/collectors/sqltext"
	"plimsoll/rules"
	"plimsoll/rules/fleet"
)

// maxText is how many runes of a statement, or of anything else, reach Grafana.
const maxText = 120

// samples collects the advisor's own series of one moment.
type samples struct {
	at   time.Time
	all  []store.Sample
	seen map[string]bool
}

func newSamples(at time.Time) *samples { return &samples{at: at, seen: map[string]bool{}} }

// add takes a series with its labels as name, value, name, value ... Of two that
// are the same the first counts: agents that were given one name would else make
// the store refuse them, and all of /metrics unreadable.
func (s *samples) add(name string, value float64, labels ...string) {
	m, key := make(map[string]string, len(labels)/2), name
	for i := 0; i+1 < len(labels); i += 2 {
		m[labels[i]] = label(labels[i+1])
		key += "\xff" + m[labels[i]]
	}
	if !s.seen[key] {
		s.seen[key] = true
		s.all = append(s.all, store.Sample{Name: name, Labels: m, Time: s.at, Value: value})
	}
}

// label makes a value from outside fit for a label, in the way in which agents
// do, so that their series and ours can be joined: valid UTF-8, without control
// characters and what turns the direction of a line, and not too long.
func label(value string) string {
	return sqltext.Clip(strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control) {
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(value, string(unicode.ReplacementChar))), maxText)
}

// addLag adds what the lag book holds.
func (s *samples) addLag(readings []observe.LagReading) {
	for _, r := range readings {
		id := []string{"cluster", r.Cluster, "host", r.Host, "server", r.Server, "channel", r.Channel}
		bounds := observe.LagBounds()
		for i, bound := range bounds {
			s.add("plimsoll_mysql_replica_lag_seconds_bucket", float64(r.Counts[i]),
				append(id, "le", strconv.FormatFloat(bound, 'g', -1, 64))...)
		}
		s.add("plimsoll_mysql_replica_lag_seconds_bucket", float64(r.Seconds), append(id, "le", "+Inf")...)
		s.add("plimsoll_mysql_replica_lag_seconds_count", float64(r.Seconds), id...)
		s.add("plimsoll_mysql_replica_lag_seconds_sum", r.Sum, id...)
		s.addKnown("plimsoll_mysql_replica_lag_last_seconds", r.Last, id)
		s.addKnown("plimsoll_mysql_replica_lag_max_seconds", r.Max, id)
		s.addKnown("plimsoll_mysql_replica_transport_lag_max_seconds", r.TransportMax, id)
		for state, seconds := range r.State {
			s.add("plimsoll_mysql_replica_lag_state_seconds_total", seconds, append(id, "state", string(state))...)
		}
	}
}

func (s *samples) addKnown(name string, value *float64, labels []string) {
	if value != nil {
		s.add(name, *value, labels...)
	}
}

// addReport adds what was found.
func (s *samples) addReport(r *report.Report) {
	for _, e := range r.Findings {
		cluster, subject := e.Subject.Cluster, e.Subject.String()
		s.add("plimsoll_finding", 1, "cluster", cluster, "rule", string(e.Rule), "severity", string(e.Severity),
			"status", string(e.Status), "subject", subject, "fingerprint", e.Fingerprint)
		s.add("plimsoll_finding_first_seen_timestamp_seconds", float64(e.FirstSeen.Unix()), "cluster", cluster,
			"rule", string(e.Rule), "severity", string(e.Severity), "subject", subject, "fingerprint", e.Fingerprint)
		if gain := e.Gain.WorkerSeconds; gain != nil {
			s.addGain(e.Finding, "lo", gain.Lo)
			s.addGain(e.Finding, "hi", gain.Hi)
		}
		for _, digest := range e.Digests {
			s.add("plimsoll_digest_finding", 1, "cluster", cluster, "digest", digest,
				"rule", string(e.Rule), "fingerprint", e.Fingerprint)
		}
	}
	s.addApps(r.Apps)
	for rule, n := range countByRule(r.NotReady) {
		s.add("plimsoll_not_ready", float64(n), "rule", string(rule))
	}
}

// maxApps is of how many applications, the busiest first, requests reach Grafana: a host can have hundreds.
const maxApps = 20

// addApps adds which statements the workers of each kind of request wait for.
func (s *samples) addApps(apps []rules.App) {
	for _, a := range apps[:min(len(apps), maxApps)] {
		if a.Time == nil {
			continue
		}
		for _, r := range a.Time.Routes {
			for _, statement := range r.Statements {
				s.add("plimsoll_php_route_statement_workers", statement.Workers, "cluster", a.Cluster, "pool", a.Name,
					"method", r.Method, "route", r.Route, "digest", statement.Fingerprint)
			}
		}
	}
}

func (s *samples) addGain(f rules.Finding, bound string, value float64) {
	s.add("plimsoll_finding_gain_worker_seconds", value, "cluster", f.Subject.Cluster, "rule", string(f.Rule),
		"subject", f.Subject.String(), "fingerprint", f.Fingerprint, "bound", bound)
}

func countByRule(notReady []rules.NotReady) map[rules.ID]int {
	out := map[rules.ID]int{}
	for _, n := range notReady {
		out[n.Rule]++
	}
	return out
}

// addTexts adds what the digests of each server's series stand for: the same
// hundred a server that its agent exposes.
func (s *samples) addTexts(f *fleet.Fleet) {
	type key struct{ cluster, digest, schema string }
	done := map[key]bool{}
	for _, server := range f.Servers {
		if server.Digests == nil || server.Latest.Digests == nil {
			continue
		}
		exposed := map[key]bool{}
		for _, series := range server.Latest.Digests.Series {
			exposed[key{server.Cluster, series.Fingerprint, series.Schema}] = true
		}
		for _, d := range server.Digests.Rows {
			k := key{server.Cluster, d.Fingerprint, d.Schema}
			if !exposed[k] || done[k] {
				continue
			}
			done[k] = true
			tables := strings.Join(append(append([]string(nil), d.Reads...), d.Writes...), " ")
			s.add("plimsoll_digest_info", 1, "cluster", k.cluster, "digest", k.digest, "schema", k.schema,
				"class", d.Class, "tables", tables, "text", string(d.Text))
		}
	}
}

// addAgents counts the agents that answered, and those that did not.
func (s *samples) addAgents(agents []keeper.Agent) {
	var reached, unreached float64
	for _, a := range agents {
		if a.Err == nil && a.Latest != nil {
			reached++
		} else {
			unreached++
		}
	}
	s.add("plimsoll_agents", reached, "state", "reached")
	s.add("plimsoll_agents", unreached, "state", "unreached")
}

// ended returns the ends of series that were there before and are no longer.
func (s *samples) ended(before []store.Sample) []store.Sample {
	name := func(sample store.Sample) string { return fmt.Sprint(sample.Name, sample.Labels) }
	there := map[string]bool{}
	for _, sample := range s.all {
		there[name(sample)] = true
	}
	var out []store.Sample
	for _, sample := range before {
		if !there[name(sample)] {
			out = append(out, sample.Ended(s.at))
		}
	}
	return out
}
