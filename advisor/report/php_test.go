package report

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules"
	"plimsoll/rules/fleet"
)

func TestTheVerdictOnWorkersIsOneSentence(t *testing.T) {
	free := []rules.Spent{spent(rules.OnCPU, 1, 0), spent(rules.OnCaches, 1.5, 0.1)}
	for name, c := range map[string]struct {
		time rules.AppTime
		want string
	}{
		"bound": {
			rules.AppTime{BusyWorkers: 10, Bound: rules.ByLocks, BoundRatio: 0.62, Spent: free},
			"The workers of www spend 62 % of their busy time waiting for locks or sleeping.",
		},
		"healthy": {
			rules.AppTime{BusyWorkers: 2.5, MaxWorkers: new(20), Bound: rules.Healthy, Spent: free},
			"Nothing alone holds up the workers of www: 2.5 of 20 are busy, and most of their time, 60 %, goes to the caches.",
		},
		"no configuration": {
			rules.AppTime{BusyWorkers: 2.5, Bound: rules.Healthy, Spent: free},
			"Nothing alone holds up the workers of www: 2.5 are busy, and most of their time, 60 %, goes to the caches.",
		},
		"idle": {rules.AppTime{Bound: rules.Healthy}, "The workers of www had nothing to do."},
	} {
		t.Run(name, func(t *testing.T) {
			if got := phpVerdict("www", c.time); got != c.want {
				t.Errorf("phpVerdict = %q, want %q", got, c.want)
			}
		})
	}
}

func TestIntervalsAreShownWhereTheyChangeTheFigure(t *testing.T) {
	for want, s := range map[string]rules.Spent{
		"50 %":          spent(rules.OnDatabase, 5, 0.2),
		"50 ± 3 %":      spent(rules.OnDatabase, 5, 0.3),
		"0.5 ± 0.4 %":   spent(rules.OnRest, 0.05, 0.036),
		"20 %":          routed(rules.OnCPU, 2),
		"100 %":         spent(rules.OnCPU, 10, 0),
		"0.01 ± 0.1 %":  spent(rules.OnLocks, 0.001, 0.0001),
		"90 ± 100 %":    spent(rules.OnLocks, 9, 1e300),
		"0.001 ± 0.1 %": spent(rules.OnLocks, 0.0001, 0.01),
	} {
		if got := share(s, 10); got != want {
			t.Errorf("share(%+v, 10) = %q, want %q", s, got, want)
		}
	}
}

func TestEstimatesCarryTheirInterval(t *testing.T) {
	for want, c := range map[string]struct {
		workers float64
		margin  *float64
	}{
		"3.78 ± 0.26 workers":   {3.78, new(0.2542)},
		"3.78 workers":          {3.78, new(0.1)},
		"3.78 ± 0.3 workers":    {3.78, new(0.3)},
		"1 worker":              {1, new(0.0)},
		"1 ± 0.5 workers":       {1, new(0.5)},
		"0.012 ± 0.013 workers": {0.012, new(0.01201)},
		"2 workers":             {2, nil},
		"2 ± 12k workers":       {2, new(11_999.0)},
	} {
		if got := workersWords(c.workers, c.margin); got != want {
			t.Errorf("workersWords(%v, %v) = %q, want %q", c.workers, c.margin, got, want)
		}
	}
	if got := sampled(0.111, new(0.0074), rules.Ratio); got != "11.1 ± 0.74 %" {
		t.Errorf("a share with its interval = %q", got)
	}
	for _, hostile := range []float64{1e300, math.SmallestNonzeroFloat64, math.MaxFloat64, math.Inf(1), math.NaN(), -1} {
		if got := workersWords(1, &hostile); got == "" {
			t.Errorf("workersWords(1, %v) = %q", hostile, got)
		}
	}
	if got := lookAtRoute(rules.AppRoute{Method: "GET", Route: "/", Workers: 2}, 2).Figures; got != "none ended; 2 workers, interval not known" {
		t.Errorf("figures of a route of an older probe = %q", got)
	}
}

func TestWhereAProbeRunsItIsNotSaidWhatItWouldAdd(t *testing.T) {
	once := blindApp()
	once.Blind[0].Reason, once.Blind[0].Remedy = "plimsoll-probe was not seen twice yet", ""
	if got := lookAtPHP([]rules.App{once}); len(got.Blind) != 1 || got.Adds != "" {
		t.Errorf("php = %+v, want the reason alone", got)
	}
}

func TestWhatCouldNotBeToldIsSaidFromTwoPercentOn(t *testing.T) {
	app := shopApps()[0]
	said := lookAtPHP([]rules.App{app}).Apps[0].Unknown
	if !strings.HasPrefix(said, "What 2.94 % of the busy time went to could not be told") {
		t.Errorf("Unknown = %q, want 2.94 %% to be said", said)
	}
	last := &app.Time.Spent[len(app.Time.Spent)-1]
	last.Workers = 0.019 * app.Time.BusyWorkers
	if said := lookAtPHP([]rules.App{app}).Apps[0].Unknown; said != "" {
		t.Errorf("Unknown = %q, want nothing below 2 %%", said)
	}
}

