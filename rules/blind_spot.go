package rules

import (
	"fmt"
	"slices"
	"strings"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// blindSpot finds servers whose work cannot be seen whole, so that what the other
// rules say of them is a part of the truth.
func blindSpot() Rule {
	return Rule{
		ID: "mysql/blind-spot", Title: "Part of the server's work cannot be seen",
		Phase: Cure, MinWindow: aMinute, Window: aDay,
		Needs: []string{"mysql/digests", "mysql/transactions", "mysql/replication", "mysql/deadlocks", "mysql/binlog"},
		Threshold: Threshold{
			Value: 0.05, Unit: Ratio,
			Source: "default of this rule: a twentieth of the time can hold the statement that matters",
		},
		Check: func(c Case) Result {
			return each(c.Fleet.Servers, func(s *fleet.Server) (*Finding, *NotReady) { return blindSpotOn(c, s) })
		},
	}
}

func blindSpotOn(c Case, s *fleet.Server) (*Finding, *NotReady) {
	spots := c.closed(s)
	n := c.unready(aboutServer(s), s, "mysql/digests", s.Digests.Seen())
	if n == nil {
		spots = slices.Concat(spots, c.hiddenPrepared(s), c.overflowing(s), c.truncated(s))
	}
	if len(spots) == 0 {
		return nil, n
	}
	f := blindSpotFinding(c, s, spots)
	return &f, nil
}

// spot is one thing that cannot be seen.
type spot struct {
	evidence Evidence
	// steps are what opens it, each on its own where one begins with "Or"; undo
	// takes back what they set, where it is more than a line in a file.
	steps, undo []Step
	// risks are what the steps may bring beside a restart.
	risks []string
	// severe is true if nothing at all is seen of the statements.
	severe bool
}

// closed are the facts without which other rules cannot judge, and which a grant
// or a setting would open. What rules can do without stays a gap of the report.
func (c Case) closed(s *fleet.Server) []spot {
	var out []spot
	for _, fact := range missingFacts(s) {
		gap, lacking := gapOf(s, fact)
		x := spot{
			evidence: Evidence{What: fact, Unit: Text, Words: printable(gap.Reason), Source: fact, Window: moment(c.Fleet.Now)},
			steps:    remedyOf(s, gap), severe: fact == "mysql/digests",
		}
		told := slices.ContainsFunc(out, func(o spot) bool { return o.steps[0].Text == gap.Remedy })
		if !lacking || told {
			continue
		}
		if fact == "mysql/digests" && kindOf(gap.Remedy) != SQL {
			x.orLog(s)
		}
		if len(x.steps) > 0 {
			out = append(out, x)
		}
	}
	return out
}

// remedyOf is what a gap says that closes it, if it does.
func remedyOf(s *fleet.Server, gap snapshot.Gap) []Step {
	if gap.Remedy == "" {
		return nil
	}
	return []Step{{Kind: kindOf(gap.Remedy), Target: called(s), Text: gap.Remedy}}
}

// missingFacts are the jobs whose facts rules judge by and which are not there.
func missingFacts(s *fleet.Server) []string {
	var out []string
	add := func(job string, missing bool) {
		if missing {
			out = append(out, job)
		}
	}
	l := s.Latest
	add("mysql/digests", s.Digests == nil)
	add("mysql/transactions", l.Transactions == nil || l.Transactions.LongestSeconds == nil)
	add("mysql/replication", l.Replication == nil || l.Replication.Replicas == nil)
	add("mysql/deadlocks", l.Deadlocks == nil || l.Deadlocks.Total == nil)
	add("mysql/binlog", l.Binlog == nil)
	return out
}

// kindOf tells how a remedy is written by its beginning.
func kindOf(remedy string) StepKind {
	first, _, _ := strings.Cut(remedy, " ")
	switch strings.ToUpper(first) {
	case "GRANT", "SET", "UPDATE", "INSTALL", "ALTER", "CREATE":
		return SQL
	}
	if strings.HasPrefix(first, "[") {
		return Config
	}
	return Advice
}

// hiddenPrepared is MariaDB's: its digest table does not see statements that were
// prepared by the binary protocol, as Laravel sends them.
func (c Case) hiddenPrepared(s *fleet.Server) []spot {
	w := s.Coverage
	if w == nil || w.HiddenRatio == nil || *w.HiddenRatio < c.Rule.Threshold.Value {
		return nil
	}
	x := spot{
		evidence: c.evidence("statement time in prepared statements, which no digest shows", *w.HiddenRatio,
			"performance_schema.events_statements_summary_global_by_event_name, statement/com/Execute", w.Window),
		steps: []Step{{
			Kind: Code, Target: called(s), Text: "PDO::ATTR_EMULATE_PREPARES => true",
			Note: "In the options of the connection; Laravel: config/database.php. The server then sees the text of each statement.",
		}},
		risks: []string{"Before PHP 8.1 emulated prepares give numbers as texts, and a query may hold several statements unless PDO::MYSQL_ATTR_MULTI_STATEMENTS is false: " +
			"try it in one pool of workers first."},
	}
	x.orLog(s)
	return []spot{x}
}

func (c Case) overflowing(s *fleet.Server) []spot {
	w := s.Digests
	share := shareOf(w.Overflow.Seconds, w)
	if share < c.Rule.Threshold.Value {
		return nil
	}
	return []spot{{
		evidence: c.evidence("statement time that found the digest table full", share,
			"performance_schema.events_statements_summary_by_digest, row without a digest", w.Window),
		steps: []Step{optionFile(s, "performance_schema_digests_size", fmt.Sprint(largerTable(s.Latest.Digests)), atRestart)},
	}}
}

// largerTable is twice the size that the digest table has, within what servers
// take.
func largerTable(d *snapshot.Digests) int {
	const usual, most = 10000, 200000
	if d == nil || d.Capacity <= 0 {
		return 2 * usual
	}
	return min(max(2*d.Capacity, 2*usual), most)
}

func (c Case) truncated(s *fleet.Server) []spot {
	w := s.Digests
	var cut float64
	for d := range w.Site() {
		if d.Truncated {
			cut += d.Seconds
		}
	}
	share := shareOf(cut, w)
	if share < c.Rule.Threshold.Value {
		return nil
	}
	lengths := optionFile(s, "max_digest_length", "4096", atRestart+" Costs up to 60 MB with 10,000 digests.")
	lengths.Text += "\nperformance_schema_max_digest_length = 4096"
	return []spot{{
		evidence: c.evidence("statement time in texts that the server cut, and so may have merged", share,
			"performance_schema.events_statements_summary_by_digest, length of DIGEST_TEXT", w.Window),
		steps: []Step{lengths},
	}}
}

// shareOf returns what part of the site's statement time seconds are; 0 where
// there was none.
func shareOf(seconds float64, w *fleet.DigestWindow) float64 {
	if all := w.SiteSeconds(); all > 0 {
		return seconds / all
	}
	return 0
}

func blindSpotFinding(c Case, s *fleet.Server, spots []spot) Finding {
	f := Found(c.Rule, aboutServer(s), spots[0].evidence)
	f.Severity = Low
	for i, spot := range spots {
		if i > 0 {
			f.Evidence = append(f.Evidence, spot.evidence)
		}
		f.Remedy = append(f.Remedy, spot.steps...)
		f.Rollback = append(f.Rollback, spot.undo...)
		if spot.severe {
			f.Severity = Medium
		}
	}
	f.Confidence = Confidence{Ratio: 1}
	f.Summary = fmt.Sprintf("%s does not show all of its work: %s.", called(s), spots[0].words())
	f.Effort = Minutes
	f.Risks = []string{"Where a step needs a restart, the site is down for that long: take it with the next planned one."}
	for _, spot := range spots {
		f.Risks = append(f.Risks, spot.risks...)
	}
	f.Verify = Verify{What: "coverage in the report", Expect: "this finding gone", After: "the next round, or the restart that a setting needs"}
	return f
}

// words say what is not seen, with its figure if it has one.
func (x spot) words() string {
	if x.evidence.Unit == Text {
		return x.evidence.Words
	}
	return Words(x.evidence.Value, x.evidence.Unit) + " of the " + x.evidence.What
}
