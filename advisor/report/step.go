package report

import (
	"strings"
	"unicode"

	"plimsoll/advisor/layout"
	"plimsoll/rules"
)

// step is a Step in words.
type step struct {
	// Kind is sql, config, command, code or advice.
	Kind string
	// Target is where; empty if that is plain.
	Target string
	Lines  []string
	Note   string
}

// Copyable reports whether s is to be copied as it stands, and not just read.
func (s step) Copyable() bool { return s.Kind != string(rules.Advice) }

// Text returns the lines of s as one text.
func (s step) Text() string { return strings.Join(s.Lines, "\n") }

// Sentence returns the lines of s as one.
func (s step) Sentence() string { return strings.Join(s.Lines, " ") }

// Language names the language of s for who colours it; empty for none.
func (s step) Language() string {
	switch rules.StepKind(s.Kind) {
	case rules.SQL:
		return "sql"
	case rules.Config:
		return "ini"
	case rules.Command:
		return "sh"
	default:
		return ""
	}
}

func steps(in []rules.Step) []step {
	var out []step
	for _, s := range in {
		v := step{Kind: layout.Clean(string(s.Kind)), Target: layout.Clean(s.Target), Lines: layout.CleanBlock(s.Text), Note: layout.Clean(s.Note)}
		if v.Copyable() && altered(s.Text) {
			v.Note = strings.TrimSpace(v.Note + " Do not copy this as it is: a character of it cannot be shown.")
		}
		out = append(out, v)
	}
	return out
}

// altered reports whether cleanBlock changes more of s than its white space:
// what is copied then names something else than what is meant.
func altered(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return layout.Printable(r) != r && !strings.ContainsRune("\t\r\n", r)
	}) || strings.ContainsRune(s, unicode.ReplacementChar)
}

// Copy returns the first step to copy, or else the first; nil without steps.
func (f finding) Copy() *step {
	for i := range f.Remedy {
		if f.Remedy[i].Copyable() {
			return &f.Remedy[i]
		}
	}
	if len(f.Remedy) > 0 {
		return &f.Remedy[0]
	}
	return nil
}

// MoreSteps returns how many steps f has beside the one of Copy.
func (f finding) MoreSteps() int { return max(len(f.Remedy)-1, 0) }

// More says how many steps f has beside the one of Copy.
func (f finding) More() string {
	return count(f.MoreSteps(), "further step stands", "further steps stand")
}

// remaining returns the steps that stand with no action.
func (f finding) remaining() []step {
	if f.Number == 0 {
		return f.Remedy
	}
	shown := f.Copy()
	var out []step
	for i := range f.Remedy {
		if &f.Remedy[i] != shown {
			out = append(out, f.Remedy[i])
		}
	}
	return out
}
