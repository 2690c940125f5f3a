package host

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"plimsoll/collectors/metric"
	"plimsoll/collectors/snapshot"
	"plimsoll/fixtures/golden"
)

const recordings = "../../fixtures/recordings/linux"

// collect reads the machine below root, whose file systems all say the same.
func collect(t *testing.T, root string) (*snapshot.Machine, error) {
	t.Helper()
	c := New(Options{Root: root})
	inodes := uint64(1000)
	c.usage.statfs = func(string) (space, error) {
		return space{size: 100 << 30, available: 40 << 30, inodes: &inodes, inodesFree: &inodes}, nil
	}
	var s snapshot.Snapshot
	err := c.Collect(t.Context(), &s)
	return s.Machine, err
}

func TestMachineIsReadFromRecordings(t *testing.T) {
	for _, kernel := range []string{"4.9", "6.18"} {
		t.Run(kernel, func(t *testing.T) {
			m, err := collect(t, filepath.Join(recordings, kernel))
			if err != nil {
				t.Fatal(err)
			}
			m.Taken = time.Time{}
			asReviewed(t, kernel+".json", m)
		})
	}
}

func TestArraysAreReadFromEveryFormOfMdstat(t *testing.T) {
	all := map[string][]snapshot.Array{}
	for _, form := range []string{"degraded", "healthy", "no-redundancy", "none", "recovering"} {
		text, err := os.ReadFile(filepath.Join(recordings, "mdstat", form))
		if err != nil {
			t.Fatal(err)
		}
		all[form] = parseArrays(string(text))
	}
	asReviewed(t, "mdstat.json", all)
}

// asReviewed holds got against a file of testdata.
func asReviewed(t *testing.T, name string, got any) {
	t.Helper()
	text, err := json.MarshalIndent(got, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden.Hold(t, filepath.Join("testdata", name), append(text, '\n'))
}

func TestThisMachineIsRead(t *testing.T) {
	var s snapshot.Snapshot
	if err := New(Options{}).Collect(t.Context(), &s); err != nil {
		t.Fatal(err)
	}
	m := s.Machine
	if m.Cores < 1 || m.CPU.Idle <= 0 || m.Memory.TotalBytes == 0 || m.Memory.AvailableBytes > m.Memory.TotalBytes {
		t.Errorf("machine = %+v, want processors that were idle and memory", m)
	}
	if m.BootTime.After(time.Now()) || m.Epoch == "" {
		t.Errorf("boot = %v, epoch %q, want a time that is past and an identifier", m.BootTime, m.Epoch)
	}
	var root unix.Statfs_t
	if err := unix.Statfs("/", &root); err != nil {
		t.Fatal(err)
	}
	if len(m.Mounts) == 0 || m.Mounts[0].Path != "/" || m.Mounts[0].SizeBytes == nil ||
		*m.Mounts[0].SizeBytes != root.Blocks*uint64(root.Frsize) {
		t.Errorf("mounts = %+v, want / first, of %d bytes", m.Mounts, root.Blocks*uint64(root.Frsize))
	}
}

func TestMachineOfAnotherRootIsNamedByTheEnvironment(t *testing.T) {
	t.Setenv("HOST_PROC", filepath.Join(recordings, "6.18", "proc"))
	t.Setenv("HOST_ROOT", t.TempDir())
	var s snapshot.Snapshot
	if err := New(Options{}).Collect(t.Context(), &s); err != nil {
		t.Fatal(err)
	}
	if want := "00000000-0000-4000-8000-000000000000"; s.Machine.Epoch != want {
		t.Errorf("epoch = %s, want the recording's, %s", s.Machine.Epoch, want)
	}
}

func TestRoundFailsWithoutProcessorsOrMemory(t *testing.T) {
	for _, lost := range []string{"stat", "meminfo", "loadavg"} {
		root := machine(t, map[string]string{lost: ""})
		m, err := collect(t, root)
		if err == nil || m != nil || !strings.Contains(err.Error(), lost) {
			t.Errorf("without %s: machine %+v, error %v, want only an error that names the file", lost, m, err)
		}
	}
}

func TestGapsNameWhatTheKernelDoesNotShow(t *testing.T) {
	for file, want := range map[string]snapshot.Gap{
		"pressure/io": {Job: job, Reason: "pressure on io: line \"\" has no total"},
		"vmstat":      {Job: job, Reason: "the kernel does not count out-of-memory kills", Remedy: "use Linux 4.13 or newer"},
		"net/snmp":    {Job: job, Reason: "TCP retransmits are unknown: /proc/net/snmp lacks OutSegs, RetransSegs or CurrEstab"},
		"net/netstat": {Job: job, Reason: "overflows of listen queues are unknown: /proc/net/netstat does not show them"},
		"net/dev":     {Job: job, Reason: `network cards are unknown: interface "eth0": fewer than 12 totals`},
	} {
		t.Run(file, func(t *testing.T) {
			m, err := collect(t, machine(t, map[string]string{file: "\n"}))
			if file == "net/dev" {
				m, err = collect(t, machine(t, map[string]string{file: "eth0: 1 2 3\n"}))
			}
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(m.Gaps, want) {
				t.Errorf("gaps = %+v, want %+v among them", m.Gaps, want)
			}
		})
	}
}

// TestSeriesOfAHostAreBounded reads a machine that has too much of everything.
func TestSeriesOfAHostAreBounded(t *testing.T) {
	var disks, mounts, links, arrays strings.Builder
	files := map[string]string{}
	for i := range 40 {
		fmt.Fprintf(&disks, "254 %d dm-%d 1 0 8 1 1 0 8 1 0 1 1\n", i, i)
		fmt.Fprintf(&mounts, "%d 1 254:%d / /srv/%d rw - ext4 /dev/dm-%d rw\n", i+2, i, i, i)
		fmt.Fprintf(&links, "eth%d: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n", i)
		fmt.Fprintf(&arrays, "md%d : active raid1 a[0] b[1]\n      1 blocks [2/2] [UU]\n", i)
		files[fmt.Sprintf("../sys/class/net/eth%d/speed", i)] = "1000\n"
	}
	files["diskstats"], files["1/mountinfo"] = disks.String(), mounts.String()
	files["net/dev"], files["mdstat"] = links.String(), arrays.String()
	m, err := collect(t, machine(t, files))
	if err != nil {
		t.Fatal(err)
	}
	if series := countSeries(m); series > 150 || series < 140 {
		t.Errorf("a host with 40 disks, mounts, cards and arrays has %d series, want at most 150 and all that fit", series)
	}
	if len(m.Gaps) != 4 {
		t.Errorf("gaps = %+v, want one each for disks, mounts, cards and arrays", m.Gaps)
	}
}

func countSeries(m *snapshot.Machine) int {
	series := 0
	for _, row := range metric.Table() {
		if row.Job == job {
			row.Read(&snapshot.Snapshot{Machine: m}, func(float64, ...string) { series++ })
		}
	}
	return series
}

// machine copies the recording of 6.18, with some files of proc replaced.
func machine(t *testing.T, files map[string]string) (root string) {
	t.Helper()
	root = t.TempDir()
	if err := os.CopyFS(root, os.DirFS(filepath.Join(recordings, "6.18"))); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		path := filepath.Join(root, "proc", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestCancelledRoundEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	start := time.Now()
	_ = New(Options{}).Collect(ctx, &snapshot.Snapshot{})
	if took := time.Since(start); took > mountPatience {
		t.Errorf("a cancelled round took %v, want at most %v", took, mountPatience)
	}
}
