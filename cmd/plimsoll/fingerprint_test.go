package main

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAStatementThatIsTooLongIsNamedAndThoseBeforeItAreDone(t *testing.T) {
	var out strings.Builder
	var f fingerprinter
	err := f.run(strings.NewReader("COMMIT\n"+strings.Repeat("a", maxStatement+1)), &out)
	const want = "read statement 2 of standard input: it is longer than 64 MiB: the separator is a line's end; with -0 it is NUL"
	if err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
	if got := out.String(); !strings.HasSuffix(got, "\tCOMMIT\n") {
		t.Errorf("got %q, want the line of COMMIT", got)
	}
}

// TestThePageOfFingerprintsShowsTrueOutput runs the example of docs/digest.md.
func TestThePageOfFingerprintsShowsTrueOutput(t *testing.T) {
	page, err := os.ReadFile("../../docs/digest.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(page), "$ cat statements.sql\n")
	statements, example, _ := strings.Cut(example, "$ plimsoll fingerprint <statements.sql\n")
	want, _, ok := strings.Cut(example, "```")
	if !ok {
		t.Fatal("the page has no example")
	}
	var out strings.Builder
	var f fingerprinter
	if err := f.run(strings.NewReader(statements), &out); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("the page says otherwise (-page +output):\n%s", diff)
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestFingerprintsThatCannotBeWrittenAreAnError(t *testing.T) {
	var f fingerprinter
	if err := f.run(io.LimitReader(strings.NewReader("COMMIT\n"), 100), full{}); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("got %v, want the disk's error", err)
	}
}
