package main

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"plimsoll/advisor/report"
	"plimsoll/agent"
	"plimsoll/agent/config"
	"plimsoll/collectors/snapshot"
	"plimsoll/fixtures/servers"
)

// TestWhatVisitorsSentIsInNoOutput marks all that is a visitor's: cookies, headers, bodies, query strings, tokens in
// paths, literals and comments of statements. It looks for the marks in whatever the probe, the agent and the advisor
// say, log or keep.
func TestWhatVisitorsSentIsInNoOutput(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to read other processes")
	}
	db := servers.Start(t, servers.MariaDB1011, servers.OpenSocket())
	fpm := servers.StartPHP(t, servers.PHP82, servers.Pool{StatusListen: true})
	fpm.Script(t, "index.php", `<?php
		$db = new PDO('mysql:unix_socket=`+db.Socket+`;dbname=shop', 'web', '');
		$body = file_get_contents('php://input');
		$db->query("SELECT SLEEP(0.05) AS slept, note FROM letters WHERE note = '$body' /* marked-comment */")->fetchAll();`)
	db.Exec(t, "CREATE DATABASE shop", "CREATE TABLE shop.letters (id INT PRIMARY KEY, note VARCHAR(40))",
		"INSERT INTO shop.letters VALUES (1, 'marked-body')", "CREATE USER web", "GRANT ALL ON shop.* TO web")
	nginx := servers.StartNginx(t, servers.FrontController(fpm.Root, fpm.Listen("www"))...)
	probe, probeLog := startProbe(t)
	comeAndGo(t, nginx.URL)

	target, a := startAgent(t, config.Config{Cluster: "shop", Host: "web1", Probe: probe, MySQL: []config.MySQL{{Name: "db1", Socket: db.Socket, User: "root"}}})
	data := t.TempDir()
	s := startStage(t, data, target)
	s.until(t, "a statement is shown with its request", func(r *report.Report) bool {
		text := strings.Join(pages(t, s), "")
		return strings.Contains(text, "/account/reset/{id}") && strings.Contains(text, "letters")
	})
	outputs := map[string]string{"the agent": said(t, a), "the advisor": strings.Join(pages(t, s), "")}
	s.close()
	outputs["the probe's log"] = probeLog()
	maps.Copy(outputs, kept(t, data))
	for name, text := range outputs {
		for _, mark := range []string{"marked-", "5ec2e7", "marked@"} {
			if at := strings.Index(text, mark); at >= 0 {
				t.Errorf("%s says %q: …%s…", name, mark, text[max(0, at-100):min(len(text), at+100)])
			}
		}
	}
}

// comeAndGo lets visitors come until the test ends.
func comeAndGo(t *testing.T, url string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var visiting sync.WaitGroup
	for range 3 {
		visiting.Go(func() {
			for ctx.Err() == nil {
				r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/account/reset/5ec2e7deadbeef0123456789abcdef42?mail=marked@example.com&q=marked-query",
					strings.NewReader("marked-body"))
				if err != nil {
					t.Error(err)
					return
				}
				r.Header.Set("Cookie", "PHPSESSID=marked-cookie")
				r.Header.Set("Authorization", "Bearer marked-header")
				r.SetBasicAuth("marked-user", "marked-password")
				if answer, err := http.DefaultClient.Do(r); err == nil {
					_, _ = io.Copy(io.Discard, answer.Body)
					_ = answer.Body.Close()
				}
			}
		})
	}
	t.Cleanup(func() { cancel(); visiting.Wait() })
}

// startProbe builds and starts the probe. It returns its socket, and what ends it and returns all it logged.
func startProbe(t *testing.T) (socket string, log func() string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "pl-") //nolint:usetesting // short, because the path of a socket must be
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "plimsoll-probe")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "plimsoll/cmd/plimsoll-probe").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	socket = filepath.Join(dir, "probe.sock")
	var said bytes.Buffer
	p := exec.CommandContext(t.Context(), program, "-socket", socket)
	p.Stdout, p.Stderr = &said, &said
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	end := sync.OnceFunc(func() { _ = p.Process.Signal(os.Interrupt); _ = p.Wait() })
	t.Cleanup(func() { end(); os.RemoveAll(dir) })
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(socket); err == nil {
			return socket, func() string { end(); return said.String() }
		}
		if time.Now().After(deadline) {
			t.Fatal("the probe does not listen")
		}
	}
}

// pages are all that the advisor shows.
func pages(t *testing.T, s *stage) (all []string) {
	t.Helper()
	for _, path := range []string{"/report.json", "/report.html", "/report.md", "/report.txt", "/metrics", "/healthz"} {
		all = append(all, s.get(t, path))
	}
	return all
}

// said is all that an agent answers.
func said(t *testing.T, a *agent.Agent) string {
	t.Helper()
	var all strings.Builder
	paths := []string{"/metrics", "/v1/snapshot", "/healthz"}
	for _, section := range snapshot.Sections() {
		paths = append(paths, "/v1/snapshot/"+string(section))
	}
	for _, path := range paths {
		w := httptest.NewRecorder()
		a.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost"+path, nil))
		if w.Code != http.StatusOK {
			t.Errorf("GET %s = %d %s", path, w.Code, w.Body)
		}
		all.WriteString(w.Body.String())
	}
	return all.String()
}

// kept are the files that an advisor leaves.
func kept(t *testing.T, data string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		files[path] = string(text)
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	return files
}
