package report

import (
	"slices"
	"strings"
	"time"

	"plimsoll/advisor/layout"
	"plimsoll/rules"
)

// verdict is what somebody reads who reads nothing else.
type verdict struct {
	// Tone is a severity, or ok, or unknown where too little was seen.
	Tone     string
	Headline string
	// Next says what to do first and what it frees; empty without a finding.
	Next string
	// Counts says how many findings are open, by severity.
	Counts string
	// Caveats are what makes the verdict weaker than it sounds.
	Caveats []string
}

// The tones that are no severity.
const (
	toneOK      = "ok"
	toneUnknown = "unknown"
)

func judge(r *Report, v view) verdict {
	out := verdict{Counts: counts(v), Caveats: caveats(r)}
	switch {
	case len(v.Findings) > 0:
		worst := v.Findings[0]
		out.Tone, out.Headline, out.Next = worst.Severity, worst.Summary, next(v)
	case !sawAnything(r):
		out.Tone, out.Headline = toneUnknown, nothingSeen(r)
	case len(v.Acknowledged) > 0:
		out.Tone, out.Headline = toneOK, "Nothing new to change was found: "+judged(r)+"."
	default:
		out.Tone, out.Headline = toneOK, "Nothing to change was found: "+judged(r)+"."
	}
	return out
}

// tone returns a severity, or info for one that is not known.
func tone(s rules.Severity) string {
	if slices.Contains([]rules.Severity{rules.Critical, rules.High, rules.Medium, rules.Low}, s) {
		return string(s)
	}
	return string(rules.Info)
}

// next says where to begin, and where most time is freed if that is elsewhere.
func next(v view) string {
	first := v.Actions[0]
	out := "Begin with action 1"
	if first.Effort != "" {
		out += ", a matter of " + first.Effort
	}
	if len(first.Gains) > 0 {
		out += "; it " + first.Gains[0]
	}
	best := first
	for _, a := range v.Actions {
		if a.gain != nil && (best.gain == nil || a.gain.Lo > best.gain.Lo) {
			best = a
		}
	}
	if best.Number != first.Number {
		out += ". Most time is won by action " + rules.Words(float64(best.Number), rules.Count) + ", which " + best.Gains[0]
	}
	return out + "."
}

func counts(v view) string {
	var by []string
	for _, s := range []rules.Severity{rules.Critical, rules.High, rules.Medium, rules.Low, rules.Info} {
		n := 0
		for _, f := range v.Findings {
			if f.Severity == string(s) {
				n++
			}
		}
		if n > 0 {
			by = append(by, rules.Words(float64(n), rules.Count)+" "+string(s))
		}
	}
	if len(v.Findings)+len(v.Acknowledged) == 0 {
		return ""
	}
	out := count(len(v.Findings), "open finding", "open findings")
	if len(by) > 0 {
		out += ": " + strings.Join(by, ", ")
	}
	if n := len(v.Acknowledged); n > 0 {
		out += "; " + rules.Words(float64(n), rules.Count) + " acknowledged"
	}
	return out + "."
}

// sawAnything reports whether any totals were seen twice, without which nothing
// can be said.
func sawAnything(r *Report) bool {
	return slices.ContainsFunc(r.Hosts, func(h Host) bool { return h.SeenRatio > 0 }) ||
		slices.ContainsFunc(r.Servers, func(s Server) bool { return s.Window.Seconds() > 0 })
}

func nothingSeen(r *Report) string {
	var first time.Time
	for _, n := range r.NotReady {
		if !n.ReadyAt.IsZero() && (first.IsZero() || n.ReadyAt.Before(first)) {
			first = n.ReadyAt
		}
	}
	switch {
	case len(r.Hosts)+len(r.Servers) == 0 && len(r.Unreachable) > 0:
		return "Nothing can be said: no agent could be read."
	case len(r.Hosts)+len(r.Servers) == 0:
		return "Nothing can be said: no agent is known."
	case first.IsZero():
		return "Nothing can be said yet: no host was seen twice."
	}
	return "Nothing can be said yet: no host was seen twice. The first rule is ready at " + stamp(first) + "."
}

// judged says how much was looked at, without which "nothing" says nothing.
func judged(r *Report) string {
	by := "all rules"
	if n := len(r.Rules); n > 0 {
		by = count(n, "rule", "rules")
	}
	return by + " judged " + rules.Words(r.Window.Seconds(), rules.Seconds) + " of " + count(len(r.Hosts), "host", "hosts") +
		" and " + count(len(r.Servers), "database server", "database servers")
}

// littleSeen is the share of the window below which a host's report leaves room
// for surprise: with a fifth unseen, a daily job can have been missed.
const littleSeen = 0.8

func caveats(r *Report) []string {
	var out []string
	if n := len(r.Unreachable); n > 0 {
		out = append(out, count(n, "agent", "agents")+" could not be read; nothing is known of what runs there.")
	}
	var little, none []string
	for _, h := range r.Hosts {
		if h.SeenRatio <= 0 {
			none = append(none, layout.Clean(h.Name))
		}
		if h.SeenRatio > 0 && h.SeenRatio < littleSeen {
			little = append(little, layout.Clean(h.Name)+" ("+rules.Words(h.SeenRatio, rules.Ratio)+")")
		}
	}
	if len(none) > 0 && sawAnything(r) {
		out = append(out, "Of "+enumerate(none)+" nothing was seen in the window.")
	}
	if len(little) > 0 {
		out = append(out, "Of "+enumerate(little)+" too little of the window was seen to know every hour.")
	}
	if n := len(r.NotReady); n > 0 {
		out = append(out, count(n, "judgement", "judgements")+" could not be made; the reasons stand under what could not be seen.")
	}
	return out
}
