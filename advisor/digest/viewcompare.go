package digest

import (
	"fmt"
	"math"
	"strings"

	"plimsoll/advisor/layout"
	"plimsoll/rules"
)

// comparisonView is a Comparison in words.
type comparisonView struct {
	Version       string
	Headline      string
	Tone          string
	Caption       string
	Before, After sideView
	Sections      []sectionView
}

// sideView is one of the two digests in words.
type sideView struct{ Source, Window, Headline string }

// sectionView is all statements of one kind.
type sectionView struct {
	Kind         Kind
	Title, About string
	// Both says that the statements are on both sides.
	Both    bool
	Changes []*changeView
	Rest    string
}

// changeView is a Change in words. One that is on one side only has Only.
type changeView struct {
	Fingerprint, Text string
	Extra, Factor     string
	Before, After     figuresView
	Only              *figuresView
}

// figuresView are Figures in words.
type figuresView struct{ Share, Calls, Total, Mean, P95, Max string }

func lookAtComparison(c *Comparison) comparisonView {
	v := comparisonView{
		Version: layout.Clean(c.Version), Before: lookAtSide(c.Before), After: lookAtSide(c.After), Headline: counted(c), Tone: "info",
		Caption: fmt.Sprintf("Slower and faster are statements whose mean and 95th percentile both changed by a factor of %g or more, with %d calls "+
			"or more on each side, and by more than chance explains. A log holds only calls above its long_query_time: what is new or gone can have crossed that.",
			c.SlowerFactor, c.LeastCalls),
	}
	switch {
	case c.Counts[Slower] > 0:
		v.Tone = "high"
	case c.Counts[Faster] > 0:
		v.Tone = "ok"
	}
	for _, kind := range kinds() {
		if s := lookAtKind(c, kind); len(s.Changes) > 0 && kind != Same {
			v.Sections = append(v.Sections, s)
		}
	}
	return v
}

func lookAtSide(s Side) sideView {
	return sideView{
		Source: sources(s.Files), Window: window(s.FirstSeen, s.LastSeen),
		Headline: headline(&Digest{Entries: s.Entries, Calls: s.Calls, Statements: s.Statements, TimeSeconds: s.TimeSeconds}),
	}
}

// counted says how many statements there are of each kind.
func counted(c *Comparison) string {
	words := map[Kind]string{Slower: "slower", New: "new", Gone: "gone", Faster: "faster", Unclear: "with too few calls to tell", Same: "about the same"}
	var parts []string
	for _, kind := range kinds() {
		if n := c.Counts[kind]; n > 0 {
			parts = append(parts, number(n)+" "+words[kind])
		}
	}
	if len(parts) == 0 {
		return "No call matches."
	}
	return "Statements: " + strings.Join(parts, ", ") + "."
}

func lookAtKind(c *Comparison, kind Kind) sectionView {
	about := map[Kind][2]string{
		Slower:  {"Slower", "Extra time is what the calls after took more than as many would have before."},
		New:     {"New", "They are not in the log before."},
		Gone:    {"Gone", "They are not in the log after. The figures are those from before."},
		Faster:  {"Faster", "Extra time below zero is what the calls after took less than as many would have before."},
		Unclear: {"Too few calls to tell", fmt.Sprintf("One side has less than %d calls, or calls differ so much that chance explains the change.", c.LeastCalls)},
		Same:    {"About the same", ""},
	}
	s := sectionView{Kind: kind, Title: about[kind][0], About: about[kind][1], Both: kind != New && kind != Gone}
	for i := range c.Changes {
		if c.Changes[i].Kind == kind {
			s.Changes = append(s.Changes, lookAtChange(&c.Changes[i]))
		}
	}
	if rest := c.Counts[kind] - min(c.Counts[kind], uint64(len(s.Changes))); rest > 0 {
		s.Rest = number(rest) + " more; --top 0 shows all."
	}
	return s
}

func lookAtChange(c *Change) *changeView {
	v := &changeView{
		Fingerprint: layout.Clean(c.Fingerprint), Text: statementText(c.Text),
		Extra: signed(c.ExtraSeconds), Factor: unknown, Before: lookAtFigures(c.Before), After: lookAtFigures(c.After),
	}
	if c.MeanFactor != nil {
		v.Factor = rules.Words(*c.MeanFactor, rules.Count)
	}
	switch c.Kind {
	case New:
		v.Only = &v.After
	case Gone:
		v.Only = &v.Before
	case Slower, Faster, Unclear, Same:
	}
	return v
}

// signed writes a duration with its sign.
func signed(s float64) string {
	switch {
	case s < 0:
		return "−" + duration(math.Abs(s))
	case s > 0:
		return "+" + duration(s)
	}
	return duration(0)
}

func lookAtFigures(f *Figures) figuresView {
	if f == nil {
		return figuresView{unknown, unknown, unknown, unknown, unknown, unknown}
	}
	about := ""
	if f.Estimated {
		about = "≈"
	}
	t := f.TimeSeconds
	return figuresView{
		Share: about + rules.Words(f.ShareRatio, rules.Ratio), Calls: about + number(f.Calls), Total: about + duration(t.Sum),
		Mean: about + duration(t.Mean), P95: about + duration(t.P95), Max: duration(t.Max),
	}
}

// Short is the beginning of the statement.
func (v *changeView) Short() string { return layout.Cut(v.Text, shortText) }
