package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sys/unix"

	"plimsoll/advisor/digest"
	"plimsoll/collectors/slowlog"
)

// recording is a log of a real server.
const recording = "../../collectors/slowlog/testdata/mysql-9.7-plain.log"

func readAll(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// save writes a file, and returns its path.
func save(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// digestJSON runs plimsoll digest --format json, and returns what it says and what it complains of.
func digestJSON(t *testing.T, args ...string) (d digest.Digest, code int, complaints string) {
	t.Helper()
	var out, stderr bytes.Buffer
	code = run(context.Background(), append([]string{"digest", "--format", "json"}, args...), &out, &stderr)
	if out.Len() > 0 {
		if err := json.Unmarshal(out.Bytes(), &d); err != nil {
			t.Fatal(err)
		}
	}
	return d, code, stderr.String()
}

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zstandard(t *testing.T, text string) string {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(w.EncodeAll([]byte(text), nil))
}

func TestBadInputIsNamedAndTheGoodPartDigested(t *testing.T) {
	good := readAll(t, recording)
	calls := func() uint64 { d, _, _ := digestJSON(t, recording); return d.Calls }()
	packed := gzipped(t, strings.Repeat(good, 200))
	dense := zstandard(t, strings.Repeat(good, 200))
	for name, c := range map[string]struct {
		text, want string
		calls      uint64
		code       int // without --strict
	}{
		"binary":          {"\x7fELF\x02\x01\x01\x00\x00\x00", "line 1: not a slow query log: these bytes are no text", 0, exitUsage},
		"empty":           {"", "bad.log: it is empty", 0, exitUsage},
		"PostgreSQL":      {"2026-03-04 10:00:00 UTC [7] LOG:  duration: 1 ms\n", "line 1: not a slow query log: this is a log of PostgreSQL", 0, exitUsage},
		"invalid UTF-8":   {strings.Replace(good, "SELECT", "SELECT \xff\xfe,", 1), "", calls, exitFine},
		"binary at end":   {good + "\n" + strings.Repeat("\x00", 100), "bad.log, line ", calls, exitFine},
		"half an entry":   {good + "# User@Host: a[a] @ b []\n# Query_time: 1", "the log ends within this entry", calls, exitFine},
		"truncated gzip":  {packed[:len(packed)-9], "the compressed file was cut off: unexpected EOF; what stands before it was read", 0, exitFine},
		"half a gzip":     {packed[:len(packed)/2], ": the log ends within this entry", 0, exitFine},
		"broken gzip":     {"\x1f\x8b\x08garbage that is no stream", "bad.log", 0, exitUsage},
		"tiny gzip":       {packed[:5], "bad.log: the compressed file was cut off: unexpected EOF\n", 0, exitUsage},
		"damaged gzip":    {packed[:len(packed)-8] + "\x01\x02\x03\x04\x05\x06\x07\x08", "the compressed file is damaged: gzip: invalid checksum; what stands before it was read", 0, exitFine},
		"truncated zstd":  {dense[:len(dense)-5], "the compressed file was cut off: unexpected EOF; what stands before it was read", 0, exitFine},
		"half a zstd":     {dense[:len(dense)-5], ": the log ends within this entry", 0, exitFine},
		"tiny zstd":       {dense[:10], "the compressed file was cut off: unexpected EOF\n", 0, exitUsage},
		"xz":              {"\xfd7zXZ\x00\x00\x04\xe6\xd6", "not a slow query log: this is xz: decompress it first", 0, exitUsage},
		"bzip2":           {"BZh91AY&SY", "not a slow query log: this is bzip2: decompress it first", 0, exitUsage},
		"JSON":            {"{\n  \"schema\": 1,\n", "not a slow query log: this is JSON", 0, exitUsage},
		"no zeros":        {strings.Repeat("\x02\xf1z\x1c9", 200), "these bytes are no text", 0, exitUsage},
		"csvlog":          {`2026-11-20 13:00:00.123 UTC,"u","db",7,"[local]",5f,1,"SELECT",2026-11-20 12:00:00 UTC,3/4,0,LOG,00000,"duration: 1 ms"` + "\n", "this is a log of PostgreSQL", 0, exitUsage},
		"jsonlog":         {`{"timestamp":"2026-11-20 13:00:00.123 UTC","pid":7,"error_severity":"LOG","message":"duration: 1 ms"}` + "\n", "this is a log of PostgreSQL", 0, exitUsage},
		"half PostgreSQL": {"\tFROM orders\n\tWHERE id = 1\n2026-03-04 10:00:00 UTC [7] LOG:  duration: 1 ms\n", "this is a log of PostgreSQL", 0, exitUsage},
	} {
		t.Run(name, func(t *testing.T) {
			path := save(t, "bad.log", c.text)
			d, code, complaints := digestJSON(t, path)
			if code != c.code || !strings.Contains(complaints, c.want) {
				t.Errorf("exit code %d, want %d; complaints %q, want %q", code, c.code, complaints, c.want)
			}
			if c.calls != 0 && d.Calls != c.calls || c.code == exitFine && d.Calls == 0 {
				t.Errorf("%d calls, want %d", d.Calls, c.calls)
			}
			strict := map[bool]int{true: exitStrict, false: code}[code == exitFine && c.want != ""]
			if _, code, _ := digestJSON(t, "--strict", path); code != strict {
				t.Errorf("exit code with --strict is %d, want %d", code, strict)
			}
		})
	}
}

func TestAFileThatCannotBeReadSpoilsNoOther(t *testing.T) {
	alone, _, _ := digestJSON(t, recording)
	for path, want := range map[string]string{
		t.TempDir():                    "is a directory: name the logs in it",
		"nowhere.log":                  "nowhere.log: no such file or directory",
		"/proc/self/mem":               "plimsoll: read /proc/self/mem: input/output error\n",
		save(t, "empty.log", ""):       "empty.log: it is empty",
		save(t, "notes.txt", "x\ny"):   "notes.txt, line 1: not a slow query log",
		save(t, "esc\x1b[31m", "x\ny"): "esc�[31m, line 1: not a slow query log",
	} {
		d, code, complaints := digestJSON(t, path, recording)
		if code != exitFine || d.Calls != alone.Calls || !strings.Contains(complaints, want) {
			t.Errorf("%s: exit code %d, %d calls, complaints %q; want 0, %d, %q", path, code, d.Calls, complaints, alone.Calls, want)
		}
		if _, code, _ := digestJSON(t, "--strict", path, recording); code != exitStrict {
			t.Errorf("%s: exit code with --strict is %d, want %d", path, code, exitStrict)
		}
		if _, code, complaints := digestJSON(t, path); code != exitUsage || !strings.HasSuffix(complaints, "plimsoll: nothing could be read\n") {
			t.Errorf("%s alone: exit code %d, want %d; complaints %q", path, code, exitUsage, complaints)
		}
	}
}

// TestALineOfAGigabyteIsSkipped feeds it through a pipe, so that no disk has to hold it.
func TestALineOfAGigabyteIsSkipped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "slow.log")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() { written <- writeGigabyte(path, readAll(t, recording)) }()
	alone, _, _ := digestJSON(t, recording)
	d, code, complaints := digestJSON(t, path)
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	if code != exitFine || d.Calls != alone.Calls || d.SkippedTotal != 1 {
		t.Errorf("exit code %d, %d calls, %d skipped; want 0, %d, 1", code, d.Calls, d.SkippedTotal, alone.Calls)
	}
	if !strings.Contains(complaints, "slow.log, line 1: skipped 1073741983 bytes: ") {
		t.Errorf("complaints %q name no line", complaints)
	}
}

