// Package index advises indexes from what a server was asked: the statements of a
// whole workload, the structure of its tables, and the server's own statistics.
//
// It advises only what evidence asks for. A statement counts if it takes a share
// of the time and reads far more rows than it returns; a candidate counts if no
// index that exists serves the same predicates; and what it would read is an
// interval, of which the end that promises less decides. Statements that are not
// understood are counted and named, never guessed at.
package index

import (
	"cmp"
	"slices"
	"strings"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
	"plimsoll/rules/sqlshape"
)

// The evidence that a statement must show.
const (
	// MinExamined is the rows that it examines a call: a thousand rows are read
	// in a millisecond.
	MinExamined = 1000
	// MinRatio is rows examined by rows returned or changed. MySQL Enterprise
	// Monitor and pganalyze use the same order of magnitude.
	MinRatio = 100
	// MinGain is the share of the rows that a candidate must save, at least: an
	// index that saves less costs its writes.
	MinGain = 0.8
)

// Statement is one statement of the workload, with the pace at which a server ran
// it.
type Statement struct {
	fleet.Digest
	// Server is where it ran.
	Server string
	// WindowSeconds is how long it was watched.
	WindowSeconds float64
	// Sample is the statement with the literals of one call, which tell what a LIKE begins with and how
	// long a list or a LIMIT is; empty if none is known. It is never part of a result.
	Sample string
}

// examined is the mean of rows read a call, returned that of rows sent or changed.
func (s Statement) examined() float64 { return float64(s.RowsExamined) / float64(s.Calls) }

func (s Statement) returned() float64 { return float64(s.RowsSent+s.RowsAffected) / float64(s.Calls) }

// Workload is what is judged: the statements of a primary and its replicas, and
// the tables that they share.
type Workload struct {
	Tables     []snapshot.Table
	Statements []Statement
	// MinLoad is the statement time, in seconds a second, from which on a
	// statement counts for Analyse.
	MinLoad float64
	// Statistics is what is known of columns beside what indexes tell; may be nil.
	Statistics Statistics
	// Usage tells which indexes are read, UsageFor for how long that was counted,
	// in words; nil if it is not known well enough to call one unused.
	Usage    Usage
	UsageFor string
}

// Advice is one index to add.
type Advice struct {
	Table   *snapshot.Table
	Columns []Part
	// Benefits are the statements that gain, the one that gains most first.
	Benefits []Benefit
	// Replaces is an index that the new one makes redundant and that nothing else
	// asks for; empty if none.
	Replaces string
	// Hidden is an index that serves and that the optimizer may not use; empty if
	// there is none.
	Hidden string
	// SizeBytes is the estimated size of the index; nil if the rows are not known.
	SizeBytes *float64
	// Sure is false if the selectivity of the columns is not known.
	Sure bool
}

// Part is a column of an advised index.
type Part struct {
	Column string `json:"column"`
	// Prefix is the number of characters to index; 0 for the whole column.
	Prefix int `json:"prefix,omitempty"`
	// Descending says that the largest values come first.
	Descending bool `json:"descending,omitempty"`
}

// Benefit is what one statement gains.
type Benefit struct {
	Statement
	// ExaminedAfter is the estimated rows that it will examine a call.
	ExaminedAfter Interval
	// SecondsFreed is statement time a second.
	SecondsFreed Interval
}

// Interval is an estimate.
type Interval struct {
	Lo float64 `json:"lo"`
	Hi float64 `json:"hi"`
}

// Analysis is the result for a workload.
type Analysis struct {
	Missing []Advice
	// Relevant is how many statements showed the evidence, and NotJudged those
	// of them whose text was cut or not understood, or that ask for tables or
	// columns that are not known, such as a view's.
	Relevant  int
	NotJudged []Statement
}

// Analyse finds the missing indexes of a workload.
func Analyse(w Workload) Analysis {
	var out Analysis
	tables := newCatalog(w.Tables)
	var all []Advice
	for _, s := range w.relevant() {
		out.Relevant++
		shape, err := sqlshape.Parse(string(s.Text), tables.columns(s.Schema))
		if err != nil || s.Truncated {
			out.NotJudged = append(out.NotJudged, s)
			continue
		}
		if a, found := adviseStatement(s, shape, tables); found {
			all = append(all, a)
		} else if !tables.know(s.Schema, shape) {
			out.NotJudged = append(out.NotJudged, s)
		}
	}
	out.Missing = merge(all)
	w.findReplaced(out.Missing)
	slices.SortFunc(out.Missing, func(a, b Advice) int {
		return cmp.Or(cmp.Compare(b.Freed().Lo, a.Freed().Lo), strings.Compare(a.name(), b.name()))
	})
	return out
}

// relevant returns the statements that show the evidence.
func (w Workload) relevant() []Statement {
	var out []Statement
	for _, s := range w.Statements {
		if s.Own || s.Calls == 0 || s.Seconds/s.WindowSeconds < w.MinLoad {
			continue
		}
		if s.examined() >= MinExamined && s.examined() >= MinRatio*max(s.returned(), 1) {
			out = append(out, s)
		}
	}
	return out
}

// Freed sums what all statements gain: statement time a second.
func (a Advice) Freed() Interval {
	var sum Interval
	for _, b := range a.Benefits {
		sum.Lo += b.SecondsFreed.Lo
		sum.Hi += b.SecondsFreed.Hi
	}
	return sum
}

func (a Advice) name() string {
	return a.Table.Schema + "." + a.Table.Name + " (" + strings.Join(a.columnNames(), ", ") + ")"
}

func (a Advice) columnNames() []string {
	var out []string
	for _, p := range a.Columns {
		out = append(out, p.Column)
	}
	return out
}

// merge makes one advice of those that an index can serve together: one whose
// columns begin the other's is served by the longer.
func merge(all []Advice) []Advice {
	slices.SortStableFunc(all, func(a, b Advice) int { return cmp.Compare(len(b.Columns), len(a.Columns)) })
	var out []Advice
	for _, a := range all {
		i := slices.IndexFunc(out, func(wider Advice) bool {
			return wider.Table == a.Table && slices.Equal(wider.Columns[:min(len(a.Columns), len(wider.Columns))], a.Columns)
		})
		if i < 0 {
			out = append(out, a)
			continue
		}
		out[i].Benefits = append(out[i].Benefits, a.Benefits...)
		out[i].Sure = out[i].Sure || a.Sure
	}
	for _, a := range out {
		slices.SortStableFunc(a.Benefits, func(x, y Benefit) int { return cmp.Compare(y.SecondsFreed.Lo, x.SecondsFreed.Lo) })
	}
	return out
}
