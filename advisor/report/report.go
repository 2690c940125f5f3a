// Package report makes the report that people act on. There is one Report, with
// a published JSON schema; text, HTML and Markdown are renderings of it, so that
// no format knows more than another.
package report

import (
	"time"

	"plimsoll/advisor/ledger"
	"plimsoll/collectors/snapshot"
	"plimsoll/rules"
	"plimsoll/rules/fleet"
)

// SchemaVersion is the version of the JSON form of a Report. It grows only when
// a field changes its meaning or goes.
const SchemaVersion = 1

// Entry is a finding with its life so far.
type Entry = ledger.Entry

// Report is everything that one evaluation found, with all of its evidence.
type Report struct {
	Schema int `json:"schema"`
	// Version is the advisor's.
	Version   string    `json:"version"`
	Generated time.Time `json:"generated"`
	// Window is the time looked at; what was seen of it stands with each host.
	Window fleet.Window `json:"window"`
	// Peak is the busiest hour of the last 7 days; nil while less was seen.
	Peak *fleet.Window `json:"peak,omitempty"`
	// Shortened is true if the configuration shortened the rules' windows, so
	// that what holds for minutes may not hold for a day.
	Shortened bool `json:"shortened,omitempty"`
	// Login says how `plimsoll check` logged in; empty from a server.
	Login string `json:"login,omitempty"`

	Hosts   []Host   `json:"hosts"`
	Servers []Server `json:"servers"`
	// Apps are the applications that PHP-FPM runs, the busiest first, and where their workers' time goes.
	Apps []rules.App `json:"apps,omitempty"`
	// Findings are open or acknowledged, by rank; Gone those that went within
	// the ledger's memory, newest first.
	Findings []Entry `json:"findings"`
	Gone     []Entry `json:"gone,omitempty"`
	// Rules are the rules that judged, with the thresholds of the configuration.
	Rules []Rule `json:"rules,omitempty"`
	// NotReady are rules that could not judge, and why.
	NotReady []rules.NotReady `json:"not_ready,omitempty"`
	// Unreachable are agents that could not be read.
	Unreachable []Unreachable `json:"unreachable,omitempty"`
	// Gaps are facts that could not be read, each once.
	Gaps []Gap `json:"gaps,omitempty"`
}

// Host is one machine in the report.
type Host struct {
	Cluster string `json:"cluster"`
	Name    string `json:"name"`
	// SeenRatio is the share of the window that totals cover, 0..1.
	SeenRatio float64 `json:"seen_ratio"`
	Cores     *int    `json:"cores,omitempty"`
	// CPUBusyRatio is the mean over the window; PeakCPUBusyRatio its 95th
	// percentile; nil if not known.
	CPUBusyRatio     *float64 `json:"cpu_busy_ratio,omitempty"`
	PeakCPUBusyRatio *float64 `json:"peak_cpu_busy_ratio,omitempty"`
}

// Server is one database server in the report.
type Server struct {
	Cluster string     `json:"cluster"`
	Host    string     `json:"host"`
	Name    string     `json:"name"`
	Role    fleet.Role `json:"role"`
	// Source is the host/name of the server that this one replicates from.
	Source  string `json:"source,omitempty"`
	Version string `json:"version,omitempty"`
	// Window is that of the statements; zero if they were not seen twice.
	Window fleet.Window `json:"window"`
	// LoadSeconds is statement seconds a second: the mean number of statements
	// under way. Nil if digests are not known.
	LoadSeconds *float64 `json:"load_seconds,omitempty"`
	// StatementsPerSecond is from the server's Questions.
	StatementsPerSecond *float64 `json:"statements_per_second,omitempty"`
	// SeenRatio is the share of statements that digests show, 0..1.
	SeenRatio *float64 `json:"seen_ratio,omitempty"`
	// HiddenRatio is the share of statement time that they do not show, 0..1.
	HiddenRatio *float64 `json:"hidden_ratio,omitempty"`
	// HiddenPreparedPerSecond is the rate of prepared executions that they do
	// not show; zero where they show them all, nil if that is not known.
	HiddenPreparedPerSecond *float64 `json:"hidden_prepared_per_second,omitempty"`
	// Digests are the statements that took most time, at most TopDigests.
	Digests []Digest `json:"digests,omitempty"`
	// Lag is by channel.
	Lag []Lag `json:"lag,omitempty"`
}

