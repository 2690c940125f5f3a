package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"plimsoll/rules/fleet"
)

// Finding is one piece of advice with everything that it rests on.
type Finding struct {
	Rule    ID      `json:"rule"`
	Title   string  `json:"title"`
	Subject Subject `json:"subject"`
	// Fingerprint identifies the finding for as long as it lives: it is made of
	// rule and subject and of no figure.
	Fingerprint string     `json:"fingerprint"`
	Severity    Severity   `json:"severity"`
	Confidence  Confidence `json:"confidence"`
	// Summary is one sentence with the leading figure.
	Summary  string     `json:"summary"`
	Gain     Gain       `json:"gain"`
	Effort   Effort     `json:"effort"`
	Evidence []Evidence `json:"evidence"`
	Remedy   []Step     `json:"remedy"`
	Rollback []Step     `json:"rollback,omitempty"`
	Risks    []string   `json:"risks,omitempty"`
	Verify   Verify     `json:"verify"`
	// Digests are the fingerprints of the statements concerned, the one that
	// gains most first.
	Digests []string `json:"digests,omitempty"`
	// Waiters are the kinds of requests whose workers wait for these statements, the one that waits most
	// first: at most MaxWaiters. Empty without a probe.
	Waiters []Waiter `json:"waiters,omitempty"`
}

// Found starts a Finding. There is none without evidence, which is why the
// first piece is an argument of its own.
func Found(r Rule, about Subject, first Evidence, more ...Evidence) Finding {
	return Finding{
		Rule: r.ID, Title: r.Title, Subject: about,
		Fingerprint: fingerprint(r.ID, about),
		Evidence:    append([]Evidence{first}, more...),
	}
}

// Subject is what a finding is about. One at the level of a schema carries no
// host, so that an acknowledgement survives a failover.
type Subject struct {
	Cluster string `json:"cluster"`
	// Kind is server, host, table, index, digest, channel, mount, pool, app, route or cluster.
	Kind Kind `json:"kind"`
	// Schema is the database; empty above that level.
	Schema string `json:"schema,omitempty"`
	// Name is the server, host, table or digest.
	Name string `json:"name"`
	// Part is an index, columns, a channel or a mount below Name.
	Part string `json:"part,omitempty"`
}

// Kind is the kind of a Subject.
type Kind string

// The kinds of subjects.
const (
	OfCluster Kind = "cluster"
	OfHost    Kind = "host"
	OfServer  Kind = "server"
	OfChannel Kind = "channel"
	OfTable   Kind = "table"
	OfIndex   Kind = "index"
	OfDigest  Kind = "digest"
	OfMount   Kind = "mount"
	// OfPool is a PHP-FPM pool of one host, OfApp those of one name on all hosts, OfRoute a kind of
	// request.
	OfPool  Kind = "pool"
	OfApp   Kind = "app"
	OfRoute Kind = "route"
)

// String returns the subject as people write it, such as shop.orders
// (customer_id), without characters that do not show.
func (s Subject) String() string {
	name := s.Name
	if s.Schema != "" {
		name = s.Schema + "." + name
	}
	if s.Part != "" {
		name += " (" + s.Part + ")"
	}
	return printable(name)
}

// Within reports whether s lies inside outer: the same thing, or a part of it. A
// channel of a server has the server's Part, a slash, and its own.
func (s Subject) Within(outer Subject) bool {
	if s.Cluster != outer.Cluster {
		return false
	}
	if outer.Kind == OfCluster {
		return true
	}
	return s.Schema == outer.Schema && s.Name == outer.Name &&
		(outer.Part == "" || s.Part == outer.Part || strings.HasPrefix(s.Part, outer.Part+"/"))
}

func fingerprint(id ID, s Subject) string {
	parts := []string{string(id), s.Cluster, string(s.Kind), s.Schema, s.Name, s.Part}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:8])
}

// Severity orders findings by what happens if nothing is done.
type Severity string

// The severities. Critical is a loss of data or of the site that is near, or a
// gain of a third of all work; the others are bands of gain, or what comes near
// to one where there is none.
const (
	Critical Severity = "critical"
	High     Severity = "high"
	Medium   Severity = "medium"
	Low      Severity = "low"
	Info     Severity = "info"
)

// Rank returns 0 for Critical up to 4 for Info.
func (s Severity) Rank() int {
	switch s {
	case Critical:
		return 0
	case High:
		return 1
	case Medium:
		return 2
	case Low:
		return 3
	default:
		return 4
	}
}

// Confidence is how sure a finding is, 0..1, and what lowers it.
type Confidence struct {
	Ratio   float64  `json:"ratio"`
	Reasons []string `json:"reasons,omitempty"`
}

// Level returns high from 0.8, medium from 0.5, and else low.
func (c Confidence) Level() string {
	switch {
	case c.Ratio >= 0.8:
		return "high"
	case c.Ratio >= 0.5:
		return "medium"
	}
	return "low"
}

// Effort is what acting on a finding takes.
type Effort string

// The efforts.
const (
	Minutes Effort = "minutes"
	Hours   Effort = "hours"
	Days    Effort = "days"
	Project Effort = "project"
)

// Unit is the unit of a figure; the report writes it for people.
type Unit string

// The units.
const (
	Seconds     Unit = "seconds"
	Bytes       Unit = "bytes"
	Ratio       Unit = "ratio"
	Count       Unit = "count"
	PerSecond   Unit = "per_second"
	Rows        Unit = "rows"
	RowsPerCall Unit = "rows_per_call"
	CoreSeconds Unit = "core_seconds_per_second"
	Text        Unit = "text"
)

// Evidence is one measured figure and what it is held against.
type Evidence struct {
	// What is the figure's name, such as "rows examined a call".
	What  string  `json:"what"`
	Value float64 `json:"value"`
	Unit  Unit    `json:"unit"`
	// Margin is half the width of the 95 % interval of Value; nil where that is no estimate, or where it is not
	// known how good it is.
	Margin *float64 `json:"margin,omitempty"`
	// Words stands for Value where Unit is Text, such as a state.
	Words string `json:"words,omitempty"`
	// Source is the column, file or series that the figure was read from.
	Source string       `json:"source"`
	Window fleet.Window `json:"window"`
	// Threshold is nil for evidence that only explains.
	Threshold       *float64 `json:"threshold,omitempty"`
	ThresholdSource string   `json:"threshold_source,omitempty"`
}

// Step is one thing to do, to copy.
type Step struct {
	Kind StepKind `json:"kind"`
	// Target is where: a server or a host.
	Target string `json:"target,omitempty"`
	Text   string `json:"text"`
	// Note is what to know before it, in one sentence.
	Note string `json:"note,omitempty"`
}

// StepKind says how a Step is written.
type StepKind string

// The kinds of steps.
const (
	SQL     StepKind = "sql"
	Config  StepKind = "config"
	Command StepKind = "command"
	Code    StepKind = "code"
	Advice  StepKind = "advice"
)

// Verify is how to see that the advice worked.
type Verify struct {
	What   string `json:"what"`
	Expect string `json:"expect"`
	After  string `json:"after"`
}
