package mysql

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"plimsoll/collectors/snapshot"
)

// maxTableSeries is how many tables of a server have series of their own.
const maxTableSeries = 50

// useJob is the job mysql/use. The server's totals are published as they are.
// The job remembers since when they count, because an index that was not used
// since a TRUNCATE an hour ago is not an unused index, and accumulates the
// series of tables.
type useJob struct {
	server *Server

	mu    sync.Mutex
	state useState
}

func newUseJob(s *Server) *useJob { return &useJob{server: s, state: newUseState()} }

// useState is what outlives the agent.
type useState struct {
	Server  string    `json:"server"`
	Started time.Time `json:"started"`
	Source  string    `json:"source"`
	Since   time.Time `json:"since"`
	Epoch   string    `json:"epoch"`
	// Seen is each table at the last read, Shown its accumulator; Other is the
	// accumulator of those without a series.
	Seen  map[tableKey]tableSums `json:"seen"`
	Shown map[tableKey]tableSums `json:"shown"`
	Other tableSums              `json:"other"`
	Quiet map[tableKey]int       `json:"quiet"`

	roster roster[tableKey]
}

func newUseState() useState {
	s := useState{
		Seen: map[tableKey]tableSums{}, Shown: map[tableKey]tableSums{},
		roster: newRoster(maxTableSeries, tableKey.compare),
	}
	s.Quiet = s.roster.quiet
	return s
}

// tableKey is schema and table, with a zero byte between.
type tableKey string

func (k tableKey) compare(o tableKey) int { return cmp.Compare(k, o) }

func keyOf(schema, table string) tableKey { return tableKey(schema + "\x00" + table) }

// tableSums are the reads, inserts, updates, deletes and nanoseconds of a table.
type tableSums [5]uint64

func sumsOf(t *snapshot.TableUse) tableSums {
	s := tableSums{t.Reads, t.Inserts, t.Updates, t.Deletes, 0}
	if t.Seconds != nil {
		s[4] = uint64(*t.Seconds * 1e9)
	}
	return s
}

func (s *tableSums) add(o tableSums) {
	for i := range s {
		s[i] += o[i]
	}
}

// since returns what was counted after before; all of it if anything fell, as
// it does when a table is made anew.
func (s tableSums) since(before tableSums) (delta tableSums, fell bool) {
	for i := range s {
		if s[i] < before[i] {
			return s, true
		}
		delta[i] = s[i] - before[i]
	}
	return delta, false
}

// weight is what tables are ranked by: time, or else rows.
func (s tableSums) weight() uint64 {
	if s[4] > 0 {
		return s[4]
	}
	return s[0] + s[1] + s[2] + s[3]
}

// Collect implements collectors.Collector.
func (j *useJob) Collect(ctx context.Context, into *snapshot.Snapshot) error {
	return j.server.round(ctx, into, func(ctx context.Context, q *session, parts *snapshot.Server) error {
		use, err := q.readUse(ctx)
		if err != nil {
			return err
		}
		sortUse(use)
		use.Taken = time.Now()
		parts.Use = use
		if use.Source == "" {
			return nil
		}
		j.mu.Lock()
		defer j.mu.Unlock()
		j.state.follow(&q.identity, use, use.Taken)
		return nil
	})
}

// follow takes a read and completes it with what is remembered.
func (s *useState) follow(id *snapshot.Identity, use *snapshot.Use, now time.Time) {
	known := s.Server == id.Key && s.Source == use.Source
	restarted := known && !s.Started.Equal(id.Started)
	deltas, fell, stood := s.deltas(use, known, restarted)
	switch {
	case !known && use.Source == "userstat":
		s.begin(now, now) // It can be switched on at any time.
	case !known || restarted:
		s.begin(id.Started, now)
	case fell > stood:
		s.begin(now, now) // The statistics were emptied.
	case fell > 0:
		s.begin(s.Since, now) // A table was made anew: only its totals fell.
	}
	s.Server, s.Started, s.Source = id.Key, id.Started, use.Source
	s.Seen = make(map[tableKey]tableSums, len(use.Tables))
	for i := range use.Tables {
		t := &use.Tables[i]
		s.Seen[keyOf(t.Schema, t.Table)] = sumsOf(t)
	}
	s.book(deltas)
	use.Since, use.Epoch, use.Series = s.Since, s.Epoch, s.series(use.Source)
}

func (s *useState) begin(since, now time.Time) {
	s.Since, s.Epoch = since.UTC().Truncate(time.Second), newEpoch(now)
}

// deltas returns what each table counted since the last read, how many tables
// fell, and how many that had counted something did not. A table that was not
// there before counts whole: the server lists a table when it first opens it.
func (s *useState) deltas(use *snapshot.Use, known, restarted bool) (deltas map[tableKey]tableSums, fell, stood int) {
	deltas = map[tableKey]tableSums{}
	if !known {
		return deltas, 0, 0
	}
	for i := range use.Tables {
		t := &use.Tables[i]
		key := keyOf(t.Schema, t.Table)
		delta, less := sumsOf(t), false
		if !restarted {
			delta, less = delta.since(s.Seen[key])
		}
		switch {
		case less:
			fell++
		case s.Seen[key] != (tableSums{}):
			stood++
		}
		if delta != (tableSums{}) {
			deltas[key] = delta
		}
	}
	return deltas, fell, stood
}

// book adds to the accumulators.
func (s *useState) book(deltas map[tableKey]tableSums) {
	active := slices.SortedFunc(maps.Keys(deltas), func(a, b tableKey) int {
		return cmp.Or(cmp.Compare(deltas[b].weight(), deltas[a].weight()), a.compare(b))
	})
	coming := s.roster.turn(active)
	for _, key := range active {
		if !s.roster.has(key) {
			s.Other.add(deltas[key])
			continue
		}
		shown := s.Shown[key]
		shown.add(deltas[key])
		s.Shown[key] = shown
	}
	s.roster.admit(coming)
	s.forget()
}

// forget drops the accumulators of tables that are gone for good, and so cannot
// come back below their old value.
func (s *useState) forget() {
	maps.DeleteFunc(s.Shown, func(key tableKey, _ tableSums) bool {
		_, there := s.Seen[key]
		return !there && !s.roster.has(key) && len(s.Shown) > 10*maxTableSeries
	})
}

func (s *useState) series(source string) []snapshot.TableUse {
	var out []snapshot.TableUse
	add := func(schema, table string, t tableSums) {
		use := snapshot.TableUse{Schema: schema, Table: table, Reads: t[0], Inserts: t[1], Updates: t[2], Deletes: t[3]}
		if source == "performance_schema" {
			use.Seconds = new(seconds(t[4]))
		}
		out = append(out, use)
	}
	for _, key := range s.roster.members() {
		schema, table, _ := strings.Cut(string(key), "\x00")
		add(schema, table, s.Shown[key])
	}
	add("", seriesOther, s.Other)
	return out
}

// Save implements collectors.Keeper.
func (j *useJob) Save() (json.RawMessage, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return json.Marshal(&j.state)
}

// Load implements collectors.Keeper.
func (j *useJob) Load(state json.RawMessage) error {
	s := newUseState()
	if err := json.Unmarshal(state, &s); err != nil {
		return fmt.Errorf("take up the use of tables: %w", err)
	}
	if s.Seen == nil || s.Shown == nil || s.Quiet == nil {
		return fmt.Errorf("take up the use of tables: %w", errState)
	}
	s.roster.quiet = s.Quiet
	j.mu.Lock()
	defer j.mu.Unlock()
	j.state = s
	return nil
}