// TopDigests is how many statements a report shows of a server: beyond the
// first ten, no shop's statement has had more than a hundredth of the time.
const TopDigests = 10

// Digest is one statement in the report.
type Digest struct {
	Fingerprint string            `json:"fingerprint"`
	Schema      string            `json:"schema"`
	Text        snapshot.Redacted `json:"text"`
	// Own is true for the agent's own statements: a cost, not the site's work.
	Own bool `json:"own,omitempty"`
	// ShareRatio is its share of the server's statement time, 0..1.
	ShareRatio     float64 `json:"share_ratio"`
	CallsPerSecond float64 `json:"calls_per_second"`
	MeanSeconds    float64 `json:"mean_seconds"`
	// ExaminedPerCall and SentPerCall are rows.
	ExaminedPerCall float64 `json:"examined_per_call"`
	SentPerCall     float64 `json:"sent_per_call"`
}

// Lag is how far one channel stood behind.
type Lag struct {
	Channel string   `json:"channel,omitempty"`
	P50     *float64 `json:"p50,omitempty"`
	P99     *float64 `json:"p99,omitempty"`
	Max     *float64 `json:"max,omitempty"`
	// Unknown says why no figure is known.
	Unknown string `json:"unknown,omitempty"`
	// State is the time in seconds by state of the channel.
	State map[snapshot.LagState]float64 `json:"state,omitempty"`
}

// Unreachable is an agent that could not be read.
type Unreachable struct {
	Target string `json:"target"`
	Reason string `json:"reason"`
}

// Rule is a rule with the threshold and the windows that it judged by.
type Rule struct {
	ID              rules.ID   `json:"id"`
	Title           string     `json:"title"`
	Threshold       float64    `json:"threshold"`
	Unit            rules.Unit `json:"unit"`
	ThresholdSource string     `json:"threshold_source"`
	// MinWindowSeconds is what the rule must have seen to judge, WindowSeconds
	// what it must have seen for full confidence.
	MinWindowSeconds float64 `json:"min_window_seconds"`
	WindowSeconds    float64 `json:"window_seconds"`
}

// Gap is a fact that could not be read, with the host it belongs to.
type Gap struct {
	Host string `json:"host,omitempty"`
	snapshot.Gap
}

// Build makes the Report of one evaluation by the rules of judged. entries come
// from the ledger, in its order.
func Build(version string, f *fleet.Fleet, judged []rules.Rule, result rules.Result, entries []Entry) *Report {
	r := &Report{
		Schema: SchemaVersion, Version: version, Generated: f.Now, Window: f.Window, Peak: f.Peak,
		Shortened: f.Shortened, NotReady: result.NotReady,
		Hosts: []Host{}, Servers: []Server{}, Findings: []Entry{},
	}
	for _, h := range f.Hosts {
		r.Hosts = append(r.Hosts, host(h))
	}
	for _, s := range f.Servers {
		r.Servers = append(r.Servers, server(s))
	}
	r.Apps = rules.Apps(f, judged, standing(entries))
	r.Gaps = gaps(f)
	for _, u := range f.Unreachable {
		r.Unreachable = append(r.Unreachable, Unreachable(u))
	}
	for _, j := range judged {
		r.Rules = append(r.Rules, rule(j))
	}
	for _, e := range entries {
		if e.Status == ledger.StatusGone {
			r.Gone = append(r.Gone, e)
		} else {
			r.Findings = append(r.Findings, e)
		}
	}
	return r
}

