package sqltext_test

import (
	"bufio"
	"context"
	"database/sql"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"plimsoll/collectors/sqltext"
	"plimsoll/fixtures/servers"
)

var update = flag.Bool("update", false, "write testdata/digests.txt anew from real servers")

// recordings is the file of what real servers made of the statements.
const recordings = "testdata/digests.txt"

// recording is a statement and its digest text by product. A product that refused the statement is
// missing.
type recording struct {
	live    string
	digests map[servers.Product]string
}

// TestServersGiveOneFingerprint runs every statement on every server and compares the digest texts
// with the recordings, which the other tests use. It also runs one statement prepared.
func TestServersGiveOneFingerprint(t *testing.T) {
	all := liveStatements()
	got := make([]recording, len(all))
	for i, live := range all {
		got[i] = recording{live: live, digests: map[servers.Product]string{}}
	}
	var versions []string
	for _, p := range servers.Products() {
		d := startDigester(t, p)
		versions = append(versions, string(p)+" "+d.version(t))
		for i := range got {
			if text := d.digest(t, got[i].live); text != "" {
				got[i].digests[p] = text
			}
		}
		d.checkPrepared(t)
	}
	if *update {
		write(t, versions, got)
	}
	compare(t, got)
}

// checkPrepared runs a statement over the binary protocol and checks that its digests have the
// fingerprint of its text. MySQL counts three, MariaDB none.
func (d *digester) checkPrepared(t *testing.T) {
	t.Helper()
	const live = "SELECT a FROM t WHERE a IN (?, ?) AND b = ?"
	texts := d.digests(t, func(ctx context.Context, c *sql.Conn) {
		st, err := c.PrepareContext(ctx, live)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = st.Close() }()
		rows, err := st.QueryContext(ctx, 1, 2, 3)
		if err != nil {
			t.Fatal(err)
		}
		drain(t, rows)
	})
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
			if r.live != recorded[i].live || !ok || sqltext.Fingerprint(old) != sqltext.Fingerprint(text) {
				t.Errorf("%s: %s\n got %s\nwant %s", p, r.live, text, old)
			}
		}
	}
}

func liveStatements() []string {
	all := append([]string(nil), statements...)
	for _, two := range longStatements {
		all = append(all, two[0])
	}
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
	reader, err := s.DB().Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	worker, err := sql.Open("mysql", s.DSN("root")+"shop?timeout=5s&readTimeout=20s")
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

// digest returns the text that the server keeps of a statement; empty if it cannot parse it.
func (d *digester) digest(t *testing.T, live string) string {
	t.Helper()
	texts := d.digests(t, func(ctx context.Context, c *sql.Conn) {
		if rows, err := c.QueryContext(ctx, live); err == nil {
			drain(t, rows)
		}
	})
	if len(texts) > 1 {
		t.Fatalf("%s made %d digests of %s: %q", d.server.Product, len(texts), live, texts)
	}
	if len(texts) == 0 {
		return ""
	}
	return texts[0]
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

// digests returns the digest texts of what run does in a session of its own.
func (d *digester) digests(t *testing.T, run func(context.Context, *sql.Conn)) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c, err := d.worker.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	const table = "performance_schema.events_statements_summary_by_digest"
	if _, err := d.reader.ExecContext(ctx, "TRUNCATE TABLE "+table); err != nil {
		t.Fatal(err)
	}
	run(ctx, c)
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
		fmt.Fprintf(&b, "\nlive: %q\n", r.live)
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
		if key == "live" {
			all = append(all, recording{live: text, digests: map[servers.Product]string{}})
		} else {
			all[len(all)-1].digests[servers.Product(key)] = text
		}
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