func TestWithoutAProbeOneReasonSaysWhatItWouldAdd(t *testing.T) {
	var apps []rules.App
	for i := range 40 {
		a := blindApp()
		a.Name = fmt.Sprintf("site%02d", i)
		apps = append(apps, a)
	}
	got := lookAtPHP(apps)
	if len(got.Apps) != 0 || len(got.Blind) != 1 || got.Adds == "" {
		t.Fatalf("php = %+v, want one reason for all 40 pools, and what a probe would add", got)
	}
	if places := got.Blind[0].Places(); !strings.HasPrefix(places, "site00 on web1, site01 on web1, ") || !strings.HasSuffix(places, " and 32 more") {
		t.Errorf("Places = %q, want the first and how many more", places)
	}
	if lookAtPHP(shopApps()[1:]).Adds != "" {
		t.Error("it is said what a probe would add where there is one")
	}
}

func TestRequestsWaitForWhatIsNotNamedToo(t *testing.T) {
	routes := lookAtPHP(shopApps()).Apps[0].Routes
	if want := "11.3 % waiting for other statements, or for such as are not known"; routes[0].More != want {
		t.Errorf("More = %q, want %q", routes[0].More, want)
	}
	if routes[2].More != "" {
		t.Errorf("More = %q, want nothing: its one statement is all that it waits for", routes[2].More)
	}
}

func TestAFindingSaysWhoWaits(t *testing.T) {
	one := []rules.Waiter{{Pool: "www", Method: "GET", Route: "/product/{id}", SecondsPerSecond: 1.5, Code: "Catalog::load"}}
	two := append(one, rules.Waiter{Pool: "admin", Method: "GET", Route: "/report", SecondsPerSecond: 1})
	if diff := cmp.Diff([]string{"GET /product/{id}: 1.5 workers, in Catalog::load"}, waiters(one)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"GET /product/{id}: 1.5 workers, in Catalog::load (www)", "GET /report: 1 worker (admin)"}, waiters(two)); diff != "" {
		t.Error(diff)
	}
}

func TestAHostOfManySitesHasAReportThatCanBeRead(t *testing.T) {
	r := healthy()
	for i := range 300 {
		a := shopApps()[0]
		a.Name, a.Blind = fmt.Sprintf("site%03d", i), nil
		for j := range 20 {
			a.Pools = append(a.Pools, shopPool(fmt.Sprintf("web%d", j+10), 1, 0))
		}
		r.Apps = append(r.Apps, a)
	}
	text := r.Text(TextOptions{})
	if n := bytes.Count(text, []byte("\n")); n > 400 {
		t.Errorf("Text has %d lines, want at most 400", n)
	}
	for _, want := range []string{
		"294 more applications, less busy, stand in the report's JSON form.",
		"14 more pools stand in the report's JSON form.", "6.87k more, less busy, stand in the report's JSON form.",
	} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("Text lacks %q", want)
		}
	}
}

func TestBuildTakesPoolsAndWhatTheyLack(t *testing.T) {
	w := fleet.Window{From: now().Add(-100e9), To: now()}
	lacking := snapshot.Gap{Job: "phpfpm", Subject: "www", Reason: "its files cannot be read", Remedy: "chmod"}
	pool := &fleet.Pool{
		Cluster: "shop", Host: "web1", Name: "www", Listen: "/run/www.sock", Gaps: []snapshot.Gap{lacking},
		Workers: &fleet.WorkerWindow{
			Window: w, WorkerSeconds: 200, Requests: 300,
			States: map[snapshot.PHPState]snapshot.StateTime{snapshot.PHPMySQL: {Seconds: 50}, snapshot.PHPIdle: {Seconds: 150}},
			Routes: []snapshot.RouteTime{{Method: "GET", Route: "/", Requests: 300, Seconds: map[snapshot.PHPState]float64{snapshot.PHPMySQL: 50}}},
			Rows: []snapshot.ProfileRow{{
				ProfileKey: snapshot.ProfileKey{Method: "GET", Route: "/", State: snapshot.PHPMySQL, Fingerprint: "fp1:1"},
				StateTime:  snapshot.StateTime{Seconds: 50},
			}},
			Texts: map[string]snapshot.DigestText{"fp1:1": {Fingerprint: "fp1:1", Text: "SELECT ?"}},
		},
	}
	index := missingIndex()
	index.Digests = []string{"fp1:1"}
	gone := index
	gone.Fingerprint = "gone"
	r := Build("1", &fleet.Fleet{Now: now(), Window: w, Pools: []*fleet.Pool{pool}}, nil, rules.Result{},
		[]Entry{{Finding: gone, Status: "gone"}, {Finding: index, Status: "open"}})
	got := r.Apps[0].Time.Routes[0].Statements
	want := []rules.AppStatement{{Fingerprint: "fp1:1", Text: "SELECT ?", Workers: 0.5, ShareRatio: 1, Findings: []string{index.Fingerprint}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("statements (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Gap{{Host: "web1", Gap: lacking}}, r.Gaps); diff != "" {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
}
