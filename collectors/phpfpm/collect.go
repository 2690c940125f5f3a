package phpfpm

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"plimsoll/collectors"
	"plimsoll/collectors/snapshot"
)

// The names of the jobs of this package, as gaps cite them.
const (
	job        = "phpfpm"
	jobProfile = "phpfpm/profile"
)

// Options says which host to read.
type Options struct {
	// Proc is the folder of the host's processes; /proc if empty.
	Proc string
	// Probe is the socket of plimsoll-probe; ProbeSocket if empty.
	Probe string
}

// Jobs returns the jobs that read PHP-FPM: the pools as anybody can see them, and what plimsoll-probe
// sampled of their workers.
func Jobs(o Options) []collectors.Job {
	proc := cmp.Or(o.Proc, os.Getenv("HOST_PROC"), "/proc")
	return []collectors.Job{
		{Name: job, Every: 15 * time.Second, Timeout: 10 * time.Second, Collector: &collector{proc: proc}},
		{Name: jobProfile, Every: 15 * time.Second, Timeout: 5 * time.Second, Collector: &profile{proc: proc, socket: cmp.Or(o.Probe, ProbeSocket)}},
	}
}

// collector reads pools without any privilege. It fills Snapshot.PHP.
type collector struct {
	proc  string
	kept  keptWork
	pages map[string]pageMemory // by pool, as keptWork
}

// keptWork is the state that outlives the agent.
type keptWork struct {
	Epoch string           `json:"epoch"`
	Pools map[string]*work `json:"pools"` // see keyOf
}

// Save returns the totals of all pools.
func (c *collector) Save() (json.RawMessage, error) { return json.Marshal(c.kept) }

// Load takes up the totals of an earlier run.
func (c *collector) Load(state json.RawMessage) error {
	var k keptWork
	if err := json.Unmarshal(state, &k); err != nil {
		return fmt.Errorf("load the totals of PHP-FPM: %w", err)
	}
	if k.Epoch == "" {
		return errors.New("load the totals of PHP-FPM: they have no epoch")
	}
	c.kept = k
	return nil
}

// Collect reads all masters once. Without one there is nothing to say.
func (c *collector) Collect(ctx context.Context, into *snapshot.Snapshot) error {
	masters, err := Find(c.proc)
	if err != nil || len(masters) == 0 {
		return err
	}
	boot, err := bootTime(c.proc)
	if err != nil {
		return err
	}
	if c.kept.Epoch == "" {
		c.kept = keptWork{Epoch: newEpoch()}
	}
	r := round{collector: c, ctx: ctx, boot: boot, out: &snapshot.PHP{}, kept: map[string]*work{}, pages: map[string]pageMemory{}}
	r.out.Taken, r.out.Epoch = time.Now(), c.kept.Epoch
	r.queues, err = OurQueues()
	if err != nil {
		r.gap("", "how many connections wait in front of pools is not known: "+err.Error(), "")
	}
	for _, m := range masters {
		r.master(m)
	}
	slices.SortFunc(r.out.Pools, func(a, b snapshot.FPMPool) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Server, b.Server))
	})
	c.kept.Pools, c.pages = r.kept, r.pages
	into.PHP = r.out
	return nil
}

// newEpoch names a stretch of time by its beginning: two agents of one host do not begin in one nanosecond.
func newEpoch() string { return strconv.FormatInt(time.Now().UnixNano(), 36) }

// round is one Collect.
type round struct {
	*collector
	ctx    context.Context //nolint:containedctx // of one call, and of nothing else
	boot   time.Time
	queues *Queues // nil if they are not known
	out    *snapshot.PHP
	kept   map[string]*work
	pages  map[string]pageMemory
}

func (r *round) gap(subject, reason, remedy string) {
	r.out.Gaps = append(r.out.Gaps, snapshot.Gap{Job: job, Subject: subject, Reason: reason, Remedy: remedy})
}

// master reads the pools of one master: those that its files name, and those that have workers.
func (r *round) master(m Master) {
	root := ""
	if m.Contained {
		root = filepath.Join(r.proc, strconv.Itoa(m.PID), "root")
	}
	configs, err := ReadConfig(root, m.Config)
	if err != nil {
		r.gap("", configReason(m, err), configRemedy(m, err))
	}
	workers := map[string][]Worker{}
	for _, p := range m.Pools {
		workers[p.Name] = p.Workers
		configured := func(pool string) bool {
			return slices.ContainsFunc(configs, func(c PoolConfig) bool { return c.Name == pool })
		}
		if !configured(p.Name) && !IsStatusPool(p.Name, configured) {
			configs = append(configs, PoolConfig{Name: p.Name})
		}
	}
	queues := r.queues
	if m.Contained {
		queues = r.tables(m)
	}
	for _, c := range configs {
		r.pool(m, c, workers[c.Name], queues)
	}
}

func configReason(m Master, err error) string {
	return fmt.Sprintf("the configuration of master %d is not known in full: %v", m.PID, err)
}

// configRemedy says how to let the agent read the files.
func configRemedy(m Master, err error) string {
	switch {
	case !errors.Is(err, fs.ErrPermission):
		return ""
	case m.Contained:
		return "install plimsoll-probe on the host, or run an agent in the container (docs/privileges.md)"
	default:
		return "let group plimsoll read " + m.Config + " and what it includes (docs/privileges.md)"
	}
}

// tables reads the queues of a master in another network namespace.
func (r *round) tables(m Master) *Queues {
	var texts [][]byte
	for _, name := range []string{"tcp", "tcp6"} {
		if text, err := os.ReadFile(filepath.Join(r.proc, strconv.Itoa(m.PID), "net", name)); err == nil {
			texts = append(texts, text)
		}
	}
	if texts == nil {
		return nil
	}
	return TableQueues(texts...)
}
