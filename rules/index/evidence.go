package index

import (
	"math"

	"plimsoll/rules/sqlshape"
)

// evidence is how selective the conditions of an occurrence are together, as its rows tell. What each
// of them is lies between its ends: blend 0 is the end at which it leaves most rows, 1 the other.
type evidence struct {
	blend float64
	// weight is an exponent on all of it, for what lies beyond the ends.
	weight float64
}

// useEvidence learns the selectivity of a statement's conditions from the rows that it returned: of a
// statement on one table that returns every row that matches, that is known.
func (q *query) useEvidence() {
	if len(q.shape.Tables) != 1 || q.occurrences[0] == nil || q.shape.Unresolved > 0 {
		return
	}
	o, b := q.occurrences[0], q.shape.Blocks[q.shape.Tables[0].Block]
	if gathers(b) && !q.readAll(b, o) || o.table.rows < 1 || math.IsInf(o.table.rows, 1) || q.Calls == 0 {
		return
	}
	if share := max(q.returned(), 0.5) / o.table.rows; share < 1 && len(o.conditions)+len(o.either) > 0 {
		o.seen = o.fit(share)
	}
}

// readAll reports whether a statement with a LIMIT returned all that match: less than the LIMIT, or
// after all rows were read although nothing had to be sorted.
func (q *query) readAll(b sqlshape.Block, o *occurrence) bool {
	if !b.Limited || b.Aggregated || b.Grouped || b.Distinct {
		return false
	}
	inOrder := !b.Ordered || o.inKeyOrder()
	return b.Limit > 0 && q.returned() < 0.9*float64(b.Limit) || inOrder && q.examined() >= 0.95*o.table.rows
}

// fit finds where between the ends the conditions leave this share of the rows together.
func (o *occurrence) fit(share float64) *evidence {
	at := func(blend float64) float64 {
		o.seen = &evidence{blend: blend, weight: 1}
		return o.rowsOut(0, likely) / o.table.rows
	}
	least, most := at(1), at(0)
	switch {
	case share <= least && least < 1:
		return &evidence{blend: 1, weight: max(math.Log(share)/math.Log(least), 1)}
	case share >= most:
		if most >= 1 {
			return nil
		}
		return &evidence{blend: 0, weight: math.Log(share) / math.Log(most)}
	}
	low, high := 0.0, 1.0
	const steps = 30
	for range steps {
		if middle := (low + high) / 2; at(middle) > share {
			low = middle
		} else {
			high = middle
		}
	}
	return &evidence{blend: low, weight: 1}
}

// between is a share that lies between two, as the evidence tells.
func (s *evidence) between(most, least float64) float64 {
	return math.Pow(most, 1-s.blend) * math.Pow(least, s.blend)
}

// exponent is that on all shares.
func (s *evidence) exponent() float64 {
	if s == nil {
		return 1
	}
	return s.weight
}
