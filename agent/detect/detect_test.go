package detect

import (
	"bytes"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/agent/config"
	"plimsoll/collectors/snapshot"
	"plimsoll/fixtures/servers"
)

const recorded = "testdata/proc"

// listing returns a search that sees only these listening sockets.
func listing(t *testing.T, user string, sockets ...string) search {
	t.Helper()
	proc := t.TempDir()
	text := "Num       RefCount Protocol Flags    Type St Inode Path\n"
	for i, socket := range sockets {
		text += fmt.Sprintf("%016x: 00000002 00000000 00010000 0001 01 %d %s\n", i, i+1, socket)
	}
	if err := os.Mkdir(filepath.Join(proc, "net"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(proc, "net", "unix"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return search{proc: proc, user: user}
}

func TestLocalServersAreFoundAndLoggedInto(t *testing.T) {
	for _, p := range servers.Products() {
		t.Run(string(p), func(t *testing.T) {
			s := servers.Start(t, p)
			_, port, err := net.SplitHostPort(s.Addr)
			if err != nil {
				t.Fatal(err)
			}
			got := listing(t, "root", s.Socket).servers(t.Context(), nil)
			want := Found{Servers: []config.MySQL{{Name: "localhost:" + port, Socket: s.Socket, User: "root"}}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("found (-want +got):\n%s", diff)
			}
			if got := listing(t, "root", s.Socket).servers(t.Context(), []string{s.Socket}); len(got.Servers)+len(got.Gaps) != 0 {
				t.Errorf("found %+v although it is known", got)
			}

			got = listing(t, "nobody_here", s.Socket).servers(t.Context(), nil)
			if len(got.Servers) != 0 || len(got.Gaps) != 1 ||
				!strings.HasPrefix(got.Gaps[0].Reason, "the server refuses user nobody_here without a password: error 1") {
				t.Errorf("found as a user without an account: %+v, want a gap", got)
			}
		})
	}
}

func TestASocketUnderTwoNamesIsOneServer(t *testing.T) {
	socket := listen(t, "mysqld.sock")
	alias := filepath.Join(t.TempDir(), "run")
	if err := os.Symlink(filepath.Dir(socket), alias); err != nil {
		t.Fatal(err)
	}
	s := listing(t, "root", socket, filepath.Join(alias, "mysqld.sock"))
	s.wellKnown = []string{filepath.Join(alias, "mysqld.sock")}
	if got := s.sockets(nil); len(got) != 1 {
		t.Errorf("sockets = %v, want one", got)
	}
}

// listen returns the path of a socket that accepts and never answers.
func listen(t *testing.T, name string) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "unix", filepath.Join(t.TempDir(), name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

func TestAServerThatHangsIsAGap(t *testing.T) {
	socket := listen(t, "mysqld.sock")
	got := listing(t, "root", socket).servers(t.Context(), nil)
	want := Found{Gaps: []snapshot.Gap{{Job: Job, Subject: socket, Reason: "the server did not answer within 3s"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
}

func TestASocketThatWasLeftBehindIsNoServer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mysqld.sock")
	l, err := new(net.ListenConfig).Listen(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := listing(t, "root", path).servers(t.Context(), nil); len(got.Servers)+len(got.Gaps) != 0 {
		t.Errorf("found %+v, want nothing", got)
	}
}

func TestSocketsThatAnyUserCanMakeAreNotTrusted(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to make a socket that belongs to another user")
	}
	const nobody = 65534
	theirs := listen(t, "mysqld.sock")
	if err := os.Chown(theirs, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	if trusted(theirs) {
		t.Errorf("%s of another user below %s is trusted", theirs, os.TempDir())
	}
	got := listing(t, "root", theirs).servers(t.Context(), nil)
	if len(got.Gaps) != 1 || !strings.Contains(got.Gaps[0].Reason, "every user of this host can make a socket there") {
		t.Errorf("found %+v, want a gap", got)
	}

	dir, err := os.MkdirTemp("/run", "detect") //nolint:usetesting // It is about a folder of root's.
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	l, err := new(net.ListenConfig).Listen(t.Context(), "unix", filepath.Join(dir, "mysqld.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := os.Chown(l.Addr().String(), nobody, nobody); err != nil {
		t.Fatal(err)
	}
	if !trusted(l.Addr().String()) {
		t.Errorf("%s is not trusted, although only root can write in /run", l.Addr())
	}
	if trusted(filepath.Join(dir, "none.sock")) {
		t.Error("a socket that is not there is trusted")
	}
}

func TestListeningSocketsAreReadFromProc(t *testing.T) {
	got := search{proc: recorded}.listening()
	want := []string{"/run/mysqld/mysqld.sock", "/srv/shop data/mariadb-2.sock"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sockets (-want +got):\n%s", diff)
	}
}

func TestServersAmongProcessesAreReadFromProc(t *testing.T) {
	got := search{proc: recorded}.processes()
	want := []process{{}, {socket: "/srv/b/db.sock", port: "13219"}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(process{})); diff != "" {
		t.Errorf("processes (-want +got):\n%s", diff)
	}
}

func TestPortsOfServersWithoutASocketAreGaps(t *testing.T) {
	got := search{proc: recorded}.servers(t.Context(), nil)
	gap := func(port string) snapshot.Gap {
		return snapshot.Gap{
			Job: Job, Subject: "localhost:" + port,
			Reason: "port " + port + " seems to be a database server's, but no socket of it was found",
			Remedy: "name it under mysql: with dsn_file (docs/configuration.md)",
		}
	}
	if diff := cmp.Diff(Found{Gaps: []snapshot.Gap{gap("3306"), gap("13219")}}, got); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
	// On a host without such a process the port is a proxy's or a tunnel's.
	if got := (search{proc: recorded}).unreachable(nil, nil); got != nil {
		t.Errorf("gaps without a process = %v, want none", got)
	}
}

func TestAHostWithoutProcHasNothing(t *testing.T) {
	if got := (search{proc: t.TempDir()}).servers(t.Context(), nil); len(got.Servers)+len(got.Gaps) != 0 {
		t.Errorf("found %+v, want nothing", got)
	}
}

func TestServersAreNamedAfterWhereTheyListen(t *testing.T) {
	for _, c := range []struct{ port, bind, skip, want string }{
		{"3306", "127.0.0.1", "OFF", "localhost:3306"},
		{"3306", "*", "OFF", "localhost:3306"},
		{"3307", "0.0.0.0", "OFF", "localhost:3307"},
		{"3306", "::", "OFF", "localhost:3306"},
		{"3306", "10.0.0.5", "OFF", "10.0.0.5:3306"},
		{"3306", "fd00::5", "OFF", "[fd00::5]:3306"},
		{"3306", "10.0.0.5,127.0.0.1", "OFF", "localhost:3306"},
		{"3306", "10.0.0.5", "ON", ""},
		{"0", "*", "OFF", ""},
	} {
		got := listens(map[string]string{"port": c.port, "bind_address": c.bind, "skip_networking": c.skip})
		if got != c.want {
			t.Errorf("listens(%+v) = %q, want %q", c, got, c.want)
		}
	}
}

func TestRefusalsSayWhatToDo(t *testing.T) {
	gap, tell := explain("/run/mysqld/mysqld.sock", "plimsoll", fmt.Errorf("dial: %w", fs.ErrPermission))
	if !tell || gap.Reason != "user plimsoll may not open this socket" || gap.Remedy == "" {
		t.Errorf("explain(no permission) = %+v, %t", gap, tell)
	}
	for _, err := range []error{nil, syscall.ECONNREFUSED, fs.ErrNotExist} {
		if gap, tell := explain("/run/mysqld/mysqld.sock", "plimsoll", err); tell {
			t.Errorf("explain(%v) = %+v, want no gap", err, gap)
		}
	}
}

func TestThisProcessCanSearch(t *testing.T) {
	if _, err := user.Current(); err != nil {
		t.Skip(err)
	}
	// Whatever runs here is known, so that nothing is logged into.
	all := search{proc: "/proc", wellKnown: wellKnown()}
	if _, err := Servers(t.Context(), all.sockets(all.processes())...); err != nil {
		t.Error(err)
	}
}

func FuzzProc(f *testing.F) {
	for _, name := range []string{"net/unix", "net/tcp", "net/tcp6", "4712/cmdline"} {
		text, err := os.ReadFile(filepath.Join(recorded, name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, path := range parseUnix(bytes.NewReader(text)) {
			if !isServerSocket(path) {
				t.Errorf("parseUnix gave %q", path)
			}
		}
		if p, ok := parseCmdline(text); ok && p.socket != "" && !filepath.IsAbs(p.socket) {
			t.Errorf("parseCmdline gave %+v", p)
		}
		parseTCP(text)
	})
}