// TestALogBeforeCanComeThroughAPipe compares with what a shell's <(…) gives, which can be read once only.
func TestALogBeforeCanComeThroughAPipe(t *testing.T) {
	pipe, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	path, text := fmt.Sprintf("/dev/fd/%d", pipe.Fd()), strings.Repeat(readAll(t, "../../collectors/slowlog/testdata/mariadb-11.8-full.log"), 50)
	written := make(chan error, 1)
	go func() {
		_, err := writer.WriteString(text)
		written <- errors.Join(err, writer.Close())
	}()
	var out, stderr bytes.Buffer
	code := run(t.Context(), []string{"digest", "--format", "json", "--compare", path, save(t, "after.log", text)}, &out, &stderr)
	if err := <-written; err != nil {
		t.Error(err)
	}
	var c digest.Comparison
	if err := json.Unmarshal(out.Bytes(), &c); err != nil {
		t.Fatalf("exit code %d, %q: %v", code, &stderr, err)
	}
	if c.Before.Calls != c.After.Calls || stderr.Len() > 0 {
		t.Errorf("%d calls before and %d after of one log; complaints %q", c.Before.Calls, c.After.Calls, &stderr)
	}
}

// writeGigabyte writes a line of a gigabyte before a log.
func writeGigabyte(path, log string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	chunk := bytes.Repeat([]byte("a"), 1<<20)
	for range 1 << 10 {
		if _, err := f.Write(chunk); err != nil {
			return err
		}
	}
	_, err = f.WriteString("\n" + log)
	return err
}

