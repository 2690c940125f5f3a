package host

import (
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/shirou/gopsutil/v3/disk"
)

func TestMountsWithDataAreChosen(t *testing.T) {
	const text = `1 0 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
2 1 8:2 / /srv/a\040b rw - ext4 /dev/sda2 ro,errors=remount-ro
3 1 8:1 /srv /mnt/bind ro - ext4 /dev/sda1 rw
4 1 0:30 / /data rw - zfs tank/data rw
5 1 0:31 / /share rw - cifs //nas/share rw
6 1 0:32 / /run rw - tmpfs tmpfs rw
7 1 0:33 / /tmp rw - tmpfs tmpfs rw
8 1 8:3 / /over rw - ext4 /dev/sda3 rw
9 1 0:34 / /over ro - nfs host:/x rw
a line that is none
`
	want := []mount{
		{device: "8:1", part: "/", path: "/", fstype: "ext4", source: "/dev/sda1"},
		{device: "0:30", part: "/", path: "/data", fstype: "zfs", source: "tank/data"},
		{device: "0:34", part: "/", path: "/over", fstype: "nfs", source: "host:/x", readOnly: true},
		{device: "0:31", part: "/", path: "/share", fstype: "cifs", source: "//nas/share"},
		{device: "0:33", part: "/", path: "/tmp", fstype: "tmpfs", source: "tmpfs"},
		{device: "8:2", part: "/", path: "/srv/a b", fstype: "ext4", source: "/dev/sda2", readOnly: true},
	}
	got := withData(parseMounts(text))
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(mount{})); diff != "" {
		t.Errorf("mounts (-want +got):\n%s", diff)
	}
}

func TestPartitionIsADiskOnlyWithoutItsDisk(t *testing.T) {
	all := map[string]disk.IOCountersStat{}
	for _, name := range []string{"sda", "sda1", "nvme0n1", "nvme0n1p2", "mmcblk0", "mmcblk0p1", "xvdb1", "md0", "md0p1", "dm-0", "loop3", "zram0", "ram0", "sr0"} {
		all[name] = disk.IOCountersStat{}
	}
	want := map[string]bool{"sda": true, "nvme0n1": true, "mmcblk0": true, "xvdb1": true, "md0": true, "dm-0": true}
	for name := range all {
		if got := isDisk(name, all); got != want[name] {
			t.Errorf("isDisk(%s) = %t, want %t", name, got, want[name])
		}
	}
}

// seed gives a fuzz target the recordings of one file.
func seed(f *testing.F, patterns ...string) {
	f.Helper()
	for _, pattern := range patterns {
		files, err := filepath.Glob(filepath.Join(recordings, pattern))
		if err != nil || len(files) == 0 {
			f.Fatalf("no recording %s: %v", pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(text))
		}
	}
}

func FuzzArrays(f *testing.F) {
	seed(f, "mdstat/*")
	f.Fuzz(func(t *testing.T, text string) {
		for _, a := range parseArrays(text) {
			if a.Wanted < 0 || a.Active < 0 || !utf8.ValidString(a.Name+a.Level) {
				t.Errorf("array = %+v, want counts and names that can be shown", a)
			}
		}
	})
}

func FuzzPressure(f *testing.F) {
	seed(f, "*/proc/pressure/*")
	f.Fuzz(func(t *testing.T, text string) {
		totals, err := parsePressure(text)
		if err == nil && (totals["some"] == nil || *totals["some"] < 0) {
			t.Errorf("totals = %v, want some", totals)
		}
	})
}

func FuzzNetstat(f *testing.F) {
	seed(f, "*/proc/net/netstat", "*/proc/net/snmp")
	f.Fuzz(func(t *testing.T, text string) {
		for name, value := range parseNetstat(text, "Tcp") {
			if value == nil {
				t.Errorf("%s is nil, want it left out", name)
			}
		}
	})
}

func FuzzLinks(f *testing.F) {
	seed(f, "*/proc/net/dev")
	f.Fuzz(func(t *testing.T, text string) {
		links, err := parseLinks(text)
		if err != nil && links != nil {
			t.Errorf("links = %v with error %v, want none", links, err)
		}
	})
}

func FuzzMounts(f *testing.F) {
	seed(f, "*/proc/1/mountinfo")
	f.Fuzz(func(t *testing.T, text string) {
		paths, devices := map[string]bool{}, map[string]bool{}
		for _, m := range withData(parseMounts(text)) {
			if paths[m.path] || devices[m.device] {
				t.Errorf("mount %+v is there twice", m)
			}
			paths[m.path], devices[m.device] = true, true
		}
	})
}
