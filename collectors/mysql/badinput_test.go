package mysql

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"plimsoll/advisor/verify/scratch"
	"plimsoll/collectors"
	"plimsoll/collectors/snapshot"
	"plimsoll/collectors/sqltext"
	"plimsoll/fixtures/servers"
)

// rowsOf are the rows of a statement, by schema.
func rowsOf(d *snapshot.Digests, fingerprint string) map[string]snapshot.Digest {
	rows := map[string]snapshot.Digest{}
	for _, row := range d.Rows {
		if row.Fingerprint == fingerprint {
			rows[row.Schema] = row
		}
	}
	return rows
}

// connect opens one connection as root, with more options of the driver.
func connect(t *testing.T, s *servers.Server, options string) *sql.Conn {
	t.Helper()
	db, err := sql.Open("mysql", s.DSN("root")+options)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(); _ = db.Close() })
	return conn
}

// execOn runs statements; the first error ends the test.
func execOn(t *testing.T, conn *sql.Conn, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%q: %v", statement, err)
		}
	}
}

func TestDigestsOfOneStatementAreOneRowASchema(t *testing.T) {
	onEach(t, func(t *testing.T, s *servers.Server) {
		newGenerator(t, s)
		s.Exec(t, "CREATE DATABASE IF NOT EXISTS tenant", "CREATE TABLE IF NOT EXISTS tenant.items LIKE shop.items")
		polls := newPoller(t, open(t, s, 1))
		conn := connect(t, s, "")
		// The servers tell the two ways of writing it apart.
		one, other := "SELECT b AS limit_here FROM shop.items LIMIT 1 OFFSET 2", "SELECT b AS limit_here FROM shop.items LIMIT 2, 1"
		execOn(t, conn, one, other, other, "USE shop", one, "USE tenant", other, one, "DO 0")
		rows := rowsOf(polls.poll(t), sqltext.Fingerprint(one))
		for schema, want := range map[string]uint64{"": 3, "shop": 1, "tenant": 2} {
			if got := rows[schema]; got.Calls != want {
				t.Errorf("calls in schema %q = %d, want %d", schema, got.Calls, want)
			}
		}
		if got := len(rows[""].Aliases); got != 2 {
			t.Errorf("%d of the server's digests, want 2", got)
		}
	})
}

func TestPreparingIsNoCall(t *testing.T) {
	s := sharedServers.server(t, servers.MySQL97)
	newGenerator(t, s)
	polls := newPoller(t, open(t, s, 1))
	const query = "SELECT b AS prepared_twice FROM shop.items WHERE id = ?"
	runPrepared(t, s, query, 7)
	s.Exec(t, strings.ReplaceAll(query, "?", "1"))
	s.Exec(t, "DO 0")
	row := rowsOf(polls.poll(t), sqltext.Fingerprint(query))[""]
	if row.Calls != 8 || len(row.Aliases) < 3 {
		t.Errorf("%d calls of %d digests, want 8 of plain, PREPARE, EXECUTE and perhaps DEALLOCATE", row.Calls, len(row.Aliases))
	}
}

func TestAFullDigestTableLosesNoCall(t *testing.T) {
	for _, p := range servers.Products() {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			s := servers.Start(t, p, servers.Settings("performance_schema_digests_size=40"))
			g := newGenerator(t, s)
			polls := newPoller(t, open(t, s, 1))
			for n := range 60 {
				g.run(t, n, 2)
			}
			d := polls.poll(t)
			var told uint64
			for _, calls := range g.counted(d) {
				told += calls
			}
			// The overflow has other statements too, such as ours.
			if d.Overflow.Calls == 0 || told == 0 || told+d.Overflow.Calls < 120 {
				t.Errorf("%d calls by statement and %d in the overflow, want 120 together", told, d.Overflow.Calls)
			}
			if d.Used > d.Capacity+1 || d.Capacity != 40 {
				t.Errorf("%d of %d digests used", d.Used, d.Capacity)
			}
			if len(d.Gaps) != 1 {
				t.Fatalf("gaps = %v, want one", d.Gaps)
			}
			wantRemedy(t, d.Gaps[0], "performance_schema_digests_size")
			for _, text := range d.Texts {
				if text.Text == "" {
					t.Errorf("a text is empty: %+v", text)
				}
			}
		})
	}
}