func TestStoppingADigestIsAnError(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	stop()
	var out, stderr bytes.Buffer
	code := run(ctx, []string{"digest", recording}, &out, &stderr)
	if code == exitFine || out.Len() > 0 || !strings.Contains(stderr.String(), "stopped") {
		t.Errorf("exit code %d, output %q, complaints %q", code, &out, &stderr)
	}
}

func TestTimesAreReadAsUTCOrAgo(t *testing.T) {
	now := time.Date(2026, 11, 20, 14, 30, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"2026-11-20":                "2026-11-20T00:00:00Z",
		"2026-11-20 14:30":          "2026-11-20T14:30:00Z",
		"2026-11-20 14:30:05":       "2026-11-20T14:30:05Z",
		"2026-11-20T14:30:05":       "2026-11-20T14:30:05Z",
		"2026-11-20T14:30:05+01:00": "2026-11-20T13:30:05Z",
		"90m":                       "2026-11-20T13:00:00Z",
	} {
		got, err := parseWhen(text, now)
		if err != nil {
			t.Error(err)
		}
		if got := time.UnixMicro(got).UTC().Format(time.RFC3339); got != want {
			t.Errorf("%s is read as %s, want %s", text, got, want)
		}
	}
	for _, text := range []string{"yesterday", "20.11.2026", "-3h", "2026-13-01"} {
		if _, err := parseWhen(text, now); err == nil {
			t.Errorf("%s is read as a time", text)
		}
	}
}

func TestFiltersOfOneKeyAreAlternativesAndOfSeveralConditions(t *testing.T) {
	f, err := newCallFilter([]string{"user=app", "user=cron", "database=shop", "min-time=100ms"}, "2026-01-01", "2026-02-01", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	keep := f.entries()
	at := time.Date(2026, 1, 15, 0, 0, 0, 0, time.UTC).UnixMicro()
	for name, c := range map[string]struct {
		entry slowlog.Entry
		want  bool
	}{
		"one user":       {slowlog.Entry{Micros: at, Duration: 100_000, User: []byte("app"), Database: []byte("shop")}, true},
		"the other":      {slowlog.Entry{Micros: at, Duration: 100_000, User: []byte("cron"), Database: []byte("shop")}, true},
		"neither":        {slowlog.Entry{Micros: at, Duration: 100_000, User: []byte("root"), Database: []byte("shop")}, false},
		"no user":        {slowlog.Entry{Micros: at, Duration: 100_000, Database: []byte("shop")}, false},
		"other database": {slowlog.Entry{Micros: at, Duration: 100_000, User: []byte("app"), Database: []byte("blog")}, false},
		"too fast":       {slowlog.Entry{Micros: at, Duration: 99_999, User: []byte("app"), Database: []byte("shop")}, false},
		"too early":      {slowlog.Entry{Micros: 1, Duration: 100_000, User: []byte("app"), Database: []byte("shop")}, false},
		"too late":       {slowlog.Entry{Micros: at * 2, Duration: 100_000, User: []byte("app"), Database: []byte("shop")}, false},
		"without a time": {slowlog.Entry{Duration: 100_000, User: []byte("app"), Database: []byte("shop")}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := keep(&c.entry); got != c.want {
				t.Errorf("kept: %v, want %v", got, c.want)
			}
		})
	}
}

func TestTheBarShowsBytesAndWhatIsLeft(t *testing.T) {
	var out strings.Builder
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	p := &byteProgress{bar: bar{&out}, total: 400 << 20, began: began}
	p.show(began.Add(500*time.Millisecond), 50<<20)
	p.show(began.Add(2*time.Second), 100<<20)
	p.total = 0
	p.show(began.Add(3*time.Second), 200<<20)
	p.end()
	want := "\rreading  ###...........................  50 MiB of 400 MiB \x1b[K" +
		"\rreading  #######.......................  100 MiB of 400 MiB, 6s left \x1b[K" +
		"\rreading  200 MiB \x1b[K" + "\r\x1b[K"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestOnlyATerminalSeesTheBar(t *testing.T) {
	var stderr bytes.Buffer
	p := newByteProgress(&stderr, []string{recording})
	p.show(time.Now(), 1)
	p.end()
	if stderr.Len() > 0 {
		t.Errorf("it wrote %q", &stderr)
	}
}
