package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"plimsoll/advisor/report"
	"plimsoll/agent"
	"plimsoll/agent/config"
	"plimsoll/collectors"
	"plimsoll/fixtures/servers"
)

// secret is in every literal of the hostile site, and in no name.
const secret = "S3CRET"

// The names of the hostile site: whoever may create a table may choose them.
const (
	evilSchema = "e`vil\"'<script>alert(1)</script>"
	evilTable  = "t`a\"b'l\\e\n\r\t\x1b[31m<img src=x onerror=alert(1)>"
	evilColumn = "c`\"'\u202e\u2066;--|*_[x](javascript:alert(1))"
	evilIndex  = "i`\"'\x01\x7f\u2028{{.}}${x}%s"
)

func quoted(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// hostileSite makes the tables, each name of which a report must show and no
// reader of it may take for anything else.
func hostileSite(t *testing.T, s *servers.Server) *sql.Conn {
	t.Helper()
	db, err := sql.Open("mysql", s.DSN("root")+"?charset=utf8mb4")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(); _ = db.Close() })
	table := quoted(evilSchema) + "." + quoted(evilTable)
	for _, statement := range []string{
		"CREATE DATABASE " + quoted(evilSchema),
		"CREATE TABLE " + table + " (id INT AUTO_INCREMENT PRIMARY KEY, " + quoted(evilColumn) + " VARCHAR(64) NOT NULL, n INT NOT NULL DEFAULT 0, " +
			"KEY " + quoted(evilIndex) + " (n), KEY " + quoted(evilIndex+"2") + " (n, id)) COMMENT '" + secret + "-comment'",
		"INSERT INTO " + table + " (" + quoted(evilColumn) + ") VALUES ('" + secret + "-row')",
	} {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%q: %v", statement, err)
		}
	}
	for range 14 { // to 16,384 rows, so that an index is worth it
		if _, err := conn.ExecContext(t.Context(), "INSERT INTO "+table+" ("+quoted(evilColumn)+", n) SELECT CONCAT('"+secret+"-', id), id FROM "+table); err != nil {
			t.Fatal(err)
		}
	}
	// A busy server may not count the rows of itself for a minute.
	if _, err := conn.ExecContext(t.Context(), "ANALYZE TABLE "+table); err != nil {
		t.Fatal(err)
	}
	return conn
}

// visit runs what hostile clients run: without a default schema, with literals of
// every kind, broken UTF-8, and texts that end in the middle.
func visit(ctx context.Context, conn *sql.Conn, i int) {
	table, column := quoted(evilSchema)+"."+quoted(evilTable), quoted(evilColumn)
	for _, statement := range []string{
		fmt.Sprintf("SELECT n FROM %s WHERE %s = '%s-%d'", table, column, secret, i),
		fmt.Sprintf("SELECT n FROM %s WHERE %s = \"%s\\\"-%d\" /* %s */ -- %s", table, column, secret, i, secret, secret),
		fmt.Sprintf("SELECT n FROM %s WHERE %s = '%s\xff\xfe\xc3(\x00' AND 1 = 1 # %s\xff", table, column, secret, secret),
		fmt.Sprintf("SELECT /* %s \xff\xfe */ '%s', x'%x', N'%s', 0x%x, '%s''%s', 1e5", secret, secret, secret, secret, secret, secret, secret),
		fmt.Sprintf("SELECT 1 AS `%s`", "a\u202e\n<script>"),
		fmt.Sprintf("SELECT '%s", secret), // an error: it never ends
		fmt.Sprintf("SELECT n FROM nowhere.`%s` WHERE a = '%s'", strings.Repeat("<b>", 20), secret),
		fmt.Sprintf("UPDATE %s SET n = n + 1 WHERE id = 1 AND %s <> '%s'", table, column, secret),
		"SELECT '" + secret + "', '" + strings.Repeat("x", 3000) + secret + "'",
	} {
		// Many are errors, as they are meant to be.
		_ = collectors.Each(ctx, conn, statement, func(*sql.Rows) error { return nil })
	}
}

func TestAHostileSiteIsShownAndNotExecuted(t *testing.T) {
	products := servers.Products()
	if os.Getenv("PLIMSOLL_FULL") != "1" {
		products = []servers.Product{servers.MariaDB1011, servers.MySQL97}
	}
	for _, p := range products {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			showHostileSite(t, p)
		})
	}
}