func TestStatementsThatTheServerMergedAreMarked(t *testing.T) {
	for _, p := range servers.Products() {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			s := servers.Start(t, p, servers.Settings("max_digest_length=128", "performance_schema_max_digest_length=128"))
			newGenerator(t, s)
			polls := newPoller(t, open(t, s, 1))
			// Wherever the cut falls, inside of a clause or after a whole one.
			const lengths = 8
			for n := range lengths {
				long := "SELECT b AS " + strings.Repeat("x", 1+n) + " FROM shop.items WHERE id = 1" + strings.Repeat(" AND id = 1", 20)
				s.Exec(t, long+" AND b = 1", long+" OR b = 1")
			}
			s.Exec(t, "SELECT b AS short_here FROM shop.items", "DO 0")
			d := polls.poll(t)
			cut := 0
			for _, row := range d.Rows {
				if !strings.HasPrefix(row.Fingerprint, "fp1t:") {
					continue
				}
				cut++
				at := slices.IndexFunc(d.Texts, func(text snapshot.DigestText) bool { return text.Fingerprint == row.Fingerprint })
				if row.Calls != 2 || at < 0 || !d.Texts[at].Truncated {
					t.Errorf("a digest of two statements has %d calls, text %d of %+v; want it marked", row.Calls, at, d.Texts)
				}
			}
			if cut != lengths {
				t.Errorf("%d truncated digests, want %d: %+v", cut, lengths, d.Texts)
			}
			if row := rowsOf(d, sqltext.Fingerprint("SELECT b AS short_here FROM shop.items"))[""]; row.Calls != 1 {
				t.Errorf("a short statement has %d calls, want 1", row.Calls)
			}
		})
	}
}

func TestOwnStatementsAreNotReported(t *testing.T) {
	onEach(t, func(t *testing.T, s *servers.Server) {
		server := open(t, s, 2)
		jobs := server.Jobs()
		polls := newPoller(t, server)
		for range 2 {
			s.Exec(t, SelectNetworking)
			for _, job := range jobs {
				run(t, job)
			}
			polls.poll(t)
		}
		for _, row := range polls.last.Rows {
			at := slices.IndexFunc(polls.last.Texts, func(text snapshot.DigestText) bool { return text.Fingerprint == row.Fingerprint })
			t.Errorf("a statement of ours is reported: %s", polls.last.Texts[at].Text)
		}
	})
}

func TestHostileTextsLeaveNeitherLiteralsNorControlCharacters(t *testing.T) {
	onEach(t, func(t *testing.T, s *servers.Server) {
		const secret = "s3cr3t"
		const schema, quoted = "hos'ti`le", "`hos'ti``le`"
		s.Exec(t, "DROP DATABASE IF EXISTS "+quoted, "CREATE DATABASE "+quoted)
		defer s.Exec(t, "DROP DATABASE "+quoted)
		server := open(t, s, 2)
		polls := newPoller(t, server)
		conn, binary := connect(t, s, ""), connect(t, s, "?charset=latin1")
		execOn(t, conn, "USE "+quoted)
		for _, statement := range []string{
			"SELECT '" + secret + "' AS `a\x01\u202e\u2028b`",
			"CREATE TABLE `t\n\t\x7f` (id INT PRIMARY KEY, `c\x1b[31m` INT COMMENT '" + secret + "')",
			"SELECT `c\x1b[31m` FROM `t\n\t\x7f` WHERE id = '" + secret + "'",
			"SELECT '" + secret + "\xff\xfe', 0x" + "733363723374 AS hexadecimal",
			"SELECT 1 /* " + secret + " */ -- " + secret + "\n",
			"SELECT `\u202e", // unterminated
			"SELECT '" + secret,
			"INSERT INTO missing VALUES ('" + secret + "', N'" + secret + "', _utf8mb4 '" + secret + "')",
		} {
			_, _ = conn.ExecContext(t.Context(), statement)
		}
		_, _ = binary.ExecContext(t.Context(), "SELECT '\xff\xfe"+secret+"' AS `\xe4\xff`")
		execOn(t, conn, "DO 0")
		execOn(t, binary, "DO 0")

		parts := snapshot.Server{Digests: polls.poll(t), Schema: collect(t, server, "mysql/schema").Schema, Use: collect(t, server, "mysql/use").Use}
		raw, err := json.Marshal(parts)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(raw), secret) || strings.Contains(string(raw), "733363723374") {
			t.Error("a literal left the host")
		}
		for _, text := range parts.Digests.Texts {
			if !utf8.ValidString(string(text.Text)) || strings.ContainsFunc(string(text.Text), func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf) }) {
				t.Errorf("text %q has control characters", text.Text)
			}
		}
		if len(tablesOf(parts.Schema, schema)) != 1 {
			t.Errorf("the table with the hostile name is not in the schema")
		}
	})
}

