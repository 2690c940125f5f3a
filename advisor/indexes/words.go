package indexes

import (
	"fmt"
	"strings"

	"plimsoll/advisor/layout"
	"plimsoll/collectors/sqltext"
	"plimsoll/rules"
	"plimsoll/rules/index"
)

// headline says in one sentence what the report holds.
func (r *Report) headline() string {
	if len(r.Advice) == 0 {
		return fmt.Sprintf("Nothing to change: %s analysed, and no index would spare them enough.", counted(r.Analysed, "statement", "statements"))
	}
	text := fmt.Sprintf("%s from %s, of which %d may read too much.",
		counted(len(r.Advice), "piece of advice", "pieces of advice"), counted(r.Analysed, "analysed statement", "analysed statements"), r.Relevant)
	if r.Bytes > 0 {
		text += " The new indexes take " + rules.Words(r.Bytes, rules.Bytes) + ", estimated."
	}
	return text
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// title names an advice.
func title(a *index.Advised) string {
	where := a.Table
	if a.Schema != "" {
		where = a.Schema + "." + a.Table
	}
	columns := columnWords(a.Columns)
	switch a.Kind {
	case index.Add:
		return fmt.Sprintf("Add an index on %s (%s)", where, columns)
	case index.Extend:
		return fmt.Sprintf("Extend index %s on %s to (%s)", a.Replaces, where, columns)
	case index.Drop:
		return fmt.Sprintf("Drop index %s (%s) of %s", a.Index, columns, where)
	case index.Analyze:
		return "Collect statistics of " + where
	case index.Rewrite:
		return fmt.Sprintf("Write comparisons of %s.%s otherwise", where, columns)
	}
	return string(a.Kind) + " " + where
}

func columnWords(parts []index.Part) string {
	var out []string
	for _, p := range parts {
		text := p.Column
		if p.Prefix > 0 {
			text += fmt.Sprintf("(%d)", p.Prefix)
		}
		if p.Descending {
			text += " DESC"
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

// facts are the figures of an advice, each in words.
func facts(a *index.Advised) []string {
	var out []string
	switch {
	case a.Gain.Hi <= 0:
	case a.Gain.Lo <= 0:
		out = append(out, "spares at most "+seconds(a.Gain.Hi)+" a second")
	default:
		out = append(out, "spares "+between(seconds(a.Gain.Lo), seconds(a.Gain.Hi))+" of statement time a second")
	}
	if a.Cost > 0 {
		out = append(out, "costs writes "+seconds(a.Cost)+" a second")
	}
	if a.SizeBytes != nil {
		out = append(out, rules.Words(*a.SizeBytes, rules.Bytes))
	}
	if a.BuildSeconds != nil {
		out = append(out, "built in "+between(seconds(a.BuildSeconds.Lo), seconds(a.BuildSeconds.Hi)))
	}
	return append(out, fmt.Sprintf("confidence %.0f %%", 100*a.Confidence))
}

func seconds(s float64) string { return rules.Words(s, rules.Seconds) }

// statementRunes is how much of a statement is shown.
const statementRunes = 160

// effect says what a statement gains.
func effect(f *index.Effect) string {
	return fmt.Sprintf("%s → %s a call; %s → %s rows; %s times a second",
		seconds(f.SecondsBefore), between(seconds(f.SecondsAfter.Lo), seconds(f.SecondsAfter.Hi)),
		count(f.RowsBefore), between(count(f.RowsAfter.Lo), count(f.RowsAfter.Hi)), count(f.CallsPerSecond))
}

// between writes an interval, whose ends may read the same.
func between(least, most string) string {
	if least == most {
		return most
	}
	return least + " to " + most
}

func count(n float64) string { return rules.Words(n, rules.Count) }

func shortened(text string) string { return sqltext.Clip(layout.Clean(text), statementRunes) }
