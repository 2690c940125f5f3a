package rules

import (
	"testing"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// saturated lets a pool have no free worker for a part of the day.
func saturated(share float64) func(*fleet.Pool) {
	return func(p *fleet.Pool) { p.Workers.SaturatedSeconds = share * daySeconds }
}

func TestAPoolThatRunsOutOfWorkersOnAFreeHostIsFound(t *testing.T) {
	f := found(t, web(www(saturated(0.05)), www(queued(4))), poolTooSmall())
	asReviewed(t, "pool-too-small", f)
	if got := steps(f.Remedy, Config); len(got) != 1 || got[0] != "pm.max_children = 30" {
		t.Errorf("advice = %q, want 30: 20 that are busy and 4 that wait, with a quarter above", got)
	}
}

func TestAPoolWithFreeWorkersIsLargeEnough(t *testing.T) { quiet(t, web(), poolTooSmall()) }

func TestMoreWorkersDoNotHelpWhereTheyWaitForTheDatabase(t *testing.T) {
	quiet(t, web(www(saturated(0.05)), www(spends(snapshot.PHPMySQL, 14))), poolTooSmall())
}

func TestMoreWorkersDoNotHelpABusyHost(t *testing.T) {
	busy := func(p *fleet.Pool) { p.Machine.Machine.PeakCPUBusyRatio = new(0.71) }
	quiet(t, web(www(saturated(0.05)), www(busy)), poolTooSmall())
}

func TestMoreWorkersAreNoMoreThanMemoryAllows(t *testing.T) {
	tight := func(p *fleet.Pool) { p.Machine.Latest.Memory.AvailableBytes = 130 << 20 }
	f := found(t, web(www(saturated(0.05)), www(queued(4)), www(tight)), poolTooSmall())
	if got := steps(f.Remedy, Config); got[0] != "pm.max_children = 22" {
		t.Errorf("advice = %q, want 22: there is memory for two workers of 40 MiB more", got)
	}
	none := func(p *fleet.Pool) { p.Machine.Latest.Memory.AvailableBytes = 20 << 20 }
	quiet(t, web(www(saturated(0.05)), www(none)), poolTooSmall())
}

func TestMoreWorkersLeaveRoomForThoseThatOtherPoolsMayStart(t *testing.T) {
	tight := func(p *fleet.Pool) { p.Machine.Latest.Memory.AvailableBytes = 400 << 20 }
	growing := beside(func(p *fleet.Pool) { p.Profile.Workers = 14 })
	f := found(t, web(www(saturated(0.05)), www(queued(4)), www(tight), growing), poolTooSmall())
	if got := steps(f.Remedy, Config); got[0] != "pm.max_children = 22" {
		t.Errorf("advice = %q, want 22: of 320 MiB the other pool may take 240", got)
	}
	much := beside(func(p *fleet.Pool) { p.Latest.Config.MaxChildren = 2000 })
	f = found(t, web(www(saturated(0.05)), www(queued(4)), www(tight), much), poolTooSmall())
	if got := steps(f.Remedy, Config); got[0] != "pm.max_children = 28" || f.Confidence.Ratio > 0.6 {
		t.Errorf("advice = %q, confidence = %+v, want 28 once the other pool is smaller", got, f.Confidence)
	}
	blind := beside(func(p *fleet.Pool) { p.Profile.Memory = nil })
	f = found(t, web(www(saturated(0.05)), www(queued(4)), blind), poolTooSmall())
	if f.Confidence.Ratio > 0.6 || len(f.Confidence.Reasons) != 2 {
		t.Errorf("confidence = %+v, want it lower as of the other pool nothing is known", f.Confidence)
	}
}

func TestTheSizeOfAPoolNeedsAProbe(t *testing.T) {
	notReady(t, web(www(noProbeThere)), poolTooSmall(), NotReady{Subject: about("web1 (www)"), Reason: noProbe, Remedy: installProbe})
}

func TestTheSizeOfAPoolNeedsItsMemory(t *testing.T) {
	blind := func(p *fleet.Pool) { p.Profile.Memory = nil }
	f := web(www(saturated(0.05)), www(blind))
	notReady(t, f, poolTooSmall(), NotReady{
		Subject: about("web1 (www)"),
		Reason:  "whether its host can bear more workers is not known: of its processors or the workers' memory nothing was seen",
	})
}

func TestAHundredthWithoutAFreeWorkerIsTooMuch(t *testing.T) {
	boundary(t, poolTooSmall(), func(share float64) *fleet.Fleet { return web(www(saturated(share))) })
}
