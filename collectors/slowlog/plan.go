package slowlog

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"plimsoll/collectors/snapshot"
	"plimsoll/collectors/sqltext"
)

const explainLine = "# explain: "

// planColumns are those of the first line: id select_type table type possible_keys key key_len ref
// rows r_rows filtered r_filtered Extra.
const planColumns = 13

// ParsePlan reads the plan of an entry, from its lines "# explain: " of MariaDB's slow log. Lines that it
// does not understand are left out.
func ParsePlan(explain []byte) []snapshot.PlanTable {
	var plan []snapshot.PlanTable
	for len(explain) > 0 {
		var line []byte
		line, explain = cutLine(explain)
		text, ok := bytes.CutPrefix(line, []byte(explainLine))
		if !ok {
			continue
		}
		cells := strings.Split(string(text), "\t")
		if len(cells) == planColumns && cells[0] != "id" {
			plan = append(plan, planTable(cells))
		}
	}
	return plan
}

func planTable(c []string) snapshot.PlanTable {
	table := snapshot.PlanTable{
		SelectType: word(c[1]), Table: word(c[2]), Access: word(c[3]), Key: word(c[5]), KeyLength: word(c[6]), Ref: word(c[7]),
		Rows: number(c[8]), RowsRead: number(c[9]), FilteredRatio: ratio(c[10]), ReadFilteredRatio: ratio(c[11]),
		Extra: snapshot.Redacted(sqltext.RedactMessage(word(c[12]))),
	}
	if id, err := strconv.ParseUint(c[0], 10, 64); err == nil {
		table.Select = &id
	}
	if keys := word(c[4]); keys != "" {
		table.PossibleKeys = strings.Split(keys, ",")
	}
	return table
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