func TestSessionsAreLimited(t *testing.T) {
	onEach(t, func(t *testing.T, s *servers.Server) {
		t.Parallel()
		q, err := open(t, s, 2).session(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = q.Close() }()
		want := map[string]string{
			"time_zone": "+00:00", "lock_wait_timeout": "1", "innodb_lock_wait_timeout": "1", "sql_mode": "",
			"max_execution_time": "2000", "long_query_time": "10",
		}
		if s.Family == scratch.MariaDB {
			for _, name := range []string{"max_execution_time", "long_query_time"} {
				delete(want, name)
			}
			want["max_statement_time"], want["slow_query_log"] = "2", "0"
		}
		for name, value := range want {
			var got string
			if err := q.one(t.Context(), "SELECT @@SESSION."+name, []any{&got}); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got != value {
				t.Errorf("%s = %q, want %q", name, got, value)
			}
		}
		s.Exec(t, "CREATE DATABASE IF NOT EXISTS shop", "CREATE TABLE IF NOT EXISTS shop.items (id INT PRIMARY KEY, b INT)")
		account := quoteAccount(q.account)
		s.Exec(t, "GRANT INSERT ON shop.items TO "+account)
		if err := q.exec(t.Context(), "INSERT INTO shop.items VALUES (77, 0)"); err == nil || !strings.Contains(err.Error(), "1792") {
			t.Errorf("a write = %v, want a refusal because the transaction is read-only", err)
		}
		var slept string
		start := time.Now()
		err = q.one(t.Context(), "SELECT SLEEP(9)", []any{&slept})
		if took := time.Since(start); took > 4*time.Second {
			t.Errorf("a statement ran for %s, want the server to stop it after 2 s (%v)", took, err)
		}
	})
}

func TestAHangingServerCostsNoMoreThanTheDeadline(t *testing.T) {
	for _, p := range []servers.Product{servers.MariaDB1011, servers.MySQL97} {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			s := servers.Start(t, p)
			server := open(t, s, 2)
			identity := collect(t, server, "mysql/identity").Identity
			pause(t, s)
			jobs := server.Jobs()
			for range 3 {
				hang(t, server, jobs)
			}
			if err := s.Continue(); err != nil {
				t.Fatal(err)
			}
			again := answer(t, server)
			if again.Key != identity.Key || !again.Started.Equal(identity.Started) {
				t.Errorf("identity after the server went on = %+v, want %+v", again, identity)
			}
			var connections int
			if err := s.DB().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER LIKE 't2%'").Scan(&connections); err != nil {
				t.Fatal(err)
			}
			if connections > 2 {
				t.Errorf("%d connections on the server, want at most 2", connections)
			}
		})
	}
}

// pause stops the server, and returns when none of its threads runs on.
func pause(t *testing.T, s *servers.Server) {
	t.Helper()
	if err := s.Pause(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", s.Pid()))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(threads, running) {
			return
		}
	}
	t.Fatal("the server does not stop")
}

