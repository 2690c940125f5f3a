package sqltext_test

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"plimsoll/collectors/sqltext"
	"plimsoll/fixtures/golden"
	"plimsoll/fixtures/servers"
)

// frozen is the file of what fp1 is: fingerprint, how the statement is read, the statement. Lines are
// added to it and never changed.
const frozen = "testdata/fp1.txt"

// frozenLine is one of its lines.
type frozenLine struct {
	fingerprint string
	how         how
	statement   string
}

func (l frozenLine) String() string {
	return fmt.Sprintf("%s\t%s\t%q\n", l.fingerprint, l.how, l.statement)
}

// TestFP1IsFrozen holds the promise of the prefix: fingerprints are stored, compared over months and
// written into acknowledgements, so fp1 never changes, not even for the better. With -update, what is
// new in the table of statements is added.
func TestFP1IsFrozen(t *testing.T) {
	lines := readFrozen(t)
	known := map[string]bool{}
	for _, l := range lines {
		known[string(l.how)+l.statement] = true
		if got := l.how.options().Fingerprint(l.statement); got != l.fingerprint {
			t.Errorf("%s was %s and is %s now. Stored fingerprints would lose what they name: keep the old rules, or call the new ones fp2.",
				l.statement, l.fingerprint, got)
		}
	}
	for _, l := range toFreeze(t) {
		if known[string(l.how)+l.statement] {
			continue
		}
		if !golden.Update() {
			t.Errorf("%s is not in %s: run with -update", l.statement, frozen)
			continue
		}
		known[string(l.how)+l.statement] = true
		addFrozen(t, l)
	}
}

// toFreeze returns all statements of the table, the texts that servers cut, and those in which they hide
// a password.
func toFreeze(t *testing.T) (lines []frozenLine) {
	t.Helper()
	for _, r := range read(t) {
		lines = append(lines, frozenLine{r.how.options().Fingerprint(r.live), r.how, r.live})
		if _, long := isLong(r.live); long {
			for _, p := range servers.Products() {
				text := r.digests[p]
				lines = append(lines, frozenLine{digestText.Fingerprint(text), digest, text})
			}
		}
	}
	for _, c := range hiddenPasswords {
		lines = append(lines, frozenLine{sqltext.Fingerprint(c.logged), live, c.logged})
	}
	return lines
}

func readFrozen(t *testing.T) (lines []frozenLine) {
	t.Helper()
	f, err := os.Open(frozen)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		fields := strings.SplitN(s.Text(), "\t", 3)
		if len(fields) != 3 {
			t.Fatalf("%s: a line without three fields: %s", frozen, s.Text())
		}
		statement, err := strconv.Unquote(fields[2])
		if err != nil {
			t.Fatalf("%s: %s: %v", frozen, fields[2], err)
		}
		lines = append(lines, frozenLine{fields[0], how(fields[1]), statement})
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

func addFrozen(t *testing.T, l frozenLine) {
	t.Helper()
	f, err := os.OpenFile(frozen, os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.WriteString(l.String()); err != nil {
		t.Fatal(err)
	}
}
