package rules

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// slowProduct finds that half of the statement of the product page can be spared.
func slowProduct() Rule {
	return Rule{ID: "test/slow-product", Check: func(c Case) Result {
		f := Found(c.Rule, Subject{Cluster: "shop", Kind: OfIndex, Name: "product"}, Evidence{What: "x"})
		f.Digests = []string{"fp1:0000000000000001"}
		f.Gain.WorkerSeconds = Between(0.2, 0.4)
		f.Confidence.Ratio = 0.9
		return Result{Findings: []Finding{f}}
	}}
}

func TestAFindingAboutAStatementNamesTheRequestsThatWait(t *testing.T) {
	f := found(t, web(), slowProduct())
	want := []Waiter{{Pool: "www", Method: "GET", Route: "/product/{id}", SecondsPerSecond: 1.5, Margin: part(0.375), Code: "Catalog::load in app/Catalog.php"}}
	if diff := cmp.Diff(want, f.Waiters, roughly()); diff != "" {
		t.Errorf("waiters (-want +got):\n%s", diff)
	}
}

func TestWorkersThatWaitLongerThanAStatementRunsGainNoMore(t *testing.T) {
	f := found(t, web(), slowProduct())
	if diff := cmp.Diff(Between(0.2, 0.4), f.Gain.WorkerSeconds); diff != "" {
		t.Errorf("gain while 1.5 workers wait for 1.2 seconds a second (-want +got):\n%s", diff)
	}
}

func TestTimeThatNoWorkerWaitedForIsNoGainOfWorkers(t *testing.T) {
	few := www(func(p *fleet.Pool) { p.Workers.Rows[0].Seconds = dayOf(0.3) })
	f := found(t, web(few), slowProduct())
	if got := f.Gain.WorkerSeconds; got.Hi < 0.099 || got.Hi > 0.101 {
		t.Errorf("gain = %+v, want a quarter of the estimate: 0.3 workers wait for what runs 1.2 seconds a second on both servers", got)
	}
	second := func(f *fleet.Fleet) {
		blind := phpPool(machine("web2"), "www")
		noProbeThere(blind)
		f.Pools = append(f.Pools, blind)
	}
	if got := found(t, web(few, second), slowProduct()).Gain.WorkerSeconds; got.Hi != 0.4 {
		t.Errorf("gain = %+v, want the whole estimate: of one host it is not known who waits", got)
	}
}

func TestACutTextFindsItsRequestsByItsBeginning(t *testing.T) {
	cut := func(f *fleet.Fleet) {
		d := &f.Servers[0].Digests.Rows[0]
		d.Fingerprint, d.Text = "fp1t:00000000000000aa", "SELECT sku , price FROM product WHERE ..."
		for _, s := range f.Servers[1:] {
			s.Digests.Rows = nil
		}
	}
	rule := slowProduct()
	check := rule.Check
	rule.Check = func(c Case) Result {
		r := check(c)
		r.Findings[0].Digests = []string{"fp1t:00000000000000aa"}
		return r
	}
	if f := found(t, web(cut), rule); len(f.Waiters) != 1 || f.Waiters[0].Route != "/product/{id}" {
		t.Errorf("waiters = %+v, want the product page", f.Waiters)
	}
}

func TestOtherWaitsAreNoStatements(t *testing.T) {
	lock := www(func(p *fleet.Pool) { p.Workers.Rows[0].State = snapshot.PHPLock })
	if f := found(t, web(lock), slowProduct()); f.Waiters != nil {
		t.Errorf("waiters = %+v, want none: nobody waits for the database", f.Waiters)
	}
}
