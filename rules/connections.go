package rules

import (
	"fmt"
	"strconv"

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
			Source: "default of this rule, and of MySQL Enterprise Monitor's check: a burst takes the rest",
		},
		Check: checkConnections,
	}
}

func checkConnections(c Case) Result {
	var out Result
	for _, s := range c.Fleet.Servers {
		if n := c.unready(aboutServer(s), s, "mysql/status", s.Status.Seen()); n != nil {
			out.NotReady = append(out.NotReady, *n)
			continue
		}
		limit, used := maxConnections(s), mostConnections(s)
		if limit == 0 || used == nil {
			out.NotReady = append(out.NotReady, NotReady{Subject: aboutServer(s), Reason: "max_connections or the connections in use are not known"})
			continue
		}
		if *used/limit >= c.Rule.Threshold.Value || refused(s) > 0 {
			out.Findings = append(out.Findings, connectionsFinding(c, s, *used, limit))
		}
	}
	return out
}

func maxConnections(s *fleet.Server) float64 {
	text, _ := s.Setting("max_connections")
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0
	}
	return n
}

// mostConnections is the most of the window, or what is in use now where there
// are no series.
func mostConnections(s *fleet.Server) *float64 {
	if s.Status.PeakConnections != nil {
		return s.Status.PeakConnections
	}
	if now, known := s.Status.Now["threads_connected"]; known {
		return &now
	}
	return nil
}

// refused is how many connections found no place in the window.
func refused(s *fleet.Server) float64 { return s.Status.Delta["connection_errors_max_connections"] }

func connectionsFinding(c Case, s *fleet.Server, used, limit float64) Finding {
	w := s.Status.Window
	f := Found(c.Rule, aboutServer(s),
		c.evidence("connections in use at most, of max_connections", used/limit, "Threads_connected / max_connections", w),
		Evidence{What: "connections that were refused", Value: refused(s), Unit: Count, Source: "Connection_errors_max_connections", Window: w},
	)
	f.Severity = High
	if refused(s) > 0 {
		f.Severity = Critical
	}
	f.Confidence = c.confidence(0.9, w)
	f.Summary = fmt.Sprintf("%s had %.0f of %.0f connections in use.", s.Name, used, limit)
	f.Effort = Hours
	f.addRunning(s)
	f.Remedy = []Step{
		{Kind: Advice, Text: "Look at the findings about locks and indexes first: sessions that wait hold their connection.",
			Note: "More connections let more sessions wait; they do not make any faster."},
		{Kind: Advice, Text: "Let the sum of pm.max_children over all web hosts be at most nine tenths of max_connections."},
		{Kind: SQL, Target: s.Name, Text: fmt.Sprintf("SET GLOBAL max_connections = %.0f;", limit*1.5), Note: "Only if memory allows: each session can take some megabytes."},
	}
	f.Rollback = []Step{{Kind: SQL, Target: s.Name, Text: fmt.Sprintf("SET GLOBAL max_connections = %.0f;", limit)}}
	f.Risks = []string{"Too many sessions at work at once make all of them slower."}
	f.Verify = Verify{What: "connections in use at most", Expect: "below " + Words(c.Rule.Threshold.Value, Ratio), After: "the next peak"}
	return f
}

func (f *Finding) addRunning(s *fleet.Server) {
	if running := s.Status.PeakThreadsRunning; running != nil {
		f.Evidence = append(f.Evidence, Evidence{
			What: "of them at work, 95th percentile", Value: *running, Unit: Count, Source: "Threads_running", Window: s.Status.Window,
		})
	}
}
