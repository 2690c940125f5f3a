package slowlog

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"plimsoll/collectors/snapshot"
	"plimsoll/collectors/sqltext"
)

// PlanRow is a line "# explain: " of MariaDB's slow log: one table of the plan by which a call ran, with
// the rows that the optimizer expected and those that were read.
type PlanRow struct {
	// ID is the number of the SELECT; nil for the result of a union.
	ID           *uint64
	SelectType   string // PRIMARY, SIMPLE, DERIVED …
	Table        string // or its alias; empty if there is none
	Type         string // ALL, index, range, ref, eq_ref, const …
	PossibleKeys []string
	Key          string // empty if no index is used
	KeyLen       string
	Ref          string
	// Rows is how many rows a look-up was expected to read, ReadRows how many it read on average; nil
	// where the server says NULL.
	Rows, ReadRows *float64
	// FilteredRatio is the share of these expected to stay, from 0 to 1, and ReadFilteredRatio that
	// which stayed.
	FilteredRatio, ReadFilteredRatio *float64
	Extra                            snapshot.Redacted
}

const explainLine = "# explain: "

// planColumns are those of the first line: id select_type table type possible_keys key key_len ref
// rows r_rows filtered r_filtered Extra.
const planColumns = 13

// ParsePlan reads the plan of an entry. Lines that it does not understand are left out.
func ParsePlan(explain []byte) []PlanRow {
	var plan []PlanRow
	for len(explain) > 0 {
		var line []byte
		line, explain = cutLine(explain)
		text, ok := bytes.CutPrefix(line, []byte(explainLine))
		if !ok {
			continue
		}
		cells := strings.Split(string(text), "\t")
		if len(cells) == planColumns && cells[0] != "id" {
			plan = append(plan, planRow(cells))
		}
	}
	return plan
}

func planRow(c []string) PlanRow {
	row := PlanRow{
		SelectType: word(c[1]), Table: word(c[2]), Type: word(c[3]), Key: word(c[5]), KeyLen: word(c[6]), Ref: word(c[7]),
		Rows: number(c[8]), ReadRows: number(c[9]), FilteredRatio: ratio(c[10]), ReadFilteredRatio: ratio(c[11]),
		Extra: snapshot.Redacted(sqltext.RedactMessage(word(c[12]))),
	}
	if id, err := strconv.ParseUint(c[0], 10, 64); err == nil {
		row.ID = &id
	}
	if keys := word(c[4]); keys != "" {
		row.PossibleKeys = strings.Split(keys, ",")
	}
	return row
}

// word is a cell with a name, made printable; empty for NULL.
func word(cell string) string {
	if cell == "NULL" {
		return ""
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(cell, "\uFFFD"))
}

func number(cell string) *float64 {
	n, err := strconv.ParseFloat(cell, 64)
	if err != nil || n < 0 || n > 1e18 {
		return nil
	}
	return &n
}

func ratio(cell string) *float64 {
	n := number(cell)
	if n == nil || *n > 100 {
		return nil
	}
	*n /= 100
	return n
}
