package slowlog

// group is some entries that were read before the first of them is added. Each changes a class, and these are far
// apart in memory: what is known beforehand is fetched side by side, and not one after the other.
type group struct {
	members [groupSize]member
	n       int
	fetched uint64 // or the compiler would leave fetching out
}

// groupSize is how many lines of memory a processor fetches at once, and more.
const groupSize = 16

type member struct {
	entry Entry
	at    position
}

// addBatch adds the entries of a batch.
func (a *Aggregate) addBatch(file string, b *batch, d *decoder, g *group) {
	d.begin(b)
	for _, s := range b.spans {
		m := &g.members[g.n]
		why := d.decode(b, s, &m.entry)
		if why != "" {
			b.skip(s, why)
			continue
		}
		m.at = position{file: file, line: s.line}
		if !a.takes(&m.entry) {
			continue
		}
		if g.n++; g.n == groupSize {
			a.addGroup(g)
		}
	}
	a.addGroup(g)
	a.skipBatch(file, b)
}

// addGroup adds the entries of a group, and empties it.
func (a *Aggregate) addGroup(g *group) {
	members := g.members[:g.n]
	for i := range members {
		m := &members[i]
		m.at.shape = a.digester.Shape(textOf(&m.entry))
	}
	for i := range members {
		if c := a.recent[members[i].at.shape%manyRecent]; c != nil {
			g.fetched += c.fetch()
		}
	}
	for i := range members {
		a.count(&members[i].entry, &members[i].at)
	}
	g.n = 0
}

// fetch reads something of each line of memory that add changes.
func (c *Class) fetch() uint64 {
	sum := c.Calls + uint64(c.Durations.fewCalls) + c.totals[0].Calls + c.totals[totalled-1].Max
	if names := c.callers.list; len(names) > 0 {
		sum += names[0].Calls + names[len(names)-1].Calls
	}
	return sum
}
