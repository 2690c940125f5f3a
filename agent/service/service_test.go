package service

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func listen(t *testing.T, path string) (*net.UnixListener, error) {
	t.Helper()
	return Listen(t.Context(), path, "agent", "socket")
}

func TestAStaleSocketIsReplacedAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	stale := filepath.Join(dir, "stale.sock")
	left, err := new(net.ListenConfig).Listen(t.Context(), "unix", stale)
	if err != nil {
		t.Fatal(err)
	}
	left.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := left.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := listen(t, stale)
	if err != nil {
		t.Fatalf("listen on a stale socket: %v", err)
	}
	defer func() { _ = l.Close() }()

	if _, err := listen(t, stale); err == nil || !strings.Contains(err.Error(), "another process listens there") {
		t.Errorf("listen on a socket in use: %v", err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := listen(t, file); err == nil || !strings.Contains(err.Error(), "something else is there") {
		t.Errorf("listen on a file: %v", err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	if _, err := listen(t, link); err == nil {
		t.Error("listen on a link to a file succeeded")
	}
	if text, _ := os.ReadFile(file); string(text) != "precious" {
		t.Errorf("the file holds %q", text)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".new-*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestTheFirstPartThatEndsEndsAll(t *testing.T) {
	fault := errors.New("the listener is gone")
	wait := func(ctx context.Context) error { <-ctx.Done(); return nil }
	if err := Run(t.Context(), wait, func(context.Context) error { return fault }, wait); !errors.Is(err, fault) {
		t.Errorf("Run = %v, want %v", err, fault)
	}
	if err := Run(t.Context(), wait, func(context.Context) error { return nil }); err != nil {
		t.Errorf("Run of a part that is done = %v, want none", err)
	}
}
