package index

import "strings"

// writes is how often rows of a table are written, in rows a second.
type writes struct {
	inserted, deleted float64
	// updated is by column: only an index that holds one that changes is written.
	updated map[int]float64
	// load is the time of the statements that write, in seconds a second.
	load float64
	// statements are those that write.
	statements []*Statement
}

// What an entry of a secondary index takes to be written, in microseconds: measured as 0.9 for one of
// 30 bytes, and 1.8 for one of 100 bytes, with 10,000 rows a batch in memory.
const (
	writeMicros     = 0.5
	writeByteMicros = 0.013
)

// writeCost is the time that a design takes to be kept up to date, in seconds a second.
func (d *design) writeCost() float64 {
	w := &d.table.writes
	entries := w.inserted + w.deleted
	var changed float64
	for _, p := range d.parts {
		changed = max(changed, w.updated[p.column])
	}
	entries += 2 * changed // the old entry is marked, the new one is inserted
	return entries * d.entryMicros() / 1e6
}

func (d *design) entryMicros() float64 { return writeMicros + d.entry*writeByteMicros }

// count adds what a statement writes.
func (w *writes) count(s *Statement, t *table, sets []string) {
	perSecond := float64(s.RowsAffected) / max(s.WindowSeconds, 1e-9)
	w.load += s.Seconds / max(s.WindowSeconds, 1e-9)
	w.statements = append(w.statements, s)
	switch {
	case len(sets) > 0:
		if w.updated == nil {
			w.updated = map[int]float64{}
		}
		for _, name := range sets {
			if at, ok := t.position[strings.ToLower(name)]; ok {
				w.updated[at] += perSecond
			}
		}
	case strings.HasPrefix(strings.ToUpper(strings.TrimSpace(string(s.Text))), "DELETE"):
		w.deleted += perSecond
	default:
		w.inserted += max(perSecond, float64(s.Calls)/max(s.WindowSeconds, 1e-9))
	}
}