func showHostileSite(t *testing.T, p servers.Product) {
	db := servers.Start(t, p)
	conn := hostileSite(t, db)
	state, data := t.TempDir(), t.TempDir()
	target, a := startAgent(t, config.Config{
		Cluster: "sh\"op<script>", Host: "d`b'1\u202e", State: state, Labels: map[string]string{"role": "a\n\"b\x1b"},
		MySQL: []config.MySQL{{Name: "s\"erver\x01<b>", Socket: db.Socket, User: "root"}},
	})
	s := startStage(t, data, target)
	i := 0
	r := s.until(t, "the hostile table is found fault with, and its statements have texts", func(r *report.Report) bool {
		for range 20 {
			visit(t.Context(), conn, i)
			i++
		}
		about := slices.ContainsFunc(r.Findings, func(e report.Entry) bool {
			return e.Rule == "mysql/redundant-index" && e.Subject.Schema == evilSchema
		})
		return about && strings.Contains(s.get(t, "/metrics"), "onerror")
	})
	t.Logf("findings %v", foundRules(r))

	shown := map[string]string{
		"agent's metrics": fromAgent(t, a, "/metrics"),
		"metrics":         s.get(t, "/metrics"), "health": s.get(t, "/healthz"),
		"text": s.get(t, "/report.txt"), "markdown": s.get(t, "/report.md"), "html": s.get(t, "/"), "json": s.get(t, "/report.json"),
		"series": s.get(t, "/api/v1/series?match[]={__name__=~\".%2B\"}"), "texts": s.get(t, "/api/v1/query?query=plimsoll_digest_info"),
	}
	for _, section := range []string{"gaps", "host", "settings", "topology", "mysql", "digests", "schema", "index_use", "events", "positions"} {
		shown["section "+section] = fromAgent(t, a, "/v1/snapshot/"+section)
	}
	for _, e := range r.Findings {
		shown["explain "+string(e.Rule)] = string(report.Explain(e))
	}
	for what, text := range shown {
		checkShown(t, what, text)
		if !strings.HasPrefix(what, "section ") && what != "json" {
			checkPrintable(t, what, text)
		}
	}
	checkHTML(t, shown["html"])
	for _, what := range []string{"metrics", "agent's metrics"} {
		parser := expfmt.NewTextParser(model.LegacyValidation)
		if _, err := parser.TextToMetricFamilies(strings.NewReader(shown[what])); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, what := range []string{"json", "series", "texts", "section digests", "section schema"} {
		var v any
		if err := json.Unmarshal([]byte(shown[what]), &v); err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if what == "series" || what == "texts" {
			checkStrings(t, what, v)
		}
	}
	s.close()
	for _, dir := range []string{data, state} {
		checkFiles(t, dir)
	}
}

// fromAgent asks the agent itself.
func fromAgent(t *testing.T, a *agent.Agent, path string) string {
	t.Helper()
	w := httptest.NewRecorder()
	a.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	if w.Code != http.StatusOK {
		t.Fatalf("GET %s = %d %.300s", path, w.Code, w.Body)
	}
	return w.Body.String()
}

// checkShown holds what is true of everything that leaves a host: it is text, and
// no literal is in it.
func checkShown(t *testing.T, what, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("%s is not valid UTF-8", what)
	}
	if i := strings.Index(text, secret); i >= 0 {
		t.Errorf("%s holds a literal: %q", what, text[max(0, i-100):min(len(text), i+100)])
	}
	if hex := fmt.Sprintf("%x", secret); strings.Contains(strings.ToLower(text), hex) {
		t.Errorf("%s holds a literal in hexadecimal", what)
	}
}

// checkPrintable looks for what a terminal obeys, and for what turns the direction
// of text: what people read must not seem to be what it is not. Only a JSON
// document has names as they are, with what JSON does not escape.
func checkPrintable(t *testing.T, what, text string) {
	t.Helper()
	if i := strings.IndexFunc(text, func(r rune) bool {
		return r != '\n' && unicode.In(r, unicode.Cc, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
	}); i >= 0 {
		t.Errorf("%s cannot be shown as it is: %q", what, text[max(0, i-60):min(len(text), i+20)])
	}
}

// checkStrings looks into every string of decoded JSON.
func checkStrings(t *testing.T, what string, v any) {
	t.Helper()
	switch v := v.(type) {
	case string:
		checkShown(t, what, strings.ReplaceAll(v, "\n", "\x00")) // no label is of two lines
		checkPrintable(t, what, v)
	case []any:
		for _, e := range v {
			checkStrings(t, what, e)
		}
	case map[string]any:
		for k, e := range v {
			checkStrings(t, what, k)
			checkStrings(t, what, e)
		}
	}
}

// checkHTML reads the page as XML, which it is, and looks for what a name could
// have become.
func checkHTML(t *testing.T, page string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.Entity = true, xml.HTMLEntity
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("html: %v", err)
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if name := strings.ToLower(e.Name.Local); name == "script" || name == "img" || name == "iframe" {
			t.Errorf("html has an element %s: %v", name, e.Attr)
		}
		for _, a := range e.Attr {
			name := strings.ToLower(a.Name.Local)
			link := slices.Contains([]string{"href", "src", "action", "style"}, name)
			if strings.HasPrefix(name, "on") || link && strings.Contains(a.Value, "script") {
				t.Errorf("html: <%s %s=%q>", e.Name.Local, a.Name.Local, a.Value)
			}
		}
	}
}

// checkFiles looks for literals in every file of a folder, packed or not.
func checkFiles(t *testing.T, dir string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		if unpacked, err := gzip.NewReader(bytes.NewReader(raw)); err == nil {
			if raw, err = io.ReadAll(unpacked); err != nil {
				return err
			}
		}
		if i := bytes.Index(raw, []byte(secret)); i >= 0 {
			t.Errorf("%s holds a literal: %q", path, raw[max(0, i-100):min(len(raw), i+100)])
		}
		return nil
	})
	if err != nil || files == 0 {
		t.Errorf("%s: %d files, %v", dir, files, err)
	}
}
