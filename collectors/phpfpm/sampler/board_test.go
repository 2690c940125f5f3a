package sampler

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The boards in testdata were read out of FPM 8.2.32 and 8.4.24 of Debian by TestBoardsAreRecorded, with pools of
// three workers that had served the test's page and were idle.
func TestScoreboardsOfEachReleaseAreCalibrated(t *testing.T) {
	for release, want := range map[string]boardLayout{
		"8.2": {name: 16, idle: 64, active: 68, children: 104, header: 128, stride: 1168},
		"8.4": {name: 28, idle: 72, active: 76, children: 112, header: 144, stride: 1168},
	} {
		raw := recordedBoard(t, release)
		pids := pidsOf(raw, want)
		for _, known := range [][]int{pids, pids[:1], pids[1:], append([]int{1}, pids...)} {
			got, err := calibrate(raw, "www", known)
			if diff := cmp.Diff(want, got, parts); err != nil || diff != "" {
				t.Errorf("%s with workers %v: %v (-want +got):\n%s", release, known, err, diff)
			}
		}
		if _, err := calibrate(raw, "www", []int{1, 2, 3}); err == nil {
			t.Errorf("%s: the board of other workers fits", release)
		}
		if _, err := calibrate(raw, "ww", pids); err == nil {
			t.Errorf("%s: the board of another pool fits", release)
		}
	}
}

func TestEntriesOfTheScoreboardSayWhatAWorkerDoes(t *testing.T) {
	for _, release := range []string{"8.2", "8.4"} {
		raw := recordedBoard(t, release)
		l := boardLayout{name: 16, idle: 64, active: 68, children: 104, header: 128, stride: 1168}
		if release == "8.4" {
			l = boardLayout{name: 28, idle: 72, active: 76, children: 112, header: 144, stride: 1168}
		}
		b := &board{pool: "www", layout: l, raw: raw, from: image{0: raw}}
		if err := b.read(); err != nil || b.children() != 3 {
			t.Fatalf("%s: read = %v, %d workers, want 3", release, err, b.children())
		}
		var requests uint64
		for i := range b.children() {
			s, used := b.slot(i)
			if !used || s.busy || s.pid == 0 || s.requests > 0 && (s.accepted <= 0 || s.duration <= 0 || s.changed < s.accepted+s.duration) {
				t.Errorf("%s: worker %d = %+v, %v", release, i, s, used)
			}
			if method, script := b.script(i); s.requests > 0 && (method != "GET" || script != "/index.php") {
				t.Errorf("%s: worker %d had %s %s", release, i, method, script)
			}
			requests += s.requests
		}
		if requests != 5 {
			t.Errorf("%s: %d requests, want 5", release, requests)
		}
	}
}

func recordedBoard(t *testing.T, release string) []byte {
	t.Helper()
	raw, err := os.ReadFile("testdata/board-" + release + ".bin")
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func pidsOf(raw []byte, l boardLayout) []int {
	var pids []int
	for i := range l.nprocs(raw) {
		pids = append(pids, int(native32(raw[l.header+i*l.stride+slotPID:])))
	}
	return pids
}

func FuzzScoreboardsMayHoldAnything(f *testing.F) {
	for _, release := range []string{"8.2", "8.4"} {
		raw, err := os.ReadFile("testdata/board-" + release + ".bin")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, 1)
	}
	f.Fuzz(func(t *testing.T, raw []byte, pid int) {
		l, err := calibrate(raw, "www", []int{pid, pid + 1, pid + 2})
		if err != nil {
			return
		}
		b := &board{pool: "www", layout: l, raw: raw[:l.header+l.stride*l.nprocs(raw)], from: image{0: raw}}
		for i := range b.children() {
			s, _ := b.slot(i)
			b.script(i)
			b.informed(i)
			if s.accepted < 0 || s.duration < 0 {
				t.Errorf("slot = %+v", s)
			}
		}
	})
}
