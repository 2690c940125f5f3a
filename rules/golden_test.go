package rules

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"plimsoll/fixtures/golden"
)

// asReviewed holds all that a finding says against testdata/<name>.txt. Words are
// what a rule is for, and so they are read line by line in review.
func asReviewed(t *testing.T, name string, f Finding) {
	t.Helper()
	golden.Hold(t, filepath.Join("testdata", name+".txt"), []byte(write(f)))
}

// write lays out a finding as text, with every field that is for people.
func write(f Finding) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("%s: %s", f.Rule, f.Title)
	line("about %s %s", f.Subject.Kind, f.Subject)
	line("%s, confidence %s %s, effort %s", f.Severity, f.Confidence.Level(), Words(f.Confidence.Ratio, Ratio), f.Effort)
	for _, reason := range f.Confidence.Reasons {
		line("  but %s", reason)
	}
	line("%s", f.Summary)
	for _, g := range []struct {
		of *Estimate
		in string
	}{
		{f.Gain.WorkerSeconds, "worker-seconds a second"},
		{f.Gain.DatabaseSeconds, "core-seconds a second"},
		{f.Gain.PrimaryWrites, "writes a second off the primary"},
		{f.Gain.Headroom, "times today's peak"},
		{f.Gain.RecoveryMinutes, "minutes of outage, once"},
	} {
		if g.of != nil {
			line("gains %s to %s %s", Words(g.of.Lo, Count), Words(g.of.Hi, Count), g.in)
		}
	}
	for _, e := range f.Evidence {
		value := Words(e.Value, e.Unit)
		if e.Margin != nil && *e.Margin > 0 {
			value += " ± " + Words(*e.Margin, e.Unit)
		}
		if e.Unit == Text {
			value = e.Words
		}
		line("  %s: %s [%s]", e.What, value, e.Source)
		if e.Threshold != nil {
			line("    against %s: %s", Words(*e.Threshold, e.Unit), e.ThresholdSource)
		}
	}
	writeSteps(line, "do", f.Remedy)
	writeSteps(line, "undo", f.Rollback)
	for _, risk := range f.Risks {
		line("risk: %s", risk)
	}
	line("verify %s: expect %s, after %s", f.Verify.What, f.Verify.Expect, f.Verify.After)
	line("statements %v", f.Digests)
	return b.String()
}

func writeSteps(line func(string, ...any), verb string, steps []Step) {
	for _, s := range steps {
		line("%s (%s, %s): %s", verb, s.Kind, s.Target, s.Text)
		if s.Note != "" {
			line("    %s", s.Note)
		}
	}
}
