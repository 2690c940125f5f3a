package sampler

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors/phpfpm"
)

var parts = cmp.AllowUnexported(sched{}, call{}, ends{}, slot{}, boardLayout{}, wait{}, request{}, frame{}, rollup{}, mapped{}, mapping{})

func TestSchedstatIsThreeNumbers(t *testing.T) {
	for text, want := range map[string]sched{
		"23104567 991 17\n":                    {23104567, 991, 17},
		"0 0 0":                                {},
		"18446744073709551615 1 2":             {18446744073709551615, 1, 2},
		"1844674407370955161518 446744 0 9 9 ": {4, 446744, 0}, // Nonsense is read as something.
	} {
		if got, ok := parseSched([]byte(text)); !ok || got.slices != want.slices || got.queue != want.queue {
			t.Errorf("parseSched(%q) = %+v, %v, want %+v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "x", "1", "1 2", "1 2 "} {
		if got, ok := parseSched([]byte(text)); ok {
			t.Errorf("parseSched(%q) = %+v, want none", text, got)
		}
	}
}

func TestSystemCallsAreReadAsTheKernelWritesThem(t *testing.T) {
	for text, want := range map[string]call{
		"running\n":              {running: true},
		"-1 0x7ffd9c2a 0x7f3b\n": {faulting: true},
		"7 0x7ffe 0x1 0x3e8 0x0 0x0 0x0 0x7ffd 0x7f3b\n": {number: 7, args: [6]uint64{0x7ffe, 1, 1000}},
	} {
		got, ok := parseCall([]byte(text))
		if diff := cmp.Diff(want, got, parts); !ok || diff != "" {
			t.Errorf("parseCall(%q): %v (-want +got):\n%s", text, ok, diff)
		}
	}
	for _, text := range []string{"", "7\n", "7 0x1 0x2", "7 1 2 3 4 5 6", "x"} {
		if got, ok := parseCall([]byte(text)); ok {
			t.Errorf("parseCall(%q) = %+v, want none", text, got)
		}
	}
}

func FuzzFilesOfProcessesAreReadWhateverTheyHold(f *testing.F) {
	f.Add([]byte("1 2 3\n"))
	f.Add([]byte("7 0x7ffe 0x1 0x3e8 0x0 0x0 0x0 0x7ffd 0x7f3b\n"))
	f.Add([]byte("Pss:  12 kB\nPrivate_Dirty: 3 kB\n"))
	f.Add([]byte("36 35 98:0 / /mnt rw master:1 - nfs4 server:/export rw\n"))
	f.Add([]byte("7f00-7f10 rw-s 00000000 00:01 5 /dev/zero (deleted)\n"))
	f.Add([]byte("  0: 0100007F:0CEA 0100007F:D431 01 0:0 0:0 0 33 0 4711 1\n"))
	f.Fuzz(func(_ *testing.T, text []byte) {
		parseSched(text)
		parseCall(text)
		_, _ = parseRollup(text)
		parseMountInfo(text).remote("/mnt/a/b")
		sharedMaps(text)
		mappedFiles(text)
		phpfpm.TableAddress(string(text))
	})
}
