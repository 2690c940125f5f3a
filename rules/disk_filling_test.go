package rules

import (
	"testing"
	"time"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// mounted changes the one file system of the primary's host.
func mounted(change func(*fleet.MountWindow)) func(*fleet.Fleet) {
	return func(f *fleet.Fleet) {
		h := f.Hosts[0]
		change(&h.Machine.Mounts[0])
		h.Latest.Mounts[0] = h.Machine.Mounts[0].Mount
	}
}

// fills lets the file system be full in so many seconds.
func fills(seconds float64) func(*fleet.Fleet) {
	return mounted(func(m *fleet.MountWindow) {
		m.GrowthBytesPerSecond = new(float64(*m.AvailableBytes) / seconds)
	})
}

func free(bytes uint64) func(*fleet.Fleet) {
	return mounted(func(m *fleet.MountWindow) { m.AvailableBytes = &bytes })
}

// seenFor lets the host have been seen for so long.
func seenFor(d time.Duration) func(*fleet.Fleet) {
	return func(f *fleet.Fleet) { f.Hosts[0].Machine.Window.From = noon.Add(-d) }
}

func TestAFillingFileSystemIsFound(t *testing.T) {
	logs := primary(func(s *fleet.Server) { s.Latest.Binlog.Bytes = new(uint64(22 << 30)) })
	asReviewed(t, "disk-filling", found(t, site(fills(2.5*daySeconds), logs), diskFilling()))
}

func TestAFullFileSystemIsFoundAtOnce(t *testing.T) {
	result := judge(site(free(2<<30), seenFor(time.Minute)), diskFilling())
	if len(result.Findings) != 1 || result.Findings[0].Severity != Critical || result.Findings[0].Summary != "/ on db1 has 2 GiB left." {
		t.Errorf("findings = %+v, want the full file system", result.Findings)
	}
}

func TestATwentiethOfALargeDiskIsNotFull(t *testing.T) {
	large := func(free uint64) func(*fleet.Fleet) {
		return mounted(func(m *fleet.MountWindow) { m.SizeBytes, m.AvailableBytes = new(uint64(2<<40)), &free })
	}
	quiet(t, site(large(90<<30)), diskFilling())
	quiet(t, site(large(21<<30)), diskFilling())
	found(t, site(large(20<<30)), diskFilling())
}

func TestAFileSystemWithoutInodesIsFull(t *testing.T) {
	inodes := func(free uint64) func(*fleet.Fleet) {
		return mounted(func(m *fleet.MountWindow) { m.InodesFree = &free })
	}
	quiet(t, site(inodes(300_000)), diskFilling())
	f := found(t, site(inodes(299_999)), diskFilling())
	if f.Severity != Critical || f.Summary != "/ on db1 can hold 300k more files." {
		t.Errorf("%s: %s", f.Severity, f.Summary)
	}
}

func TestTheLastDayIsCritical(t *testing.T) {
	if f := found(t, site(fills(0.9*daySeconds)), diskFilling()); f.Severity != Critical {
		t.Errorf("severity with less than a day left = %s, want critical", f.Severity)
	}
}

func TestAFileSystemWithRoomIsNoFinding(t *testing.T) { quiet(t, site(), diskFilling()) }

func TestReadOnlyAndUnreadableFileSystemsAreLeftOut(t *testing.T) {
	quiet(t, site(free(0), mounted(func(m *fleet.MountWindow) { m.ReadOnly = true })), diskFilling())
	quiet(t, site(mounted(func(m *fleet.MountWindow) { m.SizeBytes, m.AvailableBytes = nil, nil })), diskFilling())
}

func TestAnHoursGrowthIsNotDrawnOutToAWeek(t *testing.T) {
	quiet(t, site(fills(2*daySeconds), seenFor(time.Hour)), diskFilling())
	found(t, site(fills(0.9*daySeconds), seenFor(time.Hour)), diskFilling())
}

func TestGrowthHasToBeSeenForAnHour(t *testing.T) {
	notReady(t, site(fills(1000), seenFor(20*time.Minute)), diskFilling(), NotReady{
		Subject: about("db1"), Reason: "host was seen for 20 min, and the rule needs 60 min", ReadyAt: noon.Add(40 * time.Minute),
	})
}

func TestGrowthIsUnknownWithoutAHost(t *testing.T) {
	blind := func(f *fleet.Fleet) {
		h := f.Hosts[0]
		h.Latest, h.Machine = nil, nil
		h.Gaps = []snapshot.Gap{{Job: "host", Reason: "/proc is not readable", Remedy: "ProtectProc=default"}}
	}
	notReady(t, site(blind), diskFilling(), NotReady{Subject: about("db1"), Reason: "/proc is not readable", Remedy: "ProtectProc=default"})
	once := func(f *fleet.Fleet) { f.Hosts[0].Machine = nil }
	notReady(t, site(once), diskFilling(), NotReady{
		Subject: about("db1"), Reason: "host was not seen twice yet", ReadyAt: noon.Add(time.Hour),
	})
}

func TestAFileSystemIsFillingIfItLastsAWeekAtMost(t *testing.T) {
	r := diskFilling()
	for _, c := range []struct {
		fact, threshold float64
		found           bool
	}{{6.3, 7, true}, {7, 7, true}, {7.7, 7, false}, {7, 6.3, false}} {
		r.Threshold.Value = c.threshold * daySeconds
		if got := len(judge(site(fills(c.fact*daySeconds)), r).Findings) > 0; got != c.found {
			t.Errorf("found with %g days and the threshold %g = %v, want %v", c.fact, c.threshold, got, c.found)
		}
	}
}
