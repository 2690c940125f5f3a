package rules

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/rules/fleet"
)

// says is a rule that always finds the same.
func says(id ID, yields []ID, findings ...Finding) Rule {
	return Rule{ID: id, Phase: Cure, Yields: yields, Check: func(Case) Result { return Result{Findings: findings} }}
}

// about returns a finding of id.
func finding(id ID, subject Subject, severity Severity) Finding {
	f := Found(Rule{ID: id}, subject, Evidence{What: "something"})
	f.Severity, f.Confidence = severity, Confidence{Ratio: 1}
	return f
}

func ids(findings []Finding) []string {
	var out []string
	for _, f := range findings {
		out = append(out, string(f.Rule)+" "+f.Subject.String())
	}
	return out
}

func TestAFindingGivesWayToAnotherWithinItsSubject(t *testing.T) {
	server := Subject{Cluster: "shop", Kind: OfServer, Name: "db1"}
	channel := Subject{Cluster: "shop", Kind: OfChannel, Name: "db1", Part: "/east"}
	elsewhere := Subject{Cluster: "shop", Kind: OfServer, Name: "db2"}
	got := Judge(&fleet.Fleet{}, []Rule{
		says("a/lag", []ID{"a/stopped"}, finding("a/lag", server, High), finding("a/lag", elsewhere, High)),
		says("a/stopped", nil, finding("a/stopped", channel, High)),
		says("a/other", nil, finding("a/other", server, Low)),
	})
	want := []string{"a/lag db2", "a/stopped db1 (/east)", "a/other db1"}
	if diff := cmp.Diff(slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(ids(got.Findings)))); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

func TestCapacityRulesSeeTheCures(t *testing.T) {
	cure := finding("a/cure", Subject{Name: "db1"}, Low)
	var seen [][]Finding
	note := func(c Case) Result {
		seen = append(seen, c.Cures)
		return Result{}
	}
	Judge(&fleet.Fleet{}, []Rule{
		{ID: "a/capacity", Phase: Capacity, Check: note},
		{ID: "a/early", Phase: Cure, Check: note},
		says("a/cure", nil, cure),
	})
	if len(seen) != 2 || len(seen[0]) != 0 || len(seen[1]) != 1 || seen[1][0].Rule != "a/cure" {
		t.Errorf("findings that rules saw = %v, want none for a cure and one for capacity", seen)
	}
}

func TestFindingsAreOrderedByHarmThenByGainForTheirEffort(t *testing.T) {
	with := func(name string, severity Severity, effort Effort, gain *Estimate, confidence float64) Finding {
		f := finding("a/rule", Subject{Name: name}, severity)
		f.Effort, f.Gain.WorkerSeconds, f.Confidence.Ratio = effort, gain, confidence
		return f
	}
	want := []Finding{
		with("critical", Critical, Project, nil, 1),
		with("an hour for eight", High, Minutes, Between(8, 9), 1),
		with("unsure of eight", High, Minutes, Between(8, 9), 0.6),
		with("days for eight", High, Days, Between(8, 20), 1),
		with("medium with more gain", Medium, Minutes, Between(100, 200), 1),
		with("low", Low, Minutes, nil, 1),
		with("info", Info, Minutes, nil, 1),
	}
	shuffled := slices.Clone(want)
	random := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		got := Judge(&fleet.Fleet{}, []Rule{says("a/rule", nil, shuffled...)})
		if diff := cmp.Diff(ids(want), ids(got.Findings)); diff != "" {
			t.Fatalf("order (-want +got):\n%s", diff)
		}
	}
}

func TestASiteIsJudgedAlikeEachTime(t *testing.T) {
	ill := func() *fleet.Fleet { return site(lone, primary(longOpen(90)), primary(pastLimit)) }
	first := Judge(ill(), All())
	if len(first.Findings) < 3 {
		t.Fatalf("findings = %v, want three at least", ids(first.Findings))
	}
	for range 10 {
		if diff := cmp.Diff(first, Judge(ill(), All())); diff != "" {
			t.Fatalf("the same site gave another result (-first +later):\n%s", diff)
		}
	}
}

