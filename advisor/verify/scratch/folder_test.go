package scratch

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSweepRemovesOnlyFoldersOfTheDead(t *testing.T) {
	parent := t.TempDir()
	alive, owner := oldFolder(t, parent)
	defer owner.Close()
	dead, owner := oldFolder(t, parent)
	owner.Close()
	young, owner, err := newFolder(parent)
	if err != nil {
		t.Fatal(err)
	}
	owner.Close()
	foreign := filepath.Join(parent, folderPrefix+"notes")
	if err := os.Mkdir(foreign, 0o700); err != nil {
		t.Fatal(err)
	}

	sweep(parent)

	for _, kept := range []string{alive, young, foreign} {
		if _, err := os.Stat(kept); err != nil {
			t.Errorf("sweep removed %s", kept)
		}
	}
	if _, err := os.Stat(dead); err == nil {
		t.Errorf("sweep left %s", dead)
	}
}

// oldFolder makes a folder whose owner was locked an hour ago.
func oldFolder(t *testing.T, parent string) (string, *os.File) {
	t.Helper()
	dir, owner, err := newFolder(parent)
	if err != nil {
		t.Fatal(err)
	}
	hourAgo := time.Now().Add(-time.Hour)
	if err := os.Chtimes(owner.Name(), hourAgo, hourAgo); err != nil {
		t.Fatal(err)
	}
	return dir, owner
}

func TestCopyLeavesTheServersIdentityBehind(t *testing.T) {
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "data")
	for name, text := range map[string]string{"auto.cnf": "[auto]\nserver-uuid=1", "ibdata1": "data"} {
		if err := os.WriteFile(filepath.Join(from, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := copyDataDir(to, from); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(to, "auto.cnf")); err == nil {
		t.Error("auto.cnf was copied")
	}
	if data, err := os.ReadFile(filepath.Join(to, "ibdata1")); err != nil || string(data) != "data" {
		t.Errorf("ibdata1 = %q, %v, want its data", data, err)
	}
}

func TestLongSocketPathIsRefused(t *testing.T) {
	err := checkSocketPath("/" + strings.Repeat("a", 107))
	if err == nil || !strings.Contains(err.Error(), "TMPDIR") {
		t.Errorf("checkSocketPath of 108 bytes = %v, want an error that names TMPDIR", err)
	}
	if err := checkSocketPath("/" + strings.Repeat("a", 106)); err != nil {
		t.Errorf("checkSocketPath of 107 bytes = %v, want none", err)
	}
}
