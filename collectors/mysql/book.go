package mysql

// booking adds what a round counted to the totals of a ledger.
type booking struct {
	*ledger
	active []*digestGroup // that counted something

	// table is how many calls the digest table counted, and calls how many were
	// added, of whichever source leads. Both hold those of our own statements.
	table, calls uint64
	// beyondCalls and beyondTime are what the log showed of the statements that
	// it leads, less what the table counted of the same; in nanoseconds.
	beyondCalls, beyondTime int64
}

// book adds what a round counted to the totals and the series: of c, what the
// digest table leads, and of logged, what the log does.
func (l *ledger) book(c change, logged []*logged) *booking {
	b := &booking{ledger: l}
	l.other.add(&c.orphaned)
	for _, row := range c.active {
		if row.overhead {
			row.delta[sumCalls] = 0
		}
		b.table += row.delta[sumCalls]
		b.row(row)
	}
	for _, s := range logged {
		b.logged(s)
	}
	l.expose(b.active)
	return b
}

// row adds a row of the digest table, unless the log leads its statement.
func (b *booking) row(row *digestRow) {
	g := row.group
	if g != nil && !g.own {
		lead := b.leaders.leader(g.fingerprint)
		if lead.log || lead.led {
			row.pending = sums{} // The log counted it while the text of the row was not known.
		}
		if lead.log {
			b.beyondCalls -= int64(row.delta[sumCalls])
			b.beyondTime -= int64(row.delta[sumTime])
			return
		}
	}
	b.calls += row.delta[sumCalls]
	switch {
	case row.digest == "":
		b.overflow.add(&row.delta)
	case g == nil && row.tries < maxTextTries:
		row.pending.add(&row.delta)
	case g == nil:
		b.other.add(&row.pending)
		b.other.add(&row.delta)
		row.pending = sums{}
	case !g.own:
		row.delta.add(&row.pending)
		row.pending = sums{}
		g.logged = false
		b.count(g, &row.delta, row.first, row.last)
	}
}

// logged adds a statement of the slow log, if the log leads it. Where it took
// over just now, what had been written before is in what the table counted.
func (b *booking) logged(s *logged) {
	lead := b.leaders.leader(s.fingerprint)
	if !lead.log {
		return
	}
	g := b.group(groupKey{s.schema, s.fingerprint})
	if s.statement.Fingerprint != "" && !g.own {
		b.tell(s.statement)
	}
	delta := s.counted
	if !lead.led && !lead.fresh {
		delta, _ = delta.minus(&s.marked)
	}
	if g.own || delta == (sums{}) {
		return
	}
	b.calls += delta[sumCalls]
	b.beyondCalls += int64(delta[sumCalls])
	b.beyondTime += int64(delta[sumTime])
	g.logged, g.estimated = true, g.estimated || s.estimated
	b.count(g, &delta, s.first, s.last)
}

// count adds to a statement.
func (b *booking) count(g *digestGroup, delta *sums, first, last int64) {
	if g.delta == (sums{}) {
		b.active = append(b.active, g)
	}
	g.delta.add(delta)
	g.total.add(delta)
	if g.first == 0 || first != 0 && first < g.first {
		g.first = first
	}
	g.last = max(g.last, last)
}