// standing returns the findings that are not gone.
func standing(entries []Entry) []rules.Finding {
	var out []rules.Finding
	for _, e := range entries {
		if e.Status != ledger.StatusGone {
			out = append(out, e.Finding)
		}
	}
	return out
}

// gaps returns the gaps of all hosts, pools, servers and the advisor, each once.
func gaps(f *fleet.Fleet) []Gap {
	var out []Gap
	known := map[Gap]bool{}
	add := func(host string, gaps []snapshot.Gap) {
		for _, g := range gaps {
			if gap := (Gap{Host: host, Gap: g}); !known[gap] {
				known[gap] = true
				out = append(out, gap)
			}
		}
	}
	for _, h := range f.Hosts {
		add(h.Name, h.Gaps)
	}
	for _, s := range f.Servers {
		add(s.Host, s.Gaps)
	}
	for _, p := range f.Pools {
		add(p.Host, p.Gaps)
	}
	add("", f.Gaps)
	return out
}

func rule(r rules.Rule) Rule {
	return Rule{
		ID: r.ID, Title: r.Title, Threshold: r.Threshold.Value, Unit: r.Threshold.Unit, ThresholdSource: r.Threshold.Source,
		MinWindowSeconds: r.MinWindow.Seconds(), WindowSeconds: r.Window.Seconds(),
	}
}

func host(h *fleet.Host) Host {
	out := Host{Cluster: h.Cluster, Name: h.Name, SeenRatio: h.SeenRatio}
	if h.Latest != nil {
		out.Cores = &h.Latest.Cores
	}
	if h.Machine != nil {
		out.CPUBusyRatio, out.PeakCPUBusyRatio = &h.Machine.CPUBusyRatio, h.Machine.PeakCPUBusyRatio
	}
	return out
}

func server(s *fleet.Server) Server {
	out := Server{Cluster: s.Cluster, Host: s.Host, Name: s.Name, Role: s.Role}
	if s.Source != nil {
		out.Source = s.Source.Host + "/" + s.Source.Name
	}
	if s.Latest.Identity != nil {
		out.Version = s.Latest.Identity.Version
	}
	if rate, known := s.Status.Rate("questions"); known {
		out.StatementsPerSecond = &rate
	}
	addCoverage(&out, s.Coverage)
	for _, l := range s.Lag {
		out.Lag = append(out.Lag, Lag{Channel: l.Channel, P50: l.P50, P99: l.P99, Max: l.Max, Unknown: l.Unknown, State: l.State})
	}
	addLoad(&out, s.Digests)
	return out
}

func addCoverage(out *Server, c *fleet.CoverageWindow) {
	if c == nil {
		return
	}
	out.HiddenRatio = c.HiddenRatio
	if c.Statements > 0 {
		seen := min(float64(c.Digested)/float64(c.Statements), 1)
		out.SeenRatio = &seen
	}
	if seconds := c.Window.Seconds(); seconds > 0 {
		prepared := float64(c.HiddenExecutions()) / seconds
		out.HiddenPreparedPerSecond = &prepared
	}
}

func addLoad(out *Server, w *fleet.DigestWindow) {
	if w == nil || w.Window.Seconds() <= 0 {
		return
	}
	out.Window = w.Window
	load := w.Total.Seconds / w.Window.Seconds()
	out.LoadSeconds = &load
	for _, d := range w.Rows[:min(len(w.Rows), TopDigests)] {
		calls := float64(d.Calls)
		out.Digests = append(out.Digests, Digest{
			Fingerprint: d.Fingerprint, Schema: d.Schema, Text: d.Text, Own: d.Own,
			ShareRatio: d.Seconds / max(w.Total.Seconds, 1e-9), CallsPerSecond: calls / w.Window.Seconds(),
			MeanSeconds: d.Seconds / calls, ExaminedPerCall: float64(d.RowsExamined) / calls, SentPerCall: float64(d.RowsSent) / calls,
		})
	}
}
