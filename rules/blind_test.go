package rules

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// probed takes what the probe said of a pool, but not the probe.
func probed(p *fleet.Pool) {
	noProbeThere(p)
	p.Machine.Probed = true
}

func TestEachReasonWhyWorkersWereNotLookedAtHasItsNextStep(t *testing.T) {
	const cannot = "which workers are busy is unknown: find the scoreboard of pool www: operation not permitted"
	for name, c := range map[string]struct {
		changes []func(*fleet.Pool)
		want    blindReason
	}{
		"no probe":         {[]func(*fleet.Pool){noProbeThere}, blindReason{reason: noProbe, remedy: installProbe}},
		"seen once":        {[]func(*fleet.Pool){func(p *fleet.Pool) { p.Workers = nil }}, blindReason{reason: seenOnce, soon: true}},
		"not found yet":    {[]func(*fleet.Pool){probed}, blindReason{reason: notFoundYet, soon: true}},
		"no worker there":  {[]func(*fleet.Pool){probed, func(p *fleet.Pool) { p.Latest.Workers = 0 }}, blindReason{reason: noWorkers}},
		"stopped":          {[]func(*fleet.Pool){noProbeThere, poolLacking("phpfpm/profile", "it does not run", "start it")}, blindReason{reason: "it does not run", remedy: "start it"}},
		"may not look":     {[]func(*fleet.Pool){probed, poolLacking("phpfpm/probe", cannot, "grant it")}, blindReason{reason: cannot, remedy: "grant it"}},
		"stopped, may not": {[]func(*fleet.Pool){noProbeThere, poolLacking("phpfpm/probe", cannot, "grant it"), poolLacking("phpfpm/profile", "it does not run", "start it")}, blindReason{reason: "it does not run", remedy: "start it"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := web()
			for _, change := range c.changes {
				change(f.Pools[0])
			}
			want := NotReady{Subject: about("web1 (www)"), Reason: c.want.reason, Remedy: c.want.remedy}
			if c.want.soon {
				want.ReadyAt = f.Now.Add(aMinute)
			}
			notReady(t, f, poolVerdict(), want)
			notReady(t, f, poolTooLarge(), want)
			want.Subject = about("www")
			notReady(t, f, externalCalls(), want)
			app := Apps(f, nil, nil)[0]
			if diff := cmp.Diff([]AppBlind{{Hosts: []string{"web1"}, Reason: c.want.reason, Remedy: c.want.remedy}}, app.Blind); diff != "" {
				t.Errorf("blind (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHostsOfAnApplicationThatIsNotJudgedAreNamedByReason(t *testing.T) {
	f := web(www(noProbeThere), func(f *fleet.Fleet) {
		once, again := phpPool(machine("web2"), "www"), phpPool(machine("web3"), "www")
		once.Workers, again.Workers = nil, nil
		f.Pools = append(f.Pools, once, again)
	})
	want := []NotReady{
		{Rule: "phpfpm/session-lock", Subject: aboutApp(&app{cluster: "shop", name: "www"}), Reason: "on web1: " + noProbe, Remedy: installProbe},
		{Rule: "phpfpm/session-lock", Subject: aboutApp(&app{cluster: "shop", name: "www"}), Reason: "on web2, web3: " + seenOnce, ReadyAt: f.Now.Add(aMinute)},
	}
	if diff := cmp.Diff(want, judge(f, sessionLock()).NotReady); diff != "" {
		t.Errorf("not ready (-want +got):\n%s", diff)
	}
}

func TestAPoolThatNobodyCouldLookAtIsNotJudged(t *testing.T) {
	blind := func(p *fleet.Pool) {
		p.Profile, p.Workers, p.Machine.Probed = &snapshot.PoolProfile{Name: "www"}, nil, true
	}
	for _, r := range []Rule{poolVerdict(), poolTooSmall(), sessionLock(), slowPlugin()} {
		if got := judge(web(www(blind)), r); len(got.Findings) > 0 || len(got.NotReady) != 1 {
			t.Errorf("%s says %+v, want that it cannot judge", r.ID, got)
		}
	}
}
