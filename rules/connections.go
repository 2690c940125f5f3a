package rules

import (
	"fmt"
	"math"

	"plimsoll/rules/fleet"
)

// connections finds servers that are near the limit of connections: beyond it
// every new request of the site fails at once.
func connections() Rule {
	return Rule{
		ID: "mysql/connections", Title: "The server runs out of connections",
		Phase: Cure, MinWindow: aMinute, Window: aDay,
		Needs: []string{"mysql/status", "mysql/settings"},
		Threshold: Threshold{
			Value: 0.85, Unit: Ratio,
			Source: "MySQLTuner warns above it too: what is left is what one burst of requests takes",
		},
		Check: func(c Case) Result {
			return each(c.Fleet.Servers, func(s *fleet.Server) (*Finding, *NotReady) { return connectionsOn(c, s) })
		},
	}
}

func connectionsOn(c Case, s *fleet.Server) (*Finding, *NotReady) {
	about := aboutServer(s)
	if n := c.unready(about, s, "mysql/status", s.Status.Seen()); n != nil {
		return nil, n
	}
	limit, known := numberSetting(s, "max_connections")
	if !known || limit <= 0 {
		return nil, c.unknown(about, s, "mysql/settings", "max_connections is not known")
	}
	used, known := mostConnections(s)
	if !known {
		return nil, c.unknown(about, s, "mysql/status", "the connections in use are not known")
	}
	if used/limit < c.Rule.Threshold.Value && refusals(s) == 0 {
		return nil, nil
	}
	f := connectionsFinding(c, s, used, limit)
	return &f, nil
}

// mostConnections is the most of the window, or what is in use now where there
// are no series.
func mostConnections(s *fleet.Server) (float64, bool) {
	if peak := s.Status.PeakConnections; peak != nil {
		return *peak, true
	}
	now, known := s.Status.Now["threads_connected"]
	return now, known
}

// refusals is how many connections found no place in the window, as far as the
// server counts them.
func refusals(s *fleet.Server) float64 { return s.Status.Delta["connection_errors_max_connections"] }

func connectionsFinding(c Case, s *fleet.Server, used, limit float64) Finding {
	w := s.Status.Window
	f := Found(c.Rule, aboutServer(s), c.evidence("connections in use at most, of max_connections", used/limit, "Threads_connected / max_connections", w))
	f.Confidence = c.confidence(0.9, w)
	if s.Status.PeakConnections == nil {
		f.Confidence = c.confidence(0.9, w, "only those in use at the last look are known")
	}
	f.Severity = High
	f.Summary = fmt.Sprintf("%s had %s of %s connections in use.", called(s), Words(used, Count), Words(limit, Count))
	if n := refusals(s); n > 0 {
		f.Severity = Critical
		f.Summary = fmt.Sprintf("%s refused %s connections: its limit is %s.", called(s), Words(n, Count), Words(limit, Count))
		f.Evidence = append(f.Evidence, Evidence{What: "connections that were refused", Value: n, Unit: Count, Source: "Connection_errors_max_connections", Window: w})
	}
	if running := s.Status.PeakThreadsRunning; running != nil {
		f.Evidence = append(f.Evidence, Evidence{What: "of them at work, 95th percentile", Value: *running, Unit: Count, Source: "Threads_running", Window: w})
	}
	f.Effort = Hours
	f.Remedy = append([]Step{
		{
			Kind: Advice, Text: "Look at the findings about locks and indexes first: sessions that wait hold their connection.",
			Note: "More connections let more sessions wait; they do not make any faster.",
		},
		{Kind: Advice, Text: "Let the sum of pm.max_children over all web hosts be at most nine tenths of max_connections; close connections that workers keep without need."},
	}, setVariable(s, "max_connections", fmt.Sprintf("%.0f", math.Ceil(limit*1.5)), "Only if memory allows: each session can take some megabytes.")...)
	f.Rollback = undoVariable(s, "max_connections", fmt.Sprintf("%.0f", limit))
	f.Risks = []string{"Too many sessions at work at once make all of them slower."}
	f.Verify = Verify{What: "connections in use at most", Expect: "below " + Words(c.Rule.Threshold.Value, Ratio), After: "the next peak"}
	return f
}
