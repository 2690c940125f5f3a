package rules

import (
	"testing"
	"time"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

func TestAPoolThatWaitsForTheDatabaseIsFound(t *testing.T) {
	asReviewed(t, "pool-verdict", found(t, web(www(spends(snapshot.PHPMySQL, 12))), poolVerdict()))
}

func TestWorkersThatSleepAreToldToStopIt(t *testing.T) {
	sleep := waitsAt(snapshot.ProfileKey{
		Method: "GET", Route: "/api/stock/{id}", State: snapshot.PHPSleep, Call: "usleep", Code: "throttle", File: "app/api.php",
	}, 13)
	asReviewed(t, "pool-verdict-sleep", found(t, web(www(sleep)), poolVerdict()))
}

func TestWhatKeepsWorkersIsTold(t *testing.T) {
	for state, want := range map[snapshot.PHPState]Bound{
		snapshot.PHPMySQL: ByDatabase, snapshot.PHPCPU: ByCPU, snapshot.PHPRunQueue: ByCPU,
		snapshot.PHPLock: ByLocks, snapshot.PHPHTTP: ByServices, snapshot.PHPRedis: ByServices,
	} {
		p := web(www(spends(state, 13))).Pools[0]
		if got, share, known := Verdict(p, 0.5); got != want || !known || share < 0.5 {
			t.Errorf("13 workers in %s: verdict %s at %.2f (%v), want %s", state, got, share, known, want)
		}
	}
}

func TestAPoolThatDoesABitOfEverythingIsHealthy(t *testing.T) {
	quiet(t, web(), poolVerdict())
	if got, _, _ := Verdict(web().Pools[0], 0.5); got != Healthy {
		t.Errorf("verdict = %s, want %s", got, Healthy)
	}
}

func TestAPoolWithFreeWorkersIsHealthyWhateverTheyDo(t *testing.T) {
	idle := func(p *fleet.Pool) {
		p.Workers.States = map[snapshot.PHPState]snapshot.StateTime{
			snapshot.PHPMySQL: {Seconds: dayOf(3.9)}, snapshot.PHPIdle: {Seconds: dayOf(16.1)},
		}
	}
	quiet(t, web(www(idle)), poolVerdict())
}

func TestTheVerdictNeedsAProbe(t *testing.T) {
	notReady(t, web(www(noProbeThere)), poolVerdict(), NotReady{Subject: about("web1 (www)"), Reason: noProbe, Remedy: installProbe})
	refused := poolLacking("phpfpm/profile", "the kernel refuses to look into workers (Yama 3)", "sysctl kernel.yama.ptrace_scope=1")
	notReady(t, web(www(noProbeThere), www(refused)), poolVerdict(), NotReady{
		Subject: about("web1 (www)"), Reason: "the kernel refuses to look into workers (Yama 3)", Remedy: "sysctl kernel.yama.ptrace_scope=1",
	})
}

func TestTheVerdictNeedsAWhile(t *testing.T) {
	f := web(www(spends(snapshot.PHPMySQL, 12)), www(profiledFor(20*time.Second)))
	notReady(t, f, poolVerdict(), NotReady{
		Subject: about("web1 (www)"), Reason: "phpfpm/profile was seen for 20 s, and the rule needs 45 s",
		ReadyAt: f.Pools[0].Workers.Window.From.Add(aMinute),
	})
}

func TestTheVerdictNeedsToKnowHowManyWorkersThereMayBe(t *testing.T) {
	noConfig := func(p *fleet.Pool) { p.Latest.Config = nil }
	notReady(t, web(www(spends(snapshot.PHPMySQL, 12)), www(noConfig)), poolVerdict(), NotReady{
		Subject: about("web1 (www)"), Reason: "how many workers it may have (pm.max_children) is not known",
	})
}

func TestHalfOfTheWorkersTimeIsAVerdict(t *testing.T) {
	boundary(t, poolVerdict(), func(share float64) *fleet.Fleet {
		return web(www(func(p *fleet.Pool) {
			p.Workers.States = map[snapshot.PHPState]snapshot.StateTime{
				snapshot.PHPMySQL: {Seconds: dayOf(10 * share)}, snapshot.PHPChild: {Seconds: dayOf(10 - 10*share)},
				snapshot.PHPIdle: {Seconds: dayOf(10)},
			}
		}))
	})
}
