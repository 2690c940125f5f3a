package slowlog

import (
	"slices"
	"strings"
)

// Names are the databases, users or hosts of a statement, with how many calls each made: the first
// mostNames in the order of the alphabet. Which those are does not depend on the order of the calls,
// and one that is among them at the end was so all the time, so its calls are complete.
type Names struct {
	// List is in the order of the alphabet.
	List []Name
	// More says that there are others.
	More bool
}

// Name is one of Names.
type Name struct {
	Name  string
	Calls uint64
}

// mostNames bounds the names of a statement; an agency's server has hundreds of databases.
const mostNames = 20

// longestName bounds a name, in bytes: names of accounts, hosts and databases are shorter.
const longestName = 255

// spellings has each name once, because every statement has the same few. nil is none.
type spellings map[string]string

// mostSpellings bounds what is kept of a hostile log.
const mostSpellings = 10_000

// of returns a name as a string.
func (s spellings) of(name []byte) string {
	if have, ok := s[string(name)]; ok {
		return have
	}
	text := string(name)
	if s != nil && len(s) < mostSpellings && len(text) <= longestName {
		s[text] = text
	}
	return text
}

// kind is what a name is of.
type kind uint8

const (
	databases kind = iota
	users
	hosts
	kinds // how many there are
)

// callers are the names of all kinds. They stand in one list, because most statements have one or two
// of each.
type callers struct {
	list []Name
	end  [kinds]uint8 // where in list the names of a kind end
	last [kinds]uint8 // which of its kind was counted last, and is often the next one
	more [kinds]bool
}

// of returns the names of a kind.
func (c *callers) of(k kind) []Name {
	if k == 0 {
		return c.list[:c.end[0]]
	}
	return c.list[c.end[k-1]:c.end[k]]
}

func (c *callers) names(k kind) Names { return Names{List: c.of(k), More: c.more[k]} }

// add counts calls for a name. The empty name is none.
func (c *callers) add(k kind, name []byte, calls uint64, known spellings) {
	if len(name) == 0 {
		return
	}
	name = name[:min(len(name), longestName)]
	list, i := c.of(k), int(c.last[k])
	if i >= len(list) || list[i].Name != string(name) {
		if len(list) == mostNames && list[mostNames-1].Name < string(name) {
			c.more[k] = true // and no copy is made of it
			return
		}
		i = slices.IndexFunc(list, func(n Name) bool { return n.Name == string(name) })
	}
	if i < 0 {
		i = c.insert(k, known.of(name))
	}
	c.count(k, i, calls)
}

// count counts calls for the name at i; -1 is none.
func (c *callers) count(k kind, i int, calls uint64) {
	if i < 0 {
		return
	}
	name := &c.of(k)[i]
	name.Calls = plus(name.Calls, calls)
	c.last[k] = uint8(i) //nolint:gosec // below mostNames
}

// insert puts a new name where it belongs, which it returns; -1 if that is behind the first mostNames.
func (c *callers) insert(k kind, name string) int {
	list := c.of(k)
	i := 0
	for i < len(list) && list[i].Name < name {
		i++
	}
	if len(list) == mostNames {
		c.more[k] = true
		if i == mostNames {
			return -1
		}
		copy(list[i+1:], list[i:])
		list[i] = Name{Name: name}
		return i
	}
	if c.list == nil {
		c.list = make([]Name, 0, kinds)
	}
	c.list = slices.Insert(c.list, int(c.end[k])-len(list)+i, Name{Name: name})
	for ; k < kinds; k++ {
		c.end[k]++
	}
	return i
}

func (c *callers) merge(o *callers) {
	for k := range kinds {
		for _, name := range o.of(k) {
			i := slices.IndexFunc(c.of(k), func(n Name) bool { return n.Name == name.Name })
			if i < 0 {
				i = c.insert(k, name.Name)
			}
			c.count(k, i, name.Calls)
		}
		c.more[k] = c.more[k] || o.more[k]
	}
}

// String lists the names, for tests and messages.
func (n Names) String() string {
	var list []string
	for _, name := range n.List {
		list = append(list, name.Name)
	}
	if n.More {
		list = append(list, "…")
	}
	return strings.Join(list, ", ")
}
