package sqltext_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"plimsoll/collectors/sqltext"
	"plimsoll/fixtures/golden"
	"plimsoll/fixtures/servers"
)

// recordings is the file of what real servers made of the statements.
const recordings = "testdata/digests.txt"

// recording is a statement and its digest text by product. A product that refused the statement is
// missing.
type recording struct {
	how     how
	live    string
	digests map[servers.Product]string
}

// how a statement is sent.
type how string

const (
	live     how = "live"     // as text
	ansi     how = "ansi"     // as text, in sql_mode ANSI_QUOTES
	raw      how = "raw"      // as text, in sql_mode NO_BACKSLASH_ESCAPES
	prepared how = "prepared" // prepared and executed over the protocol
	digest   how = "digest"   // not at all: it is a digest text
)

// mode is the sql_mode of a session that sends so.
func (h how) mode() string {
	switch h {
	case ansi:
		return "ANSI_QUOTES"
	case raw:
		return "NO_BACKSLASH_ESCAPES"
	default:
		return ""
	}
}

// options read a statement that was sent so.
func (h how) options() sqltext.Options {
	if h == digest {
		return digestText
	}
	return sqltext.Options{ANSIQuotes: h == ansi, NoBackslashEscapes: h == raw}
}

// TestServersGiveOneFingerprint runs every statement on every server and compares the digest texts
// with the recordings, which the other tests use. It also runs one statement prepared.
func TestServersGiveOneFingerprint(t *testing.T) {
	got := allStatements()
	var versions []string
	for _, p := range servers.Products() {
		d := startDigester(t, p)
		versions = append(versions, string(p)+" "+d.version(t))
		for i := range got {
			if text := d.digest(t, got[i].how, got[i].live); text != "" {
				got[i].digests[p] = text
			}
		}
		d.checkPrepared(t)
	}
	if golden.Update() {
		write(t, versions, got)
	}
	compare(t, got)
}

// checkPrepared runs a statement over the binary protocol and checks that its digests have the
// fingerprint of its text. MySQL counts three, MariaDB none.
func (d *digester) checkPrepared(t *testing.T) {
	t.Helper()
	const live = "SELECT a FROM t WHERE a IN (?, ?) AND b = ?"
	texts := d.digests(t, prepared, live)
	commands := map[string]bool{}
	for _, text := range texts {
		got := sqltext.Parse(text)
		if got.Fingerprint != sqltext.Fingerprint(live) {
			t.Errorf("%s: %s is %s, want the fingerprint of %s", d.server.Product, text, got.Text, live)
		}
		commands[got.Command] = true
	}
	if d.server.Product == servers.MySQL97 && (!commands["PREPARE"] || !commands["EXECUTE"]) {
		t.Errorf("MySQL: digests %q, want one that begins with PREPARE and one with EXECUTE", texts)
	}
}

// compare reports where servers and recordings differ in what matters, the fingerprint.
func compare(t *testing.T, got []recording) {
	t.Helper()
	recorded := read(t)
	if len(recorded) != len(got) {
		t.Fatalf("%s has %d statements, want %d: run with -update", recordings, len(recorded), len(got))
	}
	for i, r := range got {
		for p, text := range r.digests {
			old, ok := recorded[i].digests[p]
			if r.how != recorded[i].how || r.live != recorded[i].live || !ok || sqltext.Fingerprint(old) != sqltext.Fingerprint(text) {
				t.Errorf("%s: %s\n got %s\nwant %s", p, r.live, text, old)
			}
		}
	}
}

// allStatements returns a recording without digests of each statement.
func allStatements() []recording {
	var all []recording
	add := func(h how, texts ...string) {
		for _, text := range texts {
			all = append(all, recording{how: h, live: text, digests: map[servers.Product]string{}})
		}
	}
	add(live, statements...)
	for _, two := range longStatements {
		add(live, two[0])
	}
	add(ansi, ansiStatements...)
	add(raw, rawStatements...)
	add(prepared, preparedStatements...)
	return all
}

// digester runs statements on a server and reads their digest texts.
type digester struct {
	server *servers.Server
	reader *sql.Conn
	worker *sql.DB
}

func startDigester(t *testing.T, p servers.Product) *digester {
	t.Helper()
	s := servers.Start(t, p, servers.Settings("local_infile=ON"))
	s.Exec(t, schema...)
	dsn := s.CreateUser(t, "digester", "ALL ON *.*")
	// Agents of other tests find every server of the machine, and ask it as root.
	s.Exec(t, "TRUNCATE TABLE performance_schema.setup_actors",
		"INSERT INTO performance_schema.setup_actors VALUES ('%', 'digester', '%', 'YES', 'YES')")
	reader, err := s.DB().Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	worker, err := sql.Open("mysql", dsn+"shop?timeout=5s&readTimeout=20s")
	if err != nil {
		t.Fatal(err)
	}
	worker.SetMaxIdleConns(0) // a session each: some of them lock tables or change its settings
	t.Cleanup(func() { _ = reader.Close(); _ = worker.Close() })
	return &digester{server: s, reader: reader, worker: worker}
}

