package mysql

// booking adds what a round counted to the totals of a ledger.
type booking struct {
	*ledger
	active []*digestGroup // that counted something

	// table is how many calls the digest table counted, and calls how many were
	// added, of whichever source leads. Both hold those of our own statements.
	table, calls uint64
	// full is what found the table full, and unplaced how many calls of that the
	// log does not show either.
	full     sums
	unplaced uint64
	// beyond is what the log showed of the statements that it leads, less what the
	// table counted of the same and what found it full.
	beyond [sumCount]int64
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
	b.overflowed()
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
			b.show(&row.delta, -1)
			return
		}
	}
	if row.digest == "" {
		b.full.add(&row.delta)
		return
	}
	b.calls += row.delta[sumCalls]
	switch {
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
	b.show(&delta, 1)
	g.logged, g.estimated = true, g.estimated || s.estimated
	b.count(g, &delta, s.first, s.last)
}

// show adds to what the log shows beyond the table; sign is -1 for what the table
// counted.
func (b *booking) show(delta *sums, sign int64) {
	for i, n := range delta {
		b.beyond[i] += sign * int64(n)
	}
}

// overflowed adds what found the table full, less what the log shows: that is
// counted by its name. The two are not read at one moment, so that what the log
// showed too much of in the last round may be what the table counts in this one.
func (b *booking) overflowed() {
	for i, full := range b.full {
		beyond := uint64(max(b.beyond[i], 0))
		shown := min(full, b.ahead[i]+beyond)
		b.overflow[i] += full - shown
		b.ahead[i] = min(b.ahead[i]+beyond-shown, beyond)
		b.beyond[i] -= int64(shown)
		if i == sumCalls {
			b.unplaced = full - shown
		}
	}
	b.calls += b.unplaced
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
