package slowlog

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"plimsoll/advisor/verify/scratch"
	"plimsoll/fixtures/servers"
	"plimsoll/fixtures/slowlogs"
)

// TestTotalsAreThoseOfPtQueryDigest compares what the field's usual program makes of generated logs;
// TestSumsAgreeWithPerformanceSchema does so with those of real servers. The oddities in testdata it
// reads otherwise, and docs/digest.md says how.
func TestTotalsAreThoseOfPtQueryDigest(t *testing.T) {
	for _, l := range slowlogs.Layouts() {
		t.Run(string(l), func(t *testing.T) {
			t.Parallel()
			comparePeer(t, slowlogs.Generate(l, 500_000, 100, 3))
		})
	}
}

// comparePeer compares the totals of a log. pt-query-digest does not multiply by a rate limit, so that
// each entry counts once.
func comparePeer(t *testing.T, log []byte) {
	t.Helper()
	theirs := askPeer(t, log)
	entries, ours := unweighted(t, log)
	if theirs.Calls != entries {
		t.Errorf("pt-query-digest counts %d calls, we %d entries", theirs.Calls, entries)
	}
	for metric, sum := range ours {
		their, told := theirs.Metrics[metric]
		if !told {
			t.Errorf("pt-query-digest has no %s", metric)
		} else if math.Abs(their.Sum-sum) > 1e-6*float64(entries)+1e-9*sum {
			t.Errorf("%s: pt-query-digest adds up to %v, we to %v", metric, their.Sum, sum)
		}
	}
}

// peerTotals are the totals of pt-query-digest's JSON.
type peerTotals struct {
	Calls   uint64 `json:"query_count"`
	Metrics map[string]peerMetric
}

type peerMetric struct{ Sum float64 }

// UnmarshalJSON reads a metric: numbers are written as texts.
func (m *peerMetric) UnmarshalJSON(b []byte) (err error) {
	var written struct{ Sum string }
	if err := json.Unmarshal(b, &written); err != nil || written.Sum == "" {
		return err
	}
	m.Sum, err = strconv.ParseFloat(written.Sum, 64)
	return err
}

func askPeer(t *testing.T, log []byte) peerTotals {
	t.Helper()
	path := filepath.Join(t.TempDir(), "slow.log")
	if err := os.WriteFile(path, log, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), servers.PTQueryDigest.Path(t), "--no-version-check", "--output", "json", "--limit", "1", path)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("pt-query-digest: %v: %s", err, errs.Bytes())
	}
	var result struct{ Global peerTotals }
	// A line of progress can stand before it.
	if err := json.Unmarshal(out[max(bytes.IndexByte(out, '{'), 0):], &result); err != nil {
		t.Fatalf("pt-query-digest: %v: %.300s", err, out)
	}
	return result.Global
}

// unweighted adds up entries as they stand, whatever rate they were logged at.
func unweighted(t *testing.T, log []byte) (entries uint64, sums map[string]float64) {
	t.Helper()
	sums = map[string]float64{}
	r := NewReader(bytes.NewReader(log), Options{})
	for {
		e, err := r.Next()
		if err != nil {
			return entries, sums
		}
		entries++
		sums["Query_time"] += float64(e.Duration) / 1e6
		for metric, which := range map[string]Figure{"Lock_time": LockTime, "Rows_sent": RowsSent, "Rows_examined": RowsExamined} {
			v, known := e.Get(which)
			if !known && !e.Admin {
				t.Fatalf("an entry at %d tells no %s", e.Offset, metric)
			}
			if !known {
				continue
			}
			if which == LockTime {
				sums[metric] += float64(v) / 1e6
			} else {
				sums[metric] += float64(v)
			}
		}
	}
}

// readableByPeer returns the log without what pt-query-digest misreads: in a log of MariaDB, it takes the
// headers behind a client's own USE for statements.
func (w *window) readableByPeer(t *testing.T) []byte {
	t.Helper()
	if w.family == scratch.MySQL {
		return w.log
	}
	var log []byte
	r := NewReader(bytes.NewReader(w.log), Options{})
	misread := false
	for begin := int64(0); ; {
		e, err := r.Next()
		end := int64(len(w.log))
		if err == nil {
			end = e.Offset
		}
		if !misread {
			log = append(log, w.log[begin:end]...)
		}
		if err != nil {
			return log
		}
		misread, begin = bytes.HasPrefix(bytes.ToLower(e.Statement), []byte("use ")), end
	}
}
