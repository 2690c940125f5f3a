package rules

import (
	"fmt"
	"time"

	"plimsoll/rules/fleet"
)

// The usual windows of rules. A minute's check sees parts for a little less than
// a minute, because its first and last reading lie inside it; a day holds a
// site's quiet and its busy hours.
const (
	aMinute = 45 * time.Second
	aDay    = 24 * time.Hour
)

// unready returns why the rule cannot judge from what a job saw of a server, or
// nil if it saw enough. seen is nil where there are no two copies of the part.
func (c Case) unready(about Subject, s *fleet.Server, job string, seen *fleet.Window) *NotReady {
	n := &NotReady{Rule: c.Rule.ID, Subject: about}
	switch gap, lacking := s.Lacks(job); {
	case seen != nil && seen.Duration() >= c.Rule.MinWindow:
		return nil
	case seen == nil && lacking:
		n.Reason, n.Remedy = gap.Reason, gap.Remedy
	case seen == nil:
		n.Reason = fmt.Sprintf("%s was not seen twice yet", job)
		n.ReadyAt = c.Fleet.Now.Add(c.Rule.MinWindow)
	default:
		n.Reason = fmt.Sprintf("%s was seen for %s, and the rule needs %s",
			job, Words(seen.Seconds(), Seconds), Words(c.Rule.MinWindow.Seconds(), Seconds))
		n.ReadyAt = seen.From.Add(c.Rule.MinWindow)
	}
	return n
}

// shortWindowConfidence is the most that a rule may claim before it has seen its
// whole window: what is true of a minute need not be true of a day.
const shortWindowConfidence = 0.6

// confidence returns ratio, capped while less than the rule's whole window was
// seen, with the reasons that lower it.
func (c Case) confidence(ratio float64, seen fleet.Window, reasons ...string) Confidence {
	if seen.Duration() < c.Rule.Window {
		ratio = min(ratio, shortWindowConfidence)
		reasons = append(reasons, "seen in "+Words(seen.Seconds(), Seconds))
	}
	return Confidence{Ratio: ratio, Reasons: reasons}
}

// evidence returns a figure that is held against the rule's threshold.
func (c Case) evidence(what string, value float64, source string, seen fleet.Window) Evidence {
	limit := c.Rule.Threshold.Value
	return Evidence{
		What: what, Value: value, Unit: c.Rule.Threshold.Unit, Source: source, Window: seen,
		Threshold: &limit, ThresholdSource: c.Rule.Threshold.Source,
	}
}

// aboutServer is the subject of a finding about a server as such: its host, and
// its name there if that is another.
func aboutServer(s *fleet.Server) Subject {
	about := Subject{Cluster: s.Cluster, Kind: OfServer, Name: s.Host}
	if s.Name != s.Host {
		about.Part = s.Name
	}
	return about
}
