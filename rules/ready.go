package rules

import (
	"fmt"
	"strings"
	"time"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// The usual windows of rules. A minute's check sees parts for a little less than
// a minute, because its first and last reading lie inside it; a day holds a
// site's quiet and its busy hours, and is what a fleet is looked at for.
const (
	aMinute = 45 * time.Second
	aDay    = 24 * time.Hour
)

// unready returns why the rule cannot judge from what a job saw of a server, or
// nil if it saw enough. seen is nil where there are no two copies of the part.
func (c Case) unready(about Subject, s *fleet.Server, job string, seen *fleet.Window) *NotReady {
	if seen == nil {
		n := c.unknown(about, s, job, job+" was not seen twice yet")
		if _, lacking := s.Lacks(job); !lacking {
			n.ReadyAt = c.Fleet.Now.Add(c.Rule.MinWindow)
		}
		return n
	}
	return c.tooShort(about, job, *seen)
}

// tooShort returns that the rule needs to see a job for longer, or nil.
func (c Case) tooShort(about Subject, job string, seen fleet.Window) *NotReady {
	if seen.Duration() >= c.Rule.MinWindow {
		return nil
	}
	return &NotReady{
		Rule: c.Rule.ID, Subject: about, ReadyAt: seen.From.Add(c.Rule.MinWindow),
		Reason: fmt.Sprintf("%s was seen for %s, and the rule needs %s",
			job, Words(seen.Seconds(), Seconds), Words(c.Rule.MinWindow.Seconds(), Seconds)),
	}
}

// unknown returns that a fact of a job is missing. A gap of that job knows why,
// and what helps; reason is for where there is none.
func (c Case) unknown(about Subject, s *fleet.Server, job, reason string) *NotReady {
	n := &NotReady{Rule: c.Rule.ID, Subject: about, Reason: reason}
	if gap, lacking := gapOf(s, job); lacking {
		n.Reason, n.Remedy = printable(gap.Reason), gap.Remedy
	}
	return n
}

// gapOf returns why a job lacks facts: a privilege that was refused before all
// else, since that keeps most from being known.
func gapOf(s *fleet.Server, job string) (snapshot.Gap, bool) {
	for _, g := range s.Gaps {
		if g.Job == job && refused(g) {
			return g, true
		}
	}
	return s.Lacks(job)
}

// refused reports whether a grant closes the gap.
func refused(g snapshot.Gap) bool { return strings.HasPrefix(g.Remedy, "GRANT ") }

// replicationUnready returns why it is not known from whom a server replicates.
// Without the privilege the list of channels is empty, which looks like a server
// that replicates nothing.
func (c Case) replicationUnready(s *fleet.Server) *NotReady {
	about, r := aboutServer(s), s.Latest.Replication
	if r == nil {
		return c.unknown(about, s, "mysql/replication", "replication was not read yet")
	}
	if g, hidden := s.HiddenChannels(); hidden {
		return &NotReady{Rule: c.Rule.ID, Subject: about, Reason: printable(g.Reason), Remedy: g.Remedy}
	}
	return nil
}

// shortWindowConfidence is the most that a rule may claim before it has seen its
// whole window: what is true of a minute need not be true of a day.
const shortWindowConfidence = 0.6

// windowSlack is the part of its window that a rule may miss and have seen it
// whole: the copies that bound a day were made up to an hour apart.
const windowSlack = 0.05

// confidence returns ratio, capped while less than the rule's whole window was
// seen, with the reasons that lower it.
func (c Case) confidence(ratio float64, seen fleet.Window, reasons ...string) Confidence {
	if seen.Seconds() < (1-windowSlack)*c.Rule.Window.Seconds() {
		ratio = min(ratio, shortWindowConfidence)
		reasons = append(reasons, "seen in "+Words(seen.Seconds(), Seconds))
	}
	return Confidence{Ratio: ratio, Reasons: reasons}
}

// evidence returns a figure that is held against the rule's threshold.
func (c Case) evidence(what string, value float64, source string, seen fleet.Window) Evidence {
	return Evidence{What: what, Value: value, Unit: c.Rule.Threshold.Unit, Source: source, Window: seen}.
		against(c.Rule.Threshold.Value, c.Rule.Threshold.Source)
}

// against returns e with what it is held against.
func (e Evidence) against(limit float64, source string) Evidence {
	e.Threshold, e.ThresholdSource = &limit, source
	return e
}

// moment is the window of what holds at one time.
func moment(at time.Time) fleet.Window { return fleet.Window{From: at, To: at} }

// aboutServer is the subject of a finding about a server as such: its host, and
// its name there if that is another.
func aboutServer(s *fleet.Server) Subject {
	about := Subject{Cluster: s.Cluster, Kind: OfServer, Name: s.Host}
	if s.Name != s.Host {
		about.Part = s.Name
	}
	return about
}

// called is how a server is called in sentences, and as the target of a step.
func called(s *fleet.Server) string { return aboutServer(s).String() }
