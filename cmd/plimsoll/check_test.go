package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"plimsoll/advisor/report"
	"plimsoll/advisor/verify/scratch"
	"plimsoll/fixtures/servers"
	"plimsoll/fixtures/shop"
	"plimsoll/rules"
)

// account makes the agent's account with the grants of docs/privileges.md and no
// more, and returns its DSN. A password stands in for the login by socket, which
// needs a system user.
func account(t *testing.T, s *servers.Server) string {
	t.Helper()
	global := "PROCESS, BINLOG MONITOR, SLAVE MONITOR ON *.*"
	if s.Family == scratch.MySQL {
		global = "PROCESS, REPLICATION CLIENT ON *.*"
	}
	return s.CreateUser(t, "plimsoll", global, "SELECT ON performance_schema.*", "REFERENCES ON *.*")
}

// checked runs a check; the shortest that a user may ask for is longer.
func checked(t *testing.T, l login, length time.Duration) *report.Report {
	t.Helper()
	r, err := check(t.Context(), &l, length, io.Discard)
	if err != nil {
		t.Fatalf("check: %v", err)
	}
	return r
}

// reasons are all that a report says of what could not be seen.
func reasons(r *report.Report) string {
	var out strings.Builder
	for _, g := range r.Gaps {
		fmt.Fprintln(&out, g.Job, g.Subject, g.Reason)
	}
	return out.String()
}

// serverOf returns what the report says of the server called name.
func serverOf(t *testing.T, r *report.Report, name string) report.Server {
	t.Helper()
	i := slices.IndexFunc(r.Servers, func(s report.Server) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("servers = %+v, want %s; gaps:\n%s", r.Servers, name, reasons(r))
	}
	return r.Servers[i]
}

func TestCheckSaysHowItLoggedIn(t *testing.T) {
	s := servers.Start(t, servers.MariaDB1011)
	dsn := account(t, s)
	home := t.TempDir()
	file := filepath.Join(t.TempDir(), "client.cnf")
	write(t, file, fmt.Sprintf("[mysqld]\nuser=mysql\n[client]\nuser = plimsoll # the agent's\npassword=\"plimsoll\"\nsocket=%s\n", s.Socket))
	host, port, _ := strings.Cut(s.Addr, ":")

	t.Run("by a DSN", func(t *testing.T) {
		r := checked(t, login{dsn: dsn}, time.Second)
		if r.Login != "--mysql" || serverOf(t, r, s.Socket).Version == "" {
			t.Errorf("login = %q of %+v, want --mysql", r.Login, r.Servers)
		}
	})
	t.Run("by an option file", func(t *testing.T) {
		r := checked(t, login{defaultsFile: file}, time.Second)
		if r.Login != "--defaults-file "+file || serverOf(t, r, s.Socket).Version == "" {
			t.Errorf("login = %q of %+v, want --defaults-file", r.Login, r.Servers)
		}
	})
	t.Run("by .my.cnf over TCP", func(t *testing.T) {
		t.Setenv("HOME", home)
		path := filepath.Join(home, ".my.cnf")
		write(t, path, fmt.Sprintf("[client]\nuser=plimsoll\npassword=plimsoll\nhost=%s\nport=%s\n", host, port))
		r := checked(t, login{}, time.Second)
		if r.Login != path || serverOf(t, r, s.Addr).Version == "" {
			t.Errorf("login = %q of %+v, want %s", r.Login, r.Servers, path)
		}
	})
	t.Run("by the socket", func(t *testing.T) {
		t.Setenv("HOME", home)
		write(t, filepath.Join(home, ".my.cnf"), "[mysql]\nprompt=shop> \n") // says nothing of a login
		r := checked(t, login{}, time.Second)
		if want := "the server's socket as " + currentUser(); r.Login != want {
			t.Errorf("login = %q, want %q", r.Login, want)
		}
		if os.Geteuid() == 0 { // the server's socket is ours, and so trusted
			serverOf(t, r, "localhost:"+port)
		}
	})
}

func TestCheckNamesEachGrantThatIsMissing(t *testing.T) {
	t.Parallel()
	s := servers.Start(t, servers.MariaDB1011)
	r := checked(t, login{dsn: s.CreateUser(t, "nobody_special")}, time.Second)
	for _, want := range []string{"performance_schema", "PROCESS", "REFERENCES"} {
		if !slices.ContainsFunc(r.Gaps, func(g report.Gap) bool { return strings.Contains(g.Remedy, want) }) {
			t.Errorf("no gap asks for %s:\n%s", want, reasons(r))
		}
	}
}

