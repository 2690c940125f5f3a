package phpfpm

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors/snapshot"
)

// files writes files below a folder of their own and returns it.
func files(t *testing.T, texts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range texts {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestPoolsAreReadFromAllFilesOfAMaster(t *testing.T) {
	root := files(t, map[string]string{
		"etc/php/php-fpm.conf": "; comment\n[global]\npid = /run/php-fpm.pid\ninclude=/etc/php/pool.d/*.conf\n",
		"etc/php/pool.d/www.conf": "[www]\nuser = www-data\nlisten = /run/php/php8.2-fpm.sock\npm = dynamic\npm.max_children = 5 ; few\n" +
			"pm.status_path = \"/status\"\npm.status_listen = 127.0.0.1:9001\nrequest_slowlog_timeout = 5s\nlisten.backlog = -1\n",
		"etc/php/pool.d/admin.conf": "[admin]\nlisten = /run/php/$pool.sock\npm=ondemand\npm.max_children=2\npm.max_requests = 500\n" +
			"listen.backlog = 64\nrequest_terminate_timeout = 2m\n# old comment\nphp_admin_value[memory_limit] = 64M\n",
	})
	got, err := ReadConfig(root, "/etc/php/php-fpm.conf")
	if err != nil {
		t.Fatal(err)
	}
	want := []PoolConfig{
		{Name: "admin", Listen: "/run/php/admin.sock", FPMConfig: snapshot.FPMConfig{
			Manager: "ondemand", MaxChildren: 2, MaxRequests: 500, Backlog: new(64), TerminateSeconds: 120,
		}},
		{Name: "www", Listen: "/run/php/php8.2-fpm.sock", FPMConfig: snapshot.FPMConfig{
			Manager: "dynamic", MaxChildren: 5, StatusPath: "/status", StatusListen: "127.0.0.1:9001", SlowlogSeconds: 5,
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pools (-want +got):\n%s", diff)
	}
}

func TestADamagedConfigurationNamesItsLineAndKeepsTheRest(t *testing.T) {
	for text, want := range map[string]string{
		"[www]\nlisten = 9000\npm.max_children = many\n":         `line 3: pm.max_children = "many": it is no number`,
		"[www]\nlisten = 9000\nrequest_slowlog_timeout = 5 s\n":  `line 3: request_slowlog_timeout = "5 s": it is no duration such as 10s or 2m`,
		"[www]\nlisten = 9000\nnonsense\n":                       "line 3: it has no =",
		"[www\n[www]\nlisten = 9000\n":                           "line 1: the name of the section does not end",
		"[www]\nlisten = 9000\ninclude = [\n":                    "include [: syntax error in pattern",
		"[www]\nlisten = 9000\ninclude = /no/such/file.conf\n":   "",
		"[www]\nlisten = 9000\r\nlisten.backlog = '511'\r\n":     "",
		"[www]\nlisten = 9000\n[global]\nlisten = /run/x.sock\n": "",
	} {
		root := files(t, map[string]string{"fpm.conf": text})
		got, err := ReadConfig(root, "/fpm.conf")
		if len(got) != 1 || got[0].Listen != "9000" {
			t.Errorf("%q: pools = %+v, want www at 9000", text, got)
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: error = %v, want %q", text, err, want)
		}
	}
}

func TestFilesThatIncludeThemselvesEnd(t *testing.T) {
	root := files(t, map[string]string{"fpm.conf": "[www]\nlisten = 9000\ninclude = /fpm.conf\n"})
	if _, err := ReadConfig(root, "/fpm.conf"); err == nil || !strings.Contains(err.Error(), "more than 200 files") {
		t.Errorf("error = %v, want the limit of files", err)
	}
}

func TestAPipeIsNoConfiguration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadConfig("", path); err == nil || !strings.Contains(err.Error(), "it is no file") {
		t.Errorf("error = %v, want that it is no file", err)
	}
}

func FuzzConfigurationsAreReadToTheirEnd(f *testing.F) {
	f.Add("[global]\n[www]\nlisten = 9000\npm.max_children = 5\ninclude = *.conf\n")
	f.Add("[a]\nlisten = $pool\nrequest_terminate_timeout = 1d\n\x00=\n[")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "include") {
			t.Skip("other files are no text of ours")
		}
		path := filepath.Join(t.TempDir(), "fpm.conf")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		pools, _ := ReadConfig("", path)
		for _, p := range pools {
			if p.Name == "" || p.Manager == "" {
				t.Errorf("pool %+v has no name or no manager", p)
			}
		}
	})
}