func (d *digester) version(t *testing.T) string {
	t.Helper()
	var v string
	if err := d.reader.QueryRowContext(t.Context(), "SELECT VERSION()").Scan(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// digest returns the text that the server keeps of a statement; empty if it cannot parse it. Of a
// prepared one it is the text of its execution.
func (d *digester) digest(t *testing.T, h how, statement string) string {
	t.Helper()
	texts := d.digests(t, h, statement)
	if h == prepared {
		texts = slices.DeleteFunc(texts, func(text string) bool { return !strings.HasPrefix(text, "EXECUTE ") })
	}
	if len(texts) > 1 {
		t.Fatalf("%s made %d digests of %s: %q", d.server.Product, len(texts), statement, texts)
	}
	if len(texts) == 0 {
		return ""
	}
	return texts[0]
}

// send sends a statement and reads its rows. It may fail and have a digest all the same.
func send(ctx context.Context, t *testing.T, c *sql.Conn, h how, statement string) {
	t.Helper()
	var args []any
	if h == prepared {
		for i := range strings.Count(statement, "?") {
			args = append(args, i+1) // arguments make the driver prepare
		}
	}
	if rows, err := c.QueryContext(ctx, statement, args...); err == nil {
		drain(t, rows)
	}
}

// drain reads rows to their end. A statement may fail on the way and have a digest all the same.
func drain(t *testing.T, rows *sql.Rows) {
	defer func() { _ = rows.Close() }()
	for rows.Next() {
	}
	if err := rows.Err(); err != nil {
		t.Log(err)
	}
}

// digests returns the digest texts of a statement that is sent in a session of its own.
func (d *digester) digests(t *testing.T, h how, statement string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c, err := d.worker.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if mode := h.mode(); mode != "" {
		for _, set := range []string{"SET sql_mode = '" + mode + "'", "DO 0"} {
			if _, err := c.ExecContext(ctx, set); err != nil {
				t.Fatal(err)
			}
		}
	}
	const table = "performance_schema.events_statements_summary_by_digest"
	if _, err := d.reader.ExecContext(ctx, "TRUNCATE TABLE "+table); err != nil {
		t.Fatal(err)
	}
	send(ctx, t, c, h, statement)
	// A server answers before it books a statement; once it answers the next one, it has.
	_, _ = c.ExecContext(ctx, "DO 0")
	rows, err := d.reader.QueryContext(ctx, "SELECT DIGEST_TEXT FROM "+table+" WHERE DIGEST_TEXT NOT LIKE 'TRUNCATE TABLE `performance_schema%' AND DIGEST_TEXT NOT LIKE 'DO ?%'")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var texts []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return texts
}

// write writes the recordings: blocks of lines "name: text", a blank line between.
func write(t *testing.T, versions []string, all []recording) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "# Made by go test ./collectors/sqltext -run TestServersGiveOneFingerprint -update\n")
	fmt.Fprintf(&b, "# from performance_schema.events_statements_summary_by_digest of\n# %s.\n", strings.Join(versions, ", "))
	fmt.Fprintf(&b, "# Texts are quoted as Go does. A product that cannot parse a statement is missing.\n")
	for _, r := range all {
		fmt.Fprintf(&b, "\n%s: %q\n", r.how, r.live)
		for _, p := range servers.Products() {
			if text, ok := r.digests[p]; ok {
				fmt.Fprintf(&b, "%s: %q\n", p, text)
			}
		}
	}
	if err := os.WriteFile(recordings, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// read reads the recordings.
func read(t *testing.T) []recording {
	t.Helper()
	f, err := os.Open(recordings)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var all []recording
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		key, quoted, ok := strings.Cut(s.Text(), ": ")
		if !ok || strings.HasPrefix(key, "#") {
			continue
		}
		text, err := strconv.Unquote(quoted)
		if err != nil {
			t.Fatalf("%s: %s: %v", recordings, s.Text(), err)
		}
		switch h := how(key); h {
		case live, ansi, raw, prepared:
			all = append(all, recording{how: h, live: text, digests: map[servers.Product]string{}})
		default:
			all[len(all)-1].digests[servers.Product(key)] = text
		}
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