func TestABugInOneRuleIsToldAndCostsNoOther(t *testing.T) {
	bare := Finding{Rule: "a/rule", Subject: Subject{Name: "db1"}}
	noNumber := finding("a/rule", Subject{Name: "db1"}, Low)
	noNumber.Evidence[0].Value = math.NaN()
	for want, broken := range map[string]Rule{
		"rule a/rule found something about db1 without evidence": says("a/rule", nil, bare),
		"rule a/rule gives no number for":                        says("a/rule", nil, noNumber),
		"index out of range": {ID: "a/rule", Check: func(c Case) Result {
			return Result{Findings: []Finding{c.Cures[len(c.Fleet.Servers)]}}
		}},
	} {
		got := Judge(&fleet.Fleet{}, []Rule{broken, says("b/rule", nil, finding("b/rule", Subject{Name: "db1"}, Low))})
		if len(got.Findings) != 1 || got.Findings[0].Rule != "b/rule" {
			t.Errorf("findings beside a broken rule = %v, want that of b/rule", ids(got.Findings))
		}
		if len(got.NotReady) != 1 || !strings.Contains(got.NotReady[0].Reason, "BUG: ") || !strings.Contains(got.NotReady[0].Reason, want) {
			t.Errorf("not ready = %+v, want the bug %q", got.NotReady, want)
		}
	}
}

func TestSeverityAsksForConfidence(t *testing.T) {
	severity := func(ratio float64, gain *Estimate) Severity {
		f := finding("a/rule", Subject{Name: "db1"}, Critical)
		f.Confidence.Ratio, f.Gain.WorkerSeconds = ratio, gain
		return Judge(&fleet.Fleet{}, []Rule{says("a/rule", nil, f)}).Findings[0].Severity
	}
	for ratio, want := range map[float64]Severity{0.8: Critical, 0.79: High, 0.5: High, 0.49: Info} {
		if got := severity(ratio, Between(1, 2)); got != want {
			t.Errorf("severity of a gain with confidence %g = %s, want %s", ratio, got, want)
		}
	}
	for ratio, want := range map[float64]Severity{0.79: Critical, 0.5: Critical, 0.49: Info} {
		if got := severity(ratio, nil); got != want {
			t.Errorf("severity of a loss with confidence %g = %s, want %s", ratio, got, want)
		}
	}
}

func TestOneFindingIsShownOnce(t *testing.T) {
	low, high := finding("a/rule", Subject{Name: "db1"}, Low), finding("a/rule", Subject{Name: "db1"}, High)
	got := Judge(&fleet.Fleet{}, []Rule{says("a/rule", nil, low, high)}).Findings
	if len(got) != 1 || got[0].Severity != High {
		t.Errorf("findings = %+v, want the graver one alone", got)
	}
}

func TestWhatIsNotReadyNamesItsRule(t *testing.T) {
	got := Judge(&fleet.Fleet{}, []Rule{{ID: "a/rule", Check: func(Case) Result {
		return Result{NotReady: []NotReady{{Reason: "too early"}}}
	}}})
	if len(got.NotReady) != 1 || got.NotReady[0].Rule != "a/rule" {
		t.Errorf("not ready = %+v, want it of a/rule", got.NotReady)
	}
}

func TestAHealthySiteHasNoFinding(t *testing.T) {
	for _, f := range Judge(site(), All()).Findings {
		t.Errorf("%s found: %s", f.Rule, f.Summary)
	}
}

func TestEveryRuleIsWhole(t *testing.T) {
	for _, r := range All() {
		if area, problem, found := strings.Cut(string(r.ID), "/"); !found || area == "" || problem == "" {
			t.Errorf("ID %q is not area/problem", r.ID)
		}
		if r.Title == "" || strings.HasSuffix(r.Title, ".") {
			t.Errorf("%s has the title %q, want a heading", r.ID, r.Title)
		}
		if len(r.Needs) == 0 || r.Check == nil {
			t.Errorf("%s does not say what it needs, or checks nothing", r.ID)
		}
		if (r.MinWindow == 0) != (r.Window == 0) || r.MinWindow > r.Window {
			t.Errorf("%s needs %s and is sure after %s", r.ID, r.MinWindow, r.Window)
		}
		if r.Threshold.Value <= 0 || r.Threshold.Unit == "" || len(r.Threshold.Source) < 30 {
			t.Errorf("%s has the threshold %+v, want a value, its unit and its reason", r.ID, r.Threshold)
		}
		for _, other := range r.Yields {
			if !slices.ContainsFunc(All(), func(x Rule) bool { return x.ID == other }) {
				t.Errorf("%s yields to %s, which does not exist", r.ID, other)
			}
		}
	}
}
