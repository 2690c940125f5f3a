package archive_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"plimsoll/collectors/slowlog"
	"plimsoll/collectors/slowlog/archive"
)

const recording = "../testdata/mariadb-11.8-full.log"

func compressed(t *testing.T, text []byte) map[string][]byte {
	t.Helper()
	var zip, z bytes.Buffer
	gw := gzip.NewWriter(&zip)
	zw, err := zstd.NewWriter(&z)
	for _, w := range []io.WriteCloser{gw, zw} {
		if _, err2 := w.Write(text); err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return map[string][]byte{"plain": text, "gzip": zip.Bytes(), "two gzips": append(zip.Bytes(), zip.Bytes()...), "zstd": z.Bytes()}
}

// digest reads a file, and returns how many entries it has.
func digest(t *testing.T, path string) (uint64, error) {
	t.Helper()
	f, err := archive.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}()
	a, err := slowlog.Digest(t.Context(), filepath.Base(path), f, slowlog.Options{})
	if err == nil && f.Consumed() != f.Size {
		t.Errorf("%d bytes of %d were read", f.Consumed(), f.Size)
	}
	return a.Entries, err
}

func write(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "slow.log")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCompressedLogsReadAsPlainOnes(t *testing.T) {
	text, err := os.ReadFile(recording)
	if err != nil {
		t.Fatal(err)
	}
	want, err := digest(t, recording)
	if err != nil || want == 0 {
		t.Fatal(want, err)
	}
	for name, data := range compressed(t, text) {
		got, err := digest(t, write(t, data))
		if name == "two gzips" {
			got /= 2
		}
		if err != nil || got != want {
			t.Errorf("%s: %d entries, error %v, want %d", name, got, err, want)
		}
	}
}

func TestTheGoodPartOfACutFileIsRead(t *testing.T) {
	var text bytes.Buffer
	for i := range 20_000 {
		fmt.Fprintf(&text, "# Time: 2026-01-01T00:00:00.000000Z\n# User@Host: a[a] @ b []  Id: %d\n# Query_time: 1  Lock_time: 0\nSELECT %x;\n", i, i*i*7919)
	}
	for name, data := range compressed(t, text.Bytes()) {
		if name == "plain" {
			continue
		}
		got, err := digest(t, write(t, data[:len(data)*2/3]))
		if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "slow.log: read at byte ") {
			t.Errorf("%s: error %v, want one that names the file and the byte", name, err)
		}
		if got == 0 {
			t.Errorf("%s: nothing was read of the good part", name)
		}
	}
}

func TestWhatCannotBeOpenedSaysWhy(t *testing.T) {
	for path, want := range map[string]string{
		t.TempDir():                   "is a directory: name the logs in it",
		"/no/such/file":               "no such file",
		write(t, []byte("\x1f\x8bx")): "unexpected EOF",
	} {
		if _, err := archive.Open(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", path, err, want)
		}
	}
}
