package rules

import (
	"testing"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// busy makes a host's processors busy with the statements of its server, of which
// so much of the time is reading.
func busy(ratio, reads float64) func(*fleet.Server) {
	return func(s *fleet.Server) {
		s.Machine.Machine.CPUBusyRatio, s.Machine.Machine.PeakCPUBusyRatio = ratio, &ratio
		s.Digests.Rows[0].Seconds, s.Digests.Rows[1].Seconds = 4*reads*daySeconds, 4*(1-reads)*daySeconds
		s.Digests = digests(s.Digests.Rows...)
	}
}

// sampled sets the running SELECTs that were seen outside and inside of
// transactions.
func sampled(outside, inside uint64) func(*fleet.Server) {
	return func(s *fleet.Server) { s.Transactions.Reads = &snapshot.ReadSamples{Outside: outside, Inside: inside} }
}

// missingOn lets another rule have found a missing index.
func missingOn(f *fleet.Fleet, r Rule) Result {
	cure := Found(Rule{ID: "mysql/missing-index"}, Subject{Cluster: "shop", Kind: OfIndex, Schema: "shop", Name: "sales_order"}, Evidence{What: "rows"})
	cure.Gain.WorkerSeconds = Between(3, 3) // of the four statements at a time that are under way at most
	return r.Check(Case{Fleet: f, Rule: r, Cures: []Finding{cure}})
}

func TestAPrimaryBusyWithReadsIsFound(t *testing.T) {
	asReviewed(t, "read-split", found(t, site(primary(busy(0.8, 0.7)), primary(sampled(900, 100))), readSplit()))
}

func TestASplitNeedsAReplicaFirst(t *testing.T) {
	f := found(t, site(lone, primary(busy(0.8, 0.7))), readSplit())
	if f.Remedy[0].Text != "Add a replica first: there is none (mysql/single-point-of-failure)." {
		t.Errorf("first step = %q, want a replica", f.Remedy[0].Text)
	}
}

func TestAnIdlePrimaryKeepsItsReads(t *testing.T) {
	quiet(t, site(), readSplit())
	quiet(t, site(primary(busy(0.49, 0.9))), readSplit())
	found(t, site(primary(busy(0.5, 0.9))), readSplit())
}

func TestReadsInsideTransactionsStay(t *testing.T) {
	quiet(t, site(primary(busy(0.8, 0.7)), primary(sampled(10, 90))), readSplit())
}

func TestAMissingIndexComesBeforeASplit(t *testing.T) {
	got := missingOn(site(primary(busy(0.8, 0.7))), readSplit())
	if len(got.Findings) != 0 || len(got.NotReady) != 1 {
		t.Errorf("result beside a missing index = %+v, want not ready", got)
	}
}

func TestHalfOfTheBusyProcessorsHasToBeExplained(t *testing.T) {
	for share, level := range map[float64]string{0.45: "low", 0.55: "medium"} {
		explained := func(s *fleet.Server) {
			for i := range s.Digests.Rows {
				s.Digests.Rows[i].Seconds *= share * 3.2 / 4 // busy gives four statements for 3.2 processors
			}
		}
		if got := found(t, site(primary(busy(0.8, 0.7)), primary(explained)), readSplit()).Confidence.Level(); got != level {
			t.Errorf("confidence where statements explain %v of the busy processors = %s, want %s", share, got, level)
		}
	}
}

func TestProcessorsThatAnotherProgramKeepsBusyAreDoubtful(t *testing.T) {
	web := func(s *fleet.Server) {
		s.Digests.Rows[0].Seconds /= 4
		s.Digests.Rows[1].Seconds /= 4
	}
	f := found(t, site(primary(busy(0.8, 0.7)), primary(web)), readSplit())
	if f.Severity != Info || f.Confidence.Level() != "low" {
		t.Errorf("%s, confidence %+v, want info and low", f.Severity, f.Confidence)
	}
	const doubt = "its statements explain 1 of 3.2 busy processors: another program shares its host"
	if reasons := f.Confidence.Reasons; reasons[len(reasons)-1] != doubt {
		t.Errorf("doubts = %q, want %q", reasons, doubt)
	}
	second := func(s *fleet.Server) { s.Machine.Servers = append(s.Machine.Servers, s) }
	f = found(t, site(primary(busy(0.8, 0.7)), primary(second)), readSplit())
	if reasons := f.Confidence.Reasons; reasons[len(reasons)-1] != "2 database servers share its host" {
		t.Errorf("doubts = %q, want the second server", reasons)
	}
}

func TestWithoutSeriesTheMeanStandsForThePeak(t *testing.T) {
	f := found(t, site(primary(busy(0.8, 0.7)), primary(func(s *fleet.Server) { s.Machine.Machine.PeakCPUBusyRatio = nil })), readSplit())
	if got := f.Evidence[1].What; got != "processors of the primary busy, mean" {
		t.Errorf("evidence = %q, want it to say that it is a mean", got)
	}
}

func TestASplitIsUnknownWithoutSamples(t *testing.T) {
	f := site(lone, primary(busy(0.8, 0.7)), primary(func(s *fleet.Server) { s.Transactions.Reads = nil }),
		primary(lacking("mysql/transactions", "the account may not read open transactions", grantProcess)))
	notReady(t, f, readSplit(), NotReady{Subject: about("db1"), Reason: "the account may not read open transactions", Remedy: grantProcess})
	notReady(t, site(lone, primary(busy(0.8, 0.7)), primary(sampled(20, 9))), readSplit(), NotReady{
		Subject: about("db1"), ReadyAt: noon.Add(aDay),
		Reason: "fewer than 30 running SELECTs were sampled, so that the share inside transactions is not known",
	})
}

func TestASplitIsUnknownWithoutTheHost(t *testing.T) {
	notReady(t, site(lone, primary(func(s *fleet.Server) { s.Machine = nil })), readSplit(), NotReady{
		Subject: about("db1"), Reason: "the processors of its host are not known",
	})
}

func TestASplitPaysFromThreeTenthsOn(t *testing.T) {
	boundary(t, readSplit(), func(share float64) *fleet.Fleet { return site(primary(busy(0.8, share)), primary(sampled(100, 0))) })
}
