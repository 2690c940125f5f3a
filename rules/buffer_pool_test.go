package rules

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/rules/fleet"
)

// misses lets so many pages a second not be in the pool, and the disk take so
// long for each.
func misses(perSecond, latency float64) func(*fleet.Server) {
	return func(s *fleet.Server) {
		s.Status.Delta["innodb_buffer_pool_reads"] = perSecond * daySeconds
		disk := &s.Machine.Machine.Disks[0]
		disk.ReadsPerSecond, disk.ReadLatency = perSecond*1.2, &latency
	}
}

func TestASmallBufferPoolIsFound(t *testing.T) {
	waits := func(s *fleet.Server) { s.Status.Delta["innodb_buffer_pool_wait_free"] = 0.2 * daySeconds }
	asReviewed(t, "buffer-pool", found(t, site(primary(misses(400, 0.0005)), primary(waits)), bufferPool()))
}

func TestTheFileCacheMakesMissesCheap(t *testing.T) {
	cached := func(s *fleet.Server) { s.Machine.Machine.Disks[0].ReadsPerSecond = 10 }
	quiet(t, site(primary(misses(4000, 0.0005)), primary(cached)), bufferPool())
}

func TestReadsThatNobodyWaitsForAreNoFinding(t *testing.T) {
	quiet(t, site(primary(misses(400, 0.0001))), bufferPool())
}

func TestALargeEnoughPoolIsNoFinding(t *testing.T) { quiet(t, site(), bufferPool()) }

func TestAPoolWarmsUpAfterAStart(t *testing.T) {
	fresh := func(s *fleet.Server) { s.Latest.Status.UptimeSeconds = 600 }
	notReady(t, site(lone, primary(misses(400, 0.0005)), primary(fresh)), bufferPool(), NotReady{
		Subject: about("db1"), ReadyAt: noon.Add(50 * 60e9),
		Reason: "the server was started within the hour, and still reads what its pool lost",
	})
}

func TestAMissingIndexComesBeforeMemory(t *testing.T) {
	got := missingOn(site(lone, primary(misses(400, 0.0005))), bufferPool())
	if len(got.Findings) != 0 || len(got.NotReady) != 1 {
		t.Errorf("result beside a missing index = %+v, want not ready", got)
	}
}

func TestALargerPoolFitsTheHost(t *testing.T) {
	const gib = 1 << 30
	cases := map[string]struct {
		change  func(*fleet.Server)
		sql     []string
		nothing bool
	}{
		"twice the size": {func(*fleet.Server) {}, []string{"SET GLOBAL innodb_buffer_pool_size = 17179869184;"}, false},
		"on MariaDB 11.8": {
			func(s *fleet.Server) { s.Latest.Identity.Version = "11.8.6-MariaDB" }, nil, false,
		},
		"on MySQL": {aMySQL("8.4.3"), []string{"SET PERSIST innodb_buffer_pool_size = 17179869184;"}, false},
		"what is free": {
			func(s *fleet.Server) { s.Machine.Latest.Memory.AvailableBytes = 4 * gib },
			[]string{"SET GLOBAL innodb_buffer_pool_size = 12348030976;"},
			false,
		},
		"nothing left": {func(s *fleet.Server) { s.Machine.Latest.Memory.AvailableBytes = gib / 2 }, nil, true},
		"the host's share": {
			func(s *fleet.Server) { s.Machine.Latest.Memory.TotalBytes = 12 * gib }, nil, true,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := found(t, site(primary(misses(400, 0.0005)), primary(c.change)), bufferPool())
			if diff := cmp.Diff(c.sql, steps(f.Remedy, SQL)); diff != "" {
				t.Errorf("statements (-want +got):\n%s", diff)
			}
			if c.nothing != (len(f.Rollback) == 0) {
				t.Errorf("undo = %+v", f.Rollback)
			}
		})
	}
}

func TestTheDiskOfTheDataIsTheOneThatCounts(t *testing.T) {
	disks := func(device string) func(*fleet.Server) {
		return func(s *fleet.Server) {
			m := s.Machine.Machine
			m.Disks = []fleet.DiskWindow{{Device: "sda"}, {Device: "nvme0n1", ReadsPerSecond: 999}, {Device: "dm-0"}}
			m.Mounts[0].Device = "/dev/sda2"
			data := m.Mounts[0]
			data.Path, data.Device = "/var/lib/mysql", device
			m.Mounts = append(m.Mounts, data)
		}
	}
	for device, want := range map[string]string{
		"/dev/nvme0n1p1": "nvme0n1", "/dev/nvme0n1": "nvme0n1", "/dev/sda2": "sda", "/dev/mapper/data": "", "/dev/sdab1": "",
	} {
		f := site(primary(disks(device)))
		got := ""
		if disk := dataDisk(f.Servers[0]); disk != nil {
			got = disk.Device
		}
		if got != want {
			t.Errorf("disk below %s = %q, want %q", device, got, want)
		}
	}
}

func TestReadsAreUnknownWithoutTheirDisk(t *testing.T) {
	remote := func(s *fleet.Server) { misses(400, 0.0005)(s); s.Machine = nil }
	notReady(t, site(lone, primary(remote)), bufferPool(), NotReady{
		Subject: about("db1"), Reason: "the disk that holds its data, and how long that takes to read, is not known",
	})
}

func TestReadsAreUnknownWithoutStatus(t *testing.T) {
	f := site(lone, primary(func(s *fleet.Server) { s.Status = nil }), primary(lacking("mysql/status", "the server hangs", "")))
	notReady(t, f, bufferPool(), NotReady{Subject: about("db1"), Reason: "the server hangs"})
	uncounted := func(s *fleet.Server) { delete(s.Status.Delta, "innodb_buffer_pool_reads") }
	notReady(t, site(lone, primary(uncounted)), bufferPool(), NotReady{Subject: about("db1"), Reason: "reads from disk are not known"})
}

func TestAPoolIsSmallFromAHundredReadsASecondOn(t *testing.T) {
	boundary(t, bufferPool(), func(perSecond float64) *fleet.Fleet { return site(primary(misses(perSecond, 0.01))) })
}

func TestWaitingForPagesBeginsAtATwentieth(t *testing.T) {
	for latency, want := range map[float64]int{0.00045: 0, 0.0005: 1, 0.00055: 1} {
		if got := len(judge(site(primary(misses(100, latency))), bufferPool()).Findings); got != want {
			t.Errorf("findings with %g s a read = %d, want %d", latency, got, want)
		}
	}
}
