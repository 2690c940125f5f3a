package sqltext

import (
	"slices"
	"strings"
)

// ParseFamily is the function [ParseFamily] for a text read with these options.
func (o Options) ParseFamily(sql string) Statement {
	var room canonRoom
	c := o.canonical(sql, &room, false)
	reads, writes := c.tables(c.class(), &tableFinder{})
	families := map[string]string{}
	for _, table := range slices.Concat(reads, writes) {
		name := table[strings.LastIndexByte(table, '.')+1:]
		if family := TableFamily(name); family != name {
			families[name] = family
		}
	}
	if len(families) == 0 {
		return o.Parse(sql)
	}
	for i := range c.items {
		if t := &c.items[i]; t.named() {
			if family, ok := families[tableName(t.text)]; ok {
				*t = item{kind: Name, text: family, dot: t.dot}
			}
		}
	}
	st := Parse(c.text())
	st.Origin, st.Prepared, st.Command = o.OriginOf(sql), c.command != "", c.command
	return st
}

// TableFamily returns the name of a table with # for its numbers, so that the tables that a program
// makes one a site, store, month or session have one name:
//
//	wp_12_posts                  wp_#_posts           a part between underscores that is a number
//	catalog_index_store1         catalog_index_store# the end of the last part, of two parts or more
//	search_tmp_65f0c3a1b2c3d4_7  search_tmp_#_#       a hexadecimal part: of 8 digits or more, or any
//	tmp_select_65f               tmp_select_#         that begins with a number in a temporary table
//
// Other digits are a name's own: oauth2_clients, t1, md5.
func TableFamily(name string) string {
	parts := strings.Split(name, "_")
	temporary := slices.Contains(parts, "tmp") || slices.Contains(parts, "temp")
	last := len(parts) - 1
	for i, part := range parts {
		switch letters := strings.TrimRight(part, "0123456789"); {
		case part == "":
		case letters == "", isHex(part) && (len(part) >= 8 || temporary && class[part[0]] == digit):
			parts[i] = "#"
		case i == last && i > 0 && letters != part:
			parts[i] = letters + "#"
		}
	}
	return strings.Join(parts, "_")
}

// isHex reports whether s has hexadecimal digits only, at least one of them no letter.
func isHex(s string) bool {
	return strings.Trim(s, "0123456789abcdefABCDEF") == "" && strings.ContainsAny(s, "0123456789")
}
