package sqlshape

import (
	"fmt"
	"slices"
	"strings"
)

// describe writes a shape for people and tests, a table a line: what is absent is not written.
func describe(s *Shape) string {
	var b strings.Builder
	for i := range s.Tables {
		fmt.Fprintf(&b, "%s\n", strings.Join(s.describeTable(&s.Tables[i]), " "))
	}
	for i, block := range s.Blocks {
		if words := describeBlock(block); words != "" {
			fmt.Fprintf(&b, "block %d:%s\n", i, words)
		}
	}
	if s.Unresolved > 0 {
		fmt.Fprintf(&b, "unresolved %d\n", s.Unresolved)
	}
	if s.Partial {
		b.WriteString("partial\n")
	}
	return b.String()
}

func (s *Shape) describeTable(t *Table) []string {
	head := s.called(t)
	if t.Schema != "" {
		head = t.Schema + "." + head
	}
	if t.Derived {
		head += "(derived)"
	}
	out := []string{head + ":"}
	if t.Block > 0 {
		out = append(out, fmt.Sprintf("block%d", t.Block))
	}
	if t.Outer {
		out = append(out, "outer")
	}
	if t.Write {
		out = append(out, "write")
	}
	out = append(out, list("sets", t.Sets)...)
	out = append(out, describePredicates(&t.Predicates)...)
	for _, or := range t.Or {
		var branches []string
		for i := range or.Branches {
			branches = append(branches, strings.Join(describePredicates(&or.Branches[i]), " "))
		}
		word := "or"
		if or.Complete {
			word = "or!"
		}
		out = append(out, word+"("+strings.Join(branches, " | ")+")")
	}
	for _, j := range t.Joins {
		out = append(out, s.describeJoin(j))
	}
	out = append(out, list("order", ordered(t.Order))...)
	out = append(out, list("group", ordered(t.Group))...)
	needed := slices.Clone(t.Needed)
	if t.All {
		needed = append(needed, "*")
	}
	out = append(out, list("needs", needed)...)
	return append(out, list("hinted", t.Hinted)...)
}

// called returns the name of an occurrence: its alias if it has another.
func (s *Shape) called(t *Table) string {
	if t.Alias != t.Name && t.Name != "" {
		return t.Name + "/" + t.Alias
	}
	return t.Alias
}

func (s *Shape) describeJoin(j Join) string {
	words := ""
	if j.Correlated {
		words += "^"
	}
	if j.Semi {
		words += "~"
	}
	return fmt.Sprintf("join%s=%s=%s.%s", words, j.Column, s.Tables[j.To].Alias, j.ToColumn)
}

func describePredicates(p *Predicates) []string {
	var in, wrapped []string
	for _, i := range p.In {
		in = append(in, fmt.Sprintf("%s(%d)", i.Column, i.Values))
	}
	for _, w := range p.Wrapped {
		wrapped = append(wrapped, w.By+"("+w.Column+")")
	}
	var out []string
	for _, l := range []struct {
		name    string
		columns []string
	}{
		{"equal", p.Equal},
		{"in", in},
		{"null", p.Null},
		{"range", p.Range},
		{"notnull", p.NotNull},
		{"prefix", p.PrefixLike},
		{"like", p.Like},
		{"match", p.Match},
		{"wrapped", wrapped},
		{"other", p.Other},
	} {
		out = append(out, list(l.name, l.columns)...)
	}
	return out
}

func list(name string, values []string) []string {
	if len(values) == 0 {
		return nil
	}
	return []string{name + "=" + strings.Join(values, ",")}
}

func ordered(columns []Ordered) []string {
	var out []string
	for _, c := range columns {
		if c.Desc {
			out = append(out, c.Column+"-")
		} else {
			out = append(out, c.Column)
		}
	}
	return out
}

func describeBlock(b Block) string {
	var words string
	if b.Outer >= 0 {
		words += fmt.Sprintf(" in %d", b.Outer)
	}
	for _, w := range []struct {
		name string
		is   bool
	}{
		{"distinct", b.Distinct},
		{"aggregated", b.Aggregated},
		{"grouped", b.Grouped},
		{"ordered", b.Ordered},
		{"limited", b.Limited},
	} {
		if w.is {
			words += " " + w.name
		}
	}
	if b.Limit > 0 {
		words += fmt.Sprintf(" %d", b.Limit)
	}
	return words
}
