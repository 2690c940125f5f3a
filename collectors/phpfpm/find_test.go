package phpfpm

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMastersAndPoolsAreFoundByTheirTitles(t *testing.T) {
	p := newProc(t)
	p.add(700, 1, "php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)", "700")
	p.add(702, 700, "php-fpm: pool www"+strings.Repeat(" ", 40), "702")
	p.add(701, 700, "php-fpm: pool www", "701")
	p.add(704, 700, "php-fpm: pool www_status", "704")
	p.add(703, 700, "/lib64/ld-linux-x86-64.so.2\x00--library-path\x00/lib\x00php-fpm: pool admin", "703")
	p.add(90, 1, "php-fpm: master process (/usr/local/etc/php-fpm.conf)", "90\t1")
	p.add(91, 90, "php-fpm: pool www", "91\t7")
	p.add(92, 1, "php-fpm: pool orphan", "92")
	p.add(93, 1, "vim php-fpm: pool www", "93")

	got, err := Find(p.dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []Master{
		{
			PID: 90, StartTicks: 9000, Config: "/usr/local/etc/php-fpm.conf", Contained: true,
			Pools: []Pool{{"www", []Worker{{91, 7, 9100}}}},
		},
		{
			PID: 700, StartTicks: 70000, Config: "/etc/php/8.2/fpm/php-fpm.conf",
			Pools: []Pool{{"admin", []Worker{{703, 703, 70300}}}, {"www", []Worker{{701, 701, 70100}, {702, 702, 70200}}}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("masters (-want +got):\n%s", diff)
	}
}

func TestMasterInAnotherNetworkIsContained(t *testing.T) {
	p := newProc(t)
	p.add(1, 0, "/sbin/init", "1")
	p.add(700, 1, "php-fpm: master process (/etc/php-fpm.conf)", "700")
	p.link(1, "ns/net", "net:[1]")
	p.link(700, "ns/net", "net:[2]")
	got, err := Find(p.dir)
	if err != nil || len(got) != 1 || !got[0].Contained {
		t.Errorf("Find = %+v, %v, want one master that is contained", got, err)
	}
}

func TestProgramNamesMayHoldParentheses(t *testing.T) {
	text := "7 (a) R 1 (b) S 42 " + strings.Repeat("0 ", 17) + "1234 0\n"
	got, ok := parseStat([]byte(text))
	if want := (Stat{Parent: 42, StartTicks: 1234}); !ok || got != want {
		t.Errorf("parseStat = %+v, %v, want %+v", got, ok, want)
	}
}

func FuzzProcessesAreReadWhateverTheyCallThemselves(f *testing.F) {
	f.Add([]byte("php-fpm: pool www\x00"), []byte("1 (x) S 1 0 0"), []byte("NSpid:\t1\t2\n"))
	f.Add([]byte("php-fpm: master process ("), []byte(")"), []byte("NSpid:"))
	f.Fuzz(func(t *testing.T, cmdline, stat, status []byte) {
		role, name := parseTitle(cmdline)
		if role == noRole && name != "" {
			t.Errorf("no role, and the name %q", name)
		}
		parseStat(stat)
		ownPID(status, 1)
	})
}

// proc is a /proc with the files that Find reads.
type proc struct {
	t   *testing.T
	dir string
}

func newProc(t *testing.T) proc { return proc{t, t.TempDir()} }

// add adds a process that started at 100 times its number.
func (p proc) add(pid, parent int, title, nspid string) {
	p.t.Helper()
	p.file(pid, "cmdline", title+"\x00")
	p.file(pid, "stat", fmt.Sprintf("%d (php-fpm8.2) S %d %s%d 0\n", pid, parent, strings.Repeat("0 ", 17), pid*100))
	p.file(pid, "status", "Name:\tphp-fpm8.2\nNSpid:\t"+nspid+"\n")
}

func (p proc) file(pid int, name, text string) {
	p.t.Helper()
	if err := os.WriteFile(p.path(pid, name), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p proc) link(pid int, name, target string) {
	p.t.Helper()
	if err := os.Symlink(target, p.path(pid, name)); err != nil {
		p.t.Fatal(err)
	}
}

// path returns the path of a file whose folder is made.
func (p proc) path(pid int, name string) string {
	p.t.Helper()
	path := filepath.Join(p.dir, strconv.Itoa(pid), name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		p.t.Fatal(err)
	}
	return path
}
