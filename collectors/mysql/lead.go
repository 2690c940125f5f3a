package mysql

import (
	"plimsoll/collectors/snapshot"
	"plimsoll/collectors/sqltext"
)

// leadership says which of two sources counts a statement: the digest table or
// the slow log. What both show must count once, and neither shows all: MariaDB's
// table misses prepared statements, a log what is fast. So the one that counted
// more over the last rounds leads, and only what the leader counted is added.
//
// The two are read one after the other, and what a statement does between them
// is in one round of the one and in another of the other. A change of leader
// must not add it twice. In each round
//
//	the log is read up to L, the table at T, and then it is noted how far the log is written: M
//
// where L < T < M. A server logs a statement before it counts it, so what the
// table counted by T is in the log by M. Where the log takes over, it adds from M
// on, to what the table counted up to T; where the table does, it adds from T on,
// to what the log showed up to L. A call between two of these moments can be
// left out then, and none counts twice.
type leadership struct {
	contests map[string]*contest // by fingerprint, of what the log showed
	round    int
	// alone is true if there is no digest table to read, and was that if there
	// was none in the round before.
	alone, wasAlone bool

	// cut are truncated texts of the table, and whole says with which of them a
	// statement of the log begins: they are one, or several, and have one leader.
	cut   []sqltext.Statement
	whole map[string]string
}

// maxCut bounds the truncated texts that are remembered. A site with more needs
// a larger max_digest_length.
const maxCut = 500

// contestRounds is over how many rounds the two sources are compared.
const contestRounds = 10

// verdict is who leads a statement.
type verdict struct {
	log bool // the log does
	led bool // it did in the round before
	// fresh is true if nobody had counted it before, so that nothing can count
	// twice.
	fresh bool
}

// contest is what both sources counted of a statement.
type contest struct {
	verdict
	// table and entries are calls that the table counted, and entries that the
	// log had, by round. A call that stands for others is one entry: an estimate
	// leads only by what it really saw.
	table, entries [contestRounds]uint64
}

func newLeadership() leadership {
	return leadership{contests: map[string]*contest{}, whole: map[string]string{}}
}

// of returns under which fingerprint the table counts a statement.
func (l *leadership) of(fingerprint string) string {
	if cut, found := l.whole[fingerprint]; found {
		return cut
	}
	return fingerprint
}

// turn takes what both sources counted in a round, by fingerprint, and decides
// who leads in it. known reports whether a statement was counted before. The log
// takes a statement over only if all was read that had been written at M of the
// last round.
func (l *leadership) turn(table, entries map[string]uint64, caughtUp bool, known func(string) bool) {
	l.round = (l.round + 1) % contestRounds
	l.wasAlone, l.alone = l.alone, false
	fresh := map[string]bool{}
	for fingerprint := range entries {
		if l.contests[fingerprint] == nil {
			l.contests[fingerprint] = &contest{}
			fresh[fingerprint] = !known(fingerprint)
		}
	}
	for fingerprint, c := range l.contests {
		c.table[l.round], c.entries[l.round] = table[fingerprint], entries[fingerprint]
		silent, idle := c.decide(caughtUp, fresh[fingerprint]), table[fingerprint]+entries[fingerprint] == 0
		if silent && !c.log || idle && len(l.contests) > maxGroups {
			delete(l.contests, fingerprint)
		}
	}
}

// turnAlone is a round without a digest table: the log counts everything.
func (l *leadership) turnAlone() { l.wasAlone, l.alone = l.alone, true }

// decide sets who leads, and reports whether neither counted anything for long.
// What is fresh was never counted, and cannot count twice.
//
// It takes a tenth more to depose the other: where both see everything they
// differ by what happens between two readings, and each change can leave a call
// out. New statements that both show alike are the table's, which tells more.
func (c *contest) decide(caughtUp, fresh bool) (silent bool) {
	var table, entries uint64
	for i := range c.table {
		table += c.table[i]
		entries += c.entries[i]
	}
	c.led, c.fresh = c.log, fresh
	switch {
	case entries > table && 10*(entries-table) > table && (caughtUp || c.led || c.fresh):
		c.log = true
	case table > entries && 10*(table-entries) > entries:
		c.log = false
	}
	return table == 0 && entries == 0
}

// leader says who leads a statement in this round.
func (l *leadership) leader(fingerprint string) verdict {
	if l.alone {
		return verdict{log: true, led: l.wasAlone}
	}
	if c := l.contests[l.of(fingerprint)]; c != nil {
		return c.verdict
	}
	return verdict{}
}

// truncated tells of a text of the table that the server cut; known are all
// texts so far.
func (l *leadership) truncated(cut sqltext.Statement, known []snapshot.DigestText) {
	if len(l.cut) < maxCut {
		l.cut = append(l.cut, cut)
	}
	for i := range known {
		if t := &known[i]; l.contests[t.Fingerprint] != nil && !t.Truncated && begins(string(t.Text), cut.Text) {
			l.whole[t.Fingerprint] = cut.Fingerprint
			delete(l.contests, t.Fingerprint)
		}
	}
}

// join tells of a statement that the log shows for the first time.
func (l *leadership) join(s sqltext.Statement) {
	if len(l.whole) > maxGroups {
		clear(l.whole)
	}
	for i := range l.cut {
		if begins(s.Text, l.cut[i].Text) {
			l.whole[s.Fingerprint] = l.cut[i].Fingerprint
			return
		}
	}
}

// begins reports whether a statement begins with a truncated text. Most are too
// short for that, though the text may quote names that the statement does not.
func begins(whole, cut string) bool {
	return len(cut) < 2*len(whole) && sqltext.HasPrefixOf(whole, cut)
}
