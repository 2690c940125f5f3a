package slowlog

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// statements reads what a followed log has now.
func statements(r *Reader) []string {
	var all []string
	for e, err := r.Next(); err == nil; e, err = r.Next() {
		all = append(all, string(e.Statement))
	}
	return all
}

func TestAGrowingLogGivesAnEntryWhenItIsWhole(t *testing.T) {
	var log bytes.Buffer
	r := Follow(&log, Resume{}, Options{})
	for _, step := range []struct {
		name, grows string
		then        func()
		want        []string
	}{
		{"nothing", "", nil, nil},
		{"an entry that may go on", plainHeader + "SELECT 1;\n", nil, nil},
		{"it does go on", "END;\n", nil, nil},
		{"the next one", plainHeader, nil, []string{"SELECT 1"}},
		{"half a statement", "SELECT 'a", r.Settle, nil},
		{"the rest of it", "';\n", r.Settle, []string{"SELECT 'a'"}},
		{"a banner", plainBanner, r.Settle, nil},
		{"one more, not settled", plainHeader + "SELECT 3;\n", r.Grown, nil},
		{"half of one more", plainHeader + "SEL", r.End, []string{"SELECT 3"}},
	} {
		log.WriteString(step.grows)
		if step.then != nil {
			step.then()
		}
		if diff := cmp.Diff(step.want, statements(r)); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", step.name, diff)
		}
	}
	var reasons []string
	for _, s := range r.Skips() {
		reasons = append(reasons, s.Reason)
	}
	if diff := cmp.Diff([]string{string(noEntry), string(halfWritten)}, reasons); diff != "" {
		t.Errorf("skipped (-want +got):\n%s", diff)
	}
}

func TestResumeIsRefusedInTheMiddleOfABatch(t *testing.T) {
	r := NewReader(bytes.NewReader([]byte(plainHeader+"SELECT 1;\n"+plainHeader+"SELECT 2;\n")), Options{})
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	if at, err := r.Resume(); err == nil {
		t.Errorf("resume at %+v, though an entry before that was not returned", at)
	}
}
