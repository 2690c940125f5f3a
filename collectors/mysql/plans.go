package mysql

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"plimsoll/collectors/slowlog"
	"plimsoll/collectors/snapshot"
	"plimsoll/collectors/sqltext"
)

const (
	// maxPlanBytes bounds a plan as the log has it, and maxPlanTables its steps.
	maxPlanBytes  = 16 << 10
	maxPlanTables = 64
	// maxPlanName bounds a name in it, in runes, and maxPlanKeys the indexes that
	// were possible.
	maxPlanName = 128
	maxPlanKeys = 16
)

// plans are those of the statements that took most time, of which the log had
// any.
type plans map[groupKey]snapshot.StatementPlan

// keptPlans are the plans that were published last.
func keptPlans(rows []snapshot.StatementPlan) plans {
	p := plans{}
	for _, row := range rows[:min(len(rows), snapshot.MaxPlans)] {
		p[groupKey{row.Schema, row.Fingerprint}] = row
	}
	return p
}

// keep takes the plans of a round, and of all keeps those whose statements took
// most time in all.
func (p plans) keep(round []*logged, l *ledger, now time.Time) {
	for _, s := range round {
		key := groupKey{s.schema, s.fingerprint}
		g := l.groups[key]
		if len(s.plan) == 0 || g == nil || g.own {
			continue
		}
		p[key] = snapshot.StatementPlan{
			Fingerprint: s.fingerprint, Schema: s.schema, Logged: now.UTC(),
			Seconds: float64(s.planMicros) / 1e6, Tables: bounded(slowlog.ParsePlan(s.plan)),
		}
	}
	for _, key := range p.order(l)[min(len(p), snapshot.MaxPlans):] {
		delete(p, key)
	}
}

// order lists the statements by the time that they took.
func (p plans) order(l *ledger) []groupKey {
	spent := func(key groupKey) uint64 {
		if g := l.groups[key]; g != nil {
			return g.total[sumTime]
		}
		return 0
	}
	return slices.SortedFunc(maps.Keys(p), func(a, b groupKey) int {
		return cmp.Or(cmp.Compare(spent(b), spent(a)), a.compare(b))
	})
}

// rows are the plans as a snapshot has them.
func (p plans) rows(l *ledger) []snapshot.StatementPlan {
	rows := make([]snapshot.StatementPlan, 0, len(p))
	for _, key := range p.order(l) {
		rows = append(rows, p[key])
	}
	return rows
}

// bounded cuts a plan to what a snapshot holds of one.
func bounded(plan []snapshot.PlanTable) []snapshot.PlanTable {
	plan = plan[:min(len(plan), maxPlanTables)]
	for i := range plan {
		t := &plan[i]
		for _, name := range []*string{&t.SelectType, &t.Table, &t.Access, &t.Key, &t.KeyLength, &t.Ref, (*string)(&t.Extra)} {
			*name = sqltext.Clip(*name, maxPlanName)
		}
		t.PossibleKeys = t.PossibleKeys[:min(len(t.PossibleKeys), maxPlanKeys)]
		for k := range t.PossibleKeys {
			t.PossibleKeys[k] = sqltext.Clip(t.PossibleKeys[k], maxPlanName)
		}
	}
	return plan
}
