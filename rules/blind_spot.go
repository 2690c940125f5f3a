package rules

import (
	"fmt"
	"strings"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// blindSpot finds servers whose work cannot be seen whole, so that what the other
// rules say of them is a part of the truth.
func blindSpot() Rule {
	return Rule{
		ID: "mysql/blind-spot", Title: "Part of the server's work cannot be seen",
		Phase: Cure, Needs: []string{"mysql/digests", "mysql/coverage"},
		Threshold: Threshold{Value: 0.05, Unit: Ratio, Source: "default of this rule: a twentieth of the " +
			"time can hold the statement that matters"},
		Check: checkBlindSpot,
	}
}

func checkBlindSpot(c Case) Result {
	var out Result
	for _, s := range c.Fleet.Servers {
		spots := append(c.hiddenPrepared(s), c.overflowing(s)...)
		spots = append(spots, c.truncated(s)...)
		spots = append(spots, c.closedSources(s)...)
		if len(spots) > 0 {
			out.Findings = append(out.Findings, blindSpotFinding(c, s, spots))
		} else if s.Digests == nil || s.Coverage == nil {
			out.NotReady = append(out.NotReady, *c.unready(aboutServer(s), s, "mysql/digests", nil))
		}
	}
	return out
}

// spot is one thing that cannot be seen.
type spot struct {
	evidence Evidence
	step     Step
	// severe is true if nothing at all is seen of the statements.
	severe bool
}

// hiddenPrepared is MariaDB's: its digest table does not see statements that were
// prepared by the binary protocol, as Laravel sends them.
func (c Case) hiddenPrepared(s *fleet.Server) []spot {
	w := s.Coverage
	if w == nil || w.HiddenRatio == nil || *w.HiddenRatio < c.Rule.Threshold.Value {
		return nil
	}
	return []spot{{
		evidence: c.evidence("statement time in prepared statements, which no digest shows", *w.HiddenRatio,
			"performance_schema.events_statements_summary_global_by_event_name, statement/com/Execute", w.Window),
		step: Step{Kind: Code, Target: s.Name, Text: "PDO::ATTR_EMULATE_PREPARES => true",
			Note: "Laravel: under options of the connection in config/database.php. Or read the slow log instead."},
	}}
}

func (c Case) overflowing(s *fleet.Server) []spot {
	w := s.Digests
	if w == nil || w.Total.Seconds <= 0 {
		return nil
	}
	share := w.Overflow.Seconds / w.Total.Seconds
	if share < c.Rule.Threshold.Value {
		return nil
	}
	return []spot{{
		evidence: c.evidence("statement time that found the digest table full", share,
			"performance_schema.events_statements_summary_by_digest, row without a digest", w.Window),
		step: Step{Kind: Config, Target: s.Name, Text: "[mysqld]\nperformance_schema_digests_size = 20000",
			Note: "Takes effect at the next restart."},
	}}
}

func (c Case) truncated(s *fleet.Server) []spot {
	w := s.Digests
	if w == nil || w.Total.Seconds <= 0 {
		return nil
	}
	var cut float64
	for _, d := range w.Rows {
		if d.Truncated {
			cut += d.Seconds
		}
	}
	if cut/w.Total.Seconds < c.Rule.Threshold.Value {
		return nil
	}
	return []spot{{
		evidence: c.evidence("statement time in texts that the server cut, and so may have merged", cut/w.Total.Seconds,
			"performance_schema.events_statements_summary_by_digest, length of DIGEST_TEXT", w.Window),
		step: Step{Kind: Config, Target: s.Name, Text: "[mysqld]\nmax_digest_length = 4096\nperformance_schema_max_digest_length = 4096",
			Note: "Takes effect at the next restart; costs up to 60 MB with 10,000 digests."},
	}}
}

// closedSources are facts that a grant or a setting keeps from us.
func (c Case) closedSources(s *fleet.Server) []spot {
	var out []spot
	for _, g := range s.Gaps {
		if g.Remedy == "" || !strings.HasPrefix(g.Job, "mysql/") {
			continue
		}
		out = append(out, spot{
			evidence: Evidence{What: g.Job, Unit: Text, Words: g.Reason, Source: g.Job, Window: fleet.Window{From: c.Fleet.Now, To: c.Fleet.Now}},
			step:     Step{Kind: kindOf(g), Target: s.Name, Text: g.Remedy},
			severe:   g.Job == "mysql/digests",
		})
	}
	return out
}

// kindOf guesses how a remedy is written from its first word.
func kindOf(g snapshot.Gap) StepKind {
	first, _, _ := strings.Cut(g.Remedy, " ")
	switch strings.ToUpper(first) {
	case "GRANT", "SET", "UPDATE", "INSTALL", "ALTER", "CREATE":
		return SQL
	}
	if strings.HasPrefix(first, "[") {
		return Config
	}
	return Advice
}

func blindSpotFinding(c Case, s *fleet.Server, spots []spot) Finding {
	f := Found(c.Rule, aboutServer(s), spots[0].evidence)
	f.Severity = Low
	for i, spot := range spots {
		if i > 0 {
			f.Evidence = append(f.Evidence, spot.evidence)
		}
		f.Remedy = append(f.Remedy, spot.step)
		if spot.severe {
			f.Severity = Medium
		}
	}
	f.Confidence = Confidence{Ratio: 1}
	f.Summary = fmt.Sprintf("%s does not show all of its work: %s.", s.Name, spots[0].evidence.What)
	if words := spots[0].evidence.Words; words != "" {
		f.Summary = fmt.Sprintf("%s does not show all of its work: %s.", s.Name, words)
	}
	f.Effort = Minutes
	f.Verify = Verify{What: "coverage in the report", Expect: "this finding gone", After: "the next round, or the restart that a setting needs"}
	return f
}
