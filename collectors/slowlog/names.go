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
	last int // the index of the last one counted, which is often the next one
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

// add counts calls for a name. The empty name is none.
func (n *Names) add(name []byte, calls uint64, known spellings) {
	if len(name) == 0 {
		return
	}
	name = name[:min(len(name), longestName)]
	if n.last < len(n.List) && string(name) == n.List[n.last].Name {
		n.List[n.last].Calls = plus(n.List[n.last].Calls, calls)
		return
	}
	i, found := n.find(name)
	if !found && i == mostNames {
		n.More = true
		return
	}
	if !found {
		n.insert(i, known.of(name))
	}
	n.List[i].Calls = plus(n.List[i].Calls, calls)
	n.last = i
}

// find returns where a name is, or belongs.
func (n *Names) find(name []byte) (i int, found bool) {
	for i := range n.List {
		if have := n.List[i].Name; have >= string(name) { // no copy is made to compare
			return i, have == string(name)
		}
	}
	return len(n.List), false
}

func (n *Names) insert(i int, name string) {
	n.List = slices.Insert(n.List, i, Name{Name: name})
	if len(n.List) > mostNames {
		n.List = n.List[:mostNames]
		n.More = true
	}
}

func (n *Names) merge(o *Names, known spellings) {
	for _, name := range o.List {
		n.add([]byte(name.Name), name.Calls, known)
	}
	n.More = n.More || o.More
}

// String lists the names, for tests and messages.
func (n *Names) String() string {
	var list []string
	for _, name := range n.List {
		list = append(list, name.Name)
	}
	if n.More {
		list = append(list, "…")
	}
	return strings.Join(list, ", ")
}