func TestCheckWithAWrongPasswordReportsTheHost(t *testing.T) {
	t.Parallel()
	s := servers.Start(t, servers.MariaDB1011)
	r := checked(t, login{dsn: "plimsoll:wr0ng-s3cret@unix(" + s.Socket + ")/"}, time.Second)
	if len(r.Hosts) != 1 || r.Hosts[0].Cores == nil {
		t.Errorf("hosts = %+v, want this one", r.Hosts)
	}
	if text := reasons(r); !strings.Contains(text, "Access denied") || strings.Contains(text, "wr0ng-s3cret") {
		t.Errorf("gaps:\n%s\nwant that access is denied, without the password", text)
	}
}

func TestCheckOfAServerThatHangsEnds(t *testing.T) {
	t.Parallel()
	s := servers.Start(t, servers.MariaDB1011)
	dsn := account(t, s)
	if err := s.Pause(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Continue() }) // so that it can be stopped
	began := time.Now()
	r := checked(t, login{dsn: dsn}, time.Second)
	if took := time.Since(began); took > checkWarmUp+20*time.Second {
		t.Errorf("the check took %s", took)
	}
	if text := reasons(r); !strings.Contains(text, "no answer in time") {
		t.Errorf("gaps:\n%s\nwant that the server did not answer", text)
	}
	if len(r.Hosts) != 1 || r.Hosts[0].Cores == nil {
		t.Errorf("hosts = %+v, want this one", r.Hosts)
	}
}

func TestCheckThatIsInterruptedSaysSo(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	var said strings.Builder
	if code := run(ctx, []string{"check", "--for", "1h", "--mysql", "nobody@unix(/nonexistent/sock)/"}, io.Discard, &said); code != exitUsage {
		t.Errorf("exit = %d, want %d", code, exitUsage)
	}
	if !strings.Contains(said.String(), "interrupted") {
		t.Errorf("it said %q, want that it was interrupted", said.String())
	}
}

// keepShop runs a shop with a missing index until the test ends.
func keepShop(t *testing.T, s *servers.Server) {
	t.Helper()
	sins := shop.Set{shop.MissingIndex}
	size := shop.Size{Products: 1000, Customers: 1000, Orders: 20_000}
	if err := shop.Load(t.Context(), s.DB(), size, sins); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var open sync.WaitGroup
	open.Go(func() {
		if _, err := (shop.Traffic{Size: size, Sins: sins, Primary: s.DSN("root")}).Run(ctx); err != nil {
			t.Errorf("traffic: %v", err)
		}
	})
	t.Cleanup(func() { cancel(); open.Wait() })
}

// TestCheckFindsTheMissingIndex takes a minute a product, as a check does.
func TestCheckFindsTheMissingIndex(t *testing.T) {
	t.Parallel()
	products := servers.Products()
	if os.Getenv("PLIMSOLL_FULL") != "1" {
		products = products[:1]
	}
	for _, p := range products {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			s := servers.Start(t, p)
			dsn := account(t, s)
			keepShop(t, s)
			r := checked(t, login{dsn: dsn}, checkFor)
			i := slices.IndexFunc(r.Findings, func(e report.Entry) bool { return e.Rule == "mysql/missing-index" })
			if i < 0 {
				t.Fatalf("findings = %v, want a missing index; not ready: %+v", foundRules(r), r.NotReady)
			}
			if e := r.Findings[i]; !strings.Contains(e.Subject.String(), "sales_order") || !strings.Contains(stepsOf(e), "customer_email") {
				t.Errorf("finding about %s: %s", e.Subject, stepsOf(e))
			}
			if got := r.Hosts[0].SeenRatio; got < 0.8 {
				t.Errorf("seen share of the window = %v, want most of it", got)
			}
		})
	}
}

func foundRules(r *report.Report) (out []rules.ID) {
	for _, e := range r.Findings {
		out = append(out, e.Rule)
	}
	return out
}

func stepsOf(e report.Entry) string {
	var out strings.Builder
	for _, step := range e.Remedy {
		fmt.Fprintln(&out, step.Text)
	}
	return out.String()
}
