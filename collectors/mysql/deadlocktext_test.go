package mysql

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// recordings are texts of real servers, by product and version.
const recordings = "../../fixtures/recordings"

// recorded returns the recordings of a name, by product/version.
func recorded(t testing.TB, name string) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(recordings, "*", "*", name))
	if err != nil || len(paths) == 0 {
		t.Fatalf("find recordings of %s: %v, %d files", name, err, len(paths))
	}
	texts := map[string]string{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		dir, _ := filepath.Rel(recordings, filepath.Dir(path))
		texts[dir] = string(text)
	}
	return texts
}

func TestRecordedDeadlocksAreRead(t *testing.T) {
	const (
		byID    = "update bank.account set amount = amount - 471108159, owner = 'SECRET-x' where id = 2"
		byOwner = "update bank.account set amount = amount - 1 where owner = 'SECRET-alice'"
	)
	for version, text := range recorded(t, "innodb-deadlock.txt") {
		t.Run(version, func(t *testing.T) {
			got, err := parseDeadlock(text)
			if err != nil {
				t.Fatal(err)
			}
			var statements []string
			for _, p := range got.parties {
				statements = append(statements, strings.TrimSpace(p.statement))
			}
			want := []string{byID, byOwner}
			if strings.HasPrefix(version, "mariadb") {
				want = []string{byOwner, byID}
			}
			if diff := cmp.Diff(want, statements); diff != "" {
				t.Errorf("statements (-want +got):\n%s", diff)
			}
			victims := 0
			for _, p := range got.parties {
				if p.schema != "bank" || p.table != "account" || p.index != "PRIMARY" || p.mode != "X locks rec but not gap" || p.transaction == "" {
					t.Errorf("party = %+v, want the lock on a row of bank.account's primary key", p)
				}
				if p.victim {
					victims++
				}
			}
			if victims != 1 {
				t.Errorf("%d victims, want one", victims)
			}
		})
	}
}

// What a site's visitor writes into a form can stand in a statement, and the
// server prints it as it is.
func TestAForgedDeadlockIsRefused(t *testing.T) {
	forgery := "*** (1) WAITING FOR THIS LOCK TO BE GRANTED:\n" +
		"RECORD LOCKS space id 1 page no 1 n bits 8 index SECRET of table `SECRET`.`SECRET` trx id 1 lock_mode X waiting\n"
	whole := forgery + "*** (2) TRANSACTION:\nTRANSACTION 7, ACTIVE 0 sec\nMySQL thread id 1, OS thread\nSECRET\n" +
		strings.Replace(forgery, "(1)", "(2)", 1) + "*** WE ROLL BACK TRANSACTION (1)\n------------\nTRANSACTIONS\n"
	for version, text := range recorded(t, "innodb-deadlock.txt") {
		for name, insert := range map[string]string{
			"another lock":        forgery,
			"the rest":            whole,
			"another thread":      "*** (1) HOLDS THE LOCK(S):\nMySQL thread id 7, OS thread\nSECRET\n",
			"an unknown mark":     "*** SECRET\n",
			"another deadlock":    deadlockHeader + "\n---\n2026-11-20 10:09:14 0x7f\n",
			"a mark of the other": "*** (2) TRANSACTION:\n",
		} {
			t.Run(version+"/"+name, func(t *testing.T) {
				const at = "'SECRET-x'"
				if !strings.Contains(text, at) {
					t.Fatalf("recording has no %s", at)
				}
				got, err := parseDeadlock(strings.Replace(text, at, "'\n"+insert+"'", 1))
				if !errors.Is(err, errAmbiguous) {
					t.Errorf("parseDeadlock = %+v, %v, want %v", got, err, errAmbiguous)
				}
			})
		}
	}
}

func TestAServerWithoutADeadlock(t *testing.T) {
	if _, err := parseDeadlock("=====\nINNODB MONITOR OUTPUT\n=====\n------------\nTRANSACTIONS\n------------\n"); !errors.Is(err, errNoDeadlock) {
		t.Errorf("parseDeadlock = %v, want %v", err, errNoDeadlock)
	}
}

func TestNamesOfInnoDBAreTakenApart(t *testing.T) {
	for text, want := range map[string][2]string{
		"`shop`.`items`":                      {"shop", "items"},
		"`shop`.`items` /* Partition `p0` */": {"shop", "items"},
		"`we``ird`.`a.b`":                     {"we`ird", "a.b"},
		"`shop`.`open":                        {"shop", ""},
		"shop.items":                          {"", ""},
		"":                                    {"", ""},
	} {
		if schema, table := splitTable(text); schema != want[0] || table != want[1] {
			t.Errorf("splitTable(%q) = %q, %q, want %q", text, schema, table, want)
		}
	}
}

func FuzzParseDeadlock(f *testing.F) {
	for _, text := range recorded(f, "innodb-deadlock.txt") {
		f.Add(text)
	}
	f.Add(deadlockHeader + "\n---\n2026-11-20 10:09:14 0x7f\n*** (1) TRANSACTION:\n*** WE ROLL BACK TRANSACTION (1)")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseDeadlock(text)
		if err != nil {
			return
		}
		if n := len(got.parties); n == 0 || n > maxParties {
			t.Errorf("%d parties", n)
		}
		able := abilities{}
		for _, p := range got.parties {
			if strings.Count(text, "index "+p.index+" of table") == 0 && p.index != "" && !strings.Contains(text, "index `"+p.index) {
				t.Errorf("index %q does not stand in the text", p.index)
			}
			able.statement(p.statement)
		}
	})
}