// running reports whether a thread is not stopped.
func running(stat string) bool {
	text, err := os.ReadFile(stat)
	_, state, _ := strings.Cut(string(text), ") ")
	return err == nil && !strings.HasPrefix(state, "T")
}

// hang runs all jobs at once against a server that does not answer.
func hang(t *testing.T, server *Server, jobs []collectors.Job) {
	t.Helper()
	const limit = 500 * time.Millisecond
	server.statusNow, server.settingsNow = nil, nil      // They would serve a while.
	silent := []string{"mysql/cost", "mysql/lag_totals"} // They ask nobody.
	if _, family := server.link.generation(); family == snapshot.MariaDB {
		silent = append(silent, "mysql/latency") // Nor does this, where there is no histogram.
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	start := time.Now()
	var rounds sync.WaitGroup
	for _, job := range jobs {
		if slices.Contains(silent, job.Name) {
			continue
		}
		rounds.Go(func() {
			var into snapshot.Snapshot
			err := job.Collector.Collect(ctx, &into)
			if err == nil {
				t.Errorf("%s succeeded on a server that hangs", job.Name)
			}
			if len(into.Servers) > 0 {
				t.Errorf("%s failed and filled %+v", job.Name, into.Servers)
			}
		})
	}
	rounds.Wait()
	if took := time.Since(start); took > limit+time.Second {
		t.Errorf("the jobs took %s, want their limit of %s", took, limit)
	}
	if open := server.db.Stats().OpenConnections; open > 1 {
		t.Errorf("%d connections are open, want 1 at most", open)
	}
}

// answer returns the identity as soon as the server may be tried again.
func answer(t *testing.T, server *Server) *snapshot.Identity {
	t.Helper()
	job := find(t, server, "mysql/identity")
	var err error
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		var into snapshot.Snapshot
		if err = job.Collector.Collect(t.Context(), &into); err == nil {
			return into.Server("db1").Identity
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("the server is not read again: %v", err)
	return nil
}

func TestARestartIsAnEvent(t *testing.T) {
	s := servers.Start(t, servers.MariaDB1011)
	job := find(t, open(t, s, 0), "mysql/identity")
	events := func() []snapshot.Event {
		t.Helper()
		var into snapshot.Snapshot
		if err := job.Collector.Collect(t.Context(), &into); err != nil {
			t.Fatal(err)
		}
		return into.Events
	}
	if got := events(); len(got) != 0 {
		t.Errorf("events at first sight = %v, want none", got)
	}
	time.Sleep(time.Second) // The server tells its start to the second.
	if err := s.Restart(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	got := events()
	if len(got) != 1 || got[0].Kind != snapshot.EventRestart || got[0].Server != "db1" || got[0].Summary != "the server was restarted" {
		t.Errorf("events after a restart = %+v, want one", got)
	}
	if got := events(); len(got) != 0 {
		t.Errorf("events afterwards = %v, want none", got)
	}
}

func TestDamagedStateOfDigestsIsRefused(t *testing.T) {
	s := sharedServers.server(t, servers.MariaDB1011)
	g := newGenerator(t, s)
	server := open(t, s, 1)
	polls := newPoller(t, server)
	g.run(t, 1, 3)
	polls.poll(t)
	good, err := polls.job.Collector.(collectors.Keeper).Save()
	if err != nil {
		t.Fatal(err)
	}
	for name, state := range map[string]string{
		"empty": "", "null": "null", "another version": `{"version": 99, "epoch": "x"}`,
		"cut": string(good[:len(good)/2]), "no epoch": `{"version": 1}`,
		"groups cut":                `{"version": 1, "epoch": "x", "groups": "BQ=="}`,
		"a group that is not there": `{"version": 1, "epoch": "x", "rows": "AGQ="}`,
		"rows cut":                  `{"version": 1, "epoch": "x", "rows": "AQ=="}`,
	} {
		keeper := find(t, server, "mysql/digests").Collector.(collectors.Keeper)
		if err := keeper.Load(json.RawMessage(state)); err == nil {
			t.Errorf("%s: the state was taken up", name)
		}
	}
	for name, state := range map[string]string{"text": "{}x", "none": `{"seen": null}`} {
		keeper := find(t, server, "mysql/use").Collector.(collectors.Keeper)
		if err := keeper.Load(json.RawMessage(state)); err == nil {
			t.Errorf("use, %s: the state was taken up", name)
		}
	}
}

func FuzzLoad(f *testing.F) {
	kept := &digestJob{ledger: newLedger(time.Unix(0, 0)), table: digestTable{rows: map[string]*digestRow{}}}
	row := &digestRow{digest: "d", known: true, first: 1, last: 2, sums: sums{1, 2, 3}, pending: sums{4}}
	kept.ledger.learn(row, statement(1), false)
	kept.ledger.roster.admit([]groupKey{row.group.groupKey})
	kept.table.rows["key"] = row
	kept.ledger.leaders.contests["fp1:001"] = &contest{verdict: verdict{log: true}, entries: [contestRounds]uint64{7}}
	seed, err := kept.Save()
	if err != nil {
		f.Fatal(err)
	}
	var packed struct{ Groups, Rows, Contests []byte }
	if err := json.Unmarshal(seed, &packed); err != nil {
		f.Fatal(err)
	}
	f.Add(packed.Groups, packed.Rows, packed.Contests)
	f.Fuzz(func(t *testing.T, groups, rows, contests []byte) {
		state, err := json.Marshal(map[string]any{"version": keptVersion, "epoch": "x", "groups": groups, "rows": rows, "contests": contests})
		if err != nil {
			t.Fatal(err)
		}
		job := &digestJob{ledger: newLedger(time.Unix(0, 0))}
		if job.Load(state) != nil {
			return
		}
		job.table.begin()
		job.mark()
		job.ledger.book(job.table.settle(&snapshot.Identity{}, 1), nil)
		if _, err := job.Save(); err != nil {
			t.Error(err)
		}
	})
}

func TestBackoffGrowsToHalfAMinute(t *testing.T) {
	now := time.Unix(0, 0)
	var b backoff
	var waits []string
	for range 7 {
		b.fail(now)
		waits = append(waits, fmt.Sprint(b.remaining(now)))
	}
	if got, want := strings.Join(waits, " "), "1s 2s 4s 8s 16s 30s 30s"; got != want {
		t.Errorf("waits = %s, want %s", got, want)
	}
}

func TestTheReasonOfAFailureStandsBetweenTwoTries(t *testing.T) {
	server, err := Open(Config{Name: "db1", Socket: filepath.Join(t.TempDir(), "none.sock"), User: "nobody"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Close() }()
	var texts []string
	for range 3 {
		_, err := server.session(t.Context())
		var lost *collectors.SourceError
		if !errors.As(err, &lost) || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("no server = %v, want that the socket does not exist, and the server is lost", err)
		}
		texts = append(texts, err.Error())
	}
	if texts = slices.Compact(texts); len(texts) != 1 || server.link.backoff.failures != 1 {
		t.Errorf("%d tries gave the reasons %q, want one of one", server.link.backoff.failures, texts)
	}
}

func TestWhoWaitsInVainForTheConnectionSaysSo(t *testing.T) {
	server := open(t, sharedServers.server(t, servers.MariaDB1011), 0)
	holder, err := server.session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = holder.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = server.session(ctx)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "which another job holds") {
		t.Errorf("session beside another = %v, want that it waited", err)
	}
}

func TestWrongPasswordSaysWhatToDo(t *testing.T) {
	onEach(t, func(t *testing.T, s *servers.Server) {
		dsn := createAccount(t, s, 0)
		server := openAs(t, strings.Replace(dsn, "@", "s3cret@", 1))
		_, err := server.session(t.Context())
		if err == nil || strings.Contains(err.Error(), "s3cret") || !strings.Contains(err.Error(), "packaging/grants.sql") {
			t.Errorf("wrong password = %v, want an error that says what to do", err)
		}
	})
}
