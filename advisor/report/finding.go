package report

import (
	"slices"
	"strings"

	"plimsoll/advisor/layout"
	"plimsoll/advisor/ledger"
	"plimsoll/rules"
)

// finding is an Entry in words.
type finding struct {
	// Number is the place among the actions; 0 for one that is not there.
	Number      int
	Rule        string
	Fingerprint string
	Severity    string
	Title       string
	Subject     string
	Summary     string
	// Gains are phrases such as "frees an estimated 1 to 2 PHP worker-seconds
	// each second"; empty if none is claimed.
	Gains      []string
	Effort     string
	Confidence string
	// Doubts are what lowers the confidence.
	Doubts   []string
	Evidence []evidence
	Remedy   []step
	Rollback []step
	Risks    []string
	Verify   string
	Digests  []string
	// Waiters are phrases such as "GET /product/{id}: 1.5 workers, in Catalog::load"; empty without a probe.
	Waiters []string
	// Life says since when the finding is known, and how it ended.
	Life string
	// Acknowledged says who, why and until when; empty if nobody did.
	Acknowledged string

	gain *rules.Estimate
	// Range draws the gain beside the largest one of the report: what is sure of
	// it, and then what may be. Nil without a gain in worker-seconds.
	Range *segment
}

// evidence is one figure that was measured, or estimated by sampling, in words.
type evidence struct {
	What, Value, Source, Window string
	// Threshold is empty for evidence that only explains.
	Threshold, ThresholdSource string
}

func lookAtFinding(e Entry) finding {
	f := finding{
		Rule: layout.Clean(string(e.Rule)), Fingerprint: layout.Clean(e.Fingerprint), Severity: tone(e.Severity),
		Title: layout.Clean(e.Title), Subject: layout.Clean(e.Subject.String()), Summary: layout.Clean(e.Summary),
		Gains: gains(e.Gain), gain: e.Gain.WorkerSeconds, Effort: layout.Clean(string(e.Effort)),
		Confidence: e.Confidence.Level() + ", " + rules.Words(e.Confidence.Ratio, rules.Ratio),
		Doubts:     cleanAll(e.Confidence.Reasons), Remedy: steps(e.Remedy), Rollback: steps(e.Rollback),
		Risks: cleanAll(e.Risks), Verify: verification(e.Verify), Digests: cleanAll(e.Digests), Waiters: waiters(e.Waiters), Life: life(e),
	}
	for _, v := range e.Evidence {
		f.Evidence = append(f.Evidence, lookAtEvidence(v))
	}
	if e.Ack != nil {
		until := e.Ack.Until.AddDate(0, 0, -1).UTC().Format("2006-01-02")
		f.Acknowledged = "by " + layout.Clean(e.Ack.Who) + " until " + until + ": " + layout.Clean(e.Ack.Why)
	}
	return f
}

// Urgent reports whether f is to be read now.
func (f finding) Urgent() bool {
	return f.Acknowledged == "" && (f.Severity == string(rules.Critical) || f.Severity == string(rules.High))
}

// waiters says which kinds of requests wait, and of which pool where there are several.
func waiters(all []rules.Waiter) []string {
	var out []string
	for _, w := range all {
		text := layout.Clean(strings.TrimSpace(w.Method+" "+w.Route)) + ": " + workersWords(w.SecondsPerSecond, w.Margin)
		if w.Code != "" {
			text += ", in " + layout.Clean(w.Code)
		}
		if slices.ContainsFunc(all, func(o rules.Waiter) bool { return o.Pool != w.Pool }) {
			text += " (" + layout.Clean(w.Pool) + ")"
		}
		out = append(out, text)
	}
	return out
}

// workersWords writes how many workers do something on average, by sampling.
func workersWords(n float64, margin *float64) string {
	if n == 1 && !matters(n, margin) {
		return "1 worker"
	}
	return sampled(n, margin, rules.Count) + " workers"
}

// MoreWaiters says how many kinds of requests wait beside the first; empty for none.
func (f finding) MoreWaiters() string {
	if len(f.Waiters) < 2 {
		return ""
	}
	return "and " + count(len(f.Waiters)-1, "other kind of request", "other kinds of requests") + " below"
}

func lookAtEvidence(v rules.Evidence) evidence {
	out := evidence{
		What: layout.Clean(v.What), Value: sampled(v.Value, v.Margin, v.Unit), Source: layout.Clean(v.Source), Window: span(v.Window),
		ThresholdSource: layout.Clean(v.ThresholdSource),
	}
	if v.Unit == rules.Text {
		out.Value = layout.Clean(v.Words)
	}
	if v.Threshold != nil {
		out.Threshold = rules.Words(*v.Threshold, v.Unit)
	}
	return out
}

func verification(v rules.Verify) string {
	if v.What == "" {
		return ""
	}
	out := layout.Clean(v.What)
	if v.Expect != "" {
		out += ": expect " + layout.Clean(v.Expect)
	}
	if v.After != "" {
		out += ", after " + layout.Clean(v.After)
	}
	return out + "."
}

func life(e Entry) string {
	switch {
	case e.Status == ledger.StatusGone:
		return "first seen " + stamp(e.FirstSeen) + ", gone since " + stamp(e.GoneSince)
	case e.Missed > 0:
		return "first seen " + stamp(e.FirstSeen) + ", not confirmed since " + stamp(e.LastSeen)
	}
	return "first seen " + stamp(e.FirstSeen)
}

func cleanAll(texts []string) []string {
	var out []string
	for _, t := range texts {
		out = append(out, layout.Clean(t))
	}
	return out
}
