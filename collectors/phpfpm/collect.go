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
	"syscall"
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
		if slices.ContainsFunc(configs, func(c PoolConfig) bool { return c.StatusListen != "" && c.Name+statusPool == p.Name }) {
			continue
		}
		if !slices.ContainsFunc(configs, func(c PoolConfig) bool { return c.Name == p.Name }) {
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

// pool reads one pool.
func (r *round) pool(m Master, c PoolConfig, workers []Worker, queues *Queues) {
	server, queue := socketOf(c, queues)
	p := snapshot.FPMPool{
		Name: collectors.Printable(c.Name), Server: collectors.Printable(server), Queue: queue, Version: versionOf(r.proc, m.PID), Contained: m.Contained,
		Started: startOf(r.boot, m.StartTicks), Workers: len(workers),
	}
	if c.Listen != "" {
		p.Config = &c.FPMConfig
	}
	r.worked(&p, workers)
	if sum, known := residentBytes(r.proc, workers); known {
		p.ResidentBytes = &sum
	}
	if c.Listen != "" && queues != nil && queue == nil {
		r.hiddenQueue(&p)
	}
	if c.Listen != "" && !m.Contained {
		r.status(&p, c)
	}
	r.out.Pools = append(r.out.Pools, p)
}

// keyOf tells pools apart: two masters can have one of a name.
func keyOf(p *snapshot.FPMPool) string { return p.Name + " " + p.Server }

// worked adds what the workers did since the last round.
func (r *round) worked(p *snapshot.FPMPool, workers []Worker) {
	key := keyOf(p)
	total := r.collector.kept.Pools[key]
	if total == nil {
		total = &work{}
	}
	now, err := readWork(r.proc, workers)
	if err != nil {
		r.gap(p.Name, "processor time of workers is not known: "+err.Error(), "mount /proc without hidepid, or give the agent its gid= (docs/privileges.md)")
		r.kept[key] = total
		return
	}
	next := *total
	next.add(now)
	r.kept[key] = &next
	cpu, queue := float64(next.CPU)/1e9, float64(next.RunQueue)/1e9
	p.CPUSeconds, p.RunQueueSeconds = &cpu, &queue
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

// socketOf returns where a pool listens, by the name that its socket has where that is found, as
// plimsoll-probe tells it too; and what waits there, nil if that is not known.
func socketOf(c PoolConfig, queues *Queues) (string, *snapshot.ListenQueue) {
	if c.Listen == "" || queues == nil {
		return c.Listen, nil
	}
	if q, name, found := queues.Of(c.Listen); found {
		return name, &q
	}
	return c.Listen, nil
}

// hiddenQueue says why it is not known what waits in front of a pool.
func (r *round) hiddenQueue(p *snapshot.FPMPool) {
	reason := "no socket listens at " + p.Server + ": how many connections wait is not known"
	if p.Contained {
		reason = "the queue of a unix socket does not show outside of its container"
	}
	r.gap(p.Name, reason, "")
}

// pageMemory is what the last status page of a pool said, and when the next one may be asked for.
type pageMemory struct {
	idle int
	next time.Time
}

// freeWorkers is how many workers must have been free at the last look for the pool's own socket to be asked:
// one that answers us is one that answers no visitor.
const freeWorkers = 2

// busyPause is how long a pool is left alone that had no worker to spare.
const busyPause = time.Minute

// status asks for the status page: on a socket of its own, which answers at any time and takes no worker, else on
// that of the pool while it has workers to spare.
func (r *round) status(p *snapshot.FPMPool, c PoolConfig) {
	key := keyOf(p)
	before, asked := r.collector.pages[key]
	switch {
	case c.StatusPath == "":
		r.gap(p.Name, "it has no status page, so that its requests are not counted",
			"set pm.status_path = /status and pm.status_listen = 127.0.0.1:9001 in the pool, and reload PHP-FPM")
		return
	case c.StatusListen != "":
		r.ask(p, c, c.StatusListen)
		return
	case p.Queue != nil && p.Queue.Waiting > 0, asked && before.idle < freeWorkers && time.Now().Before(before.next):
		r.pages[key] = before
		r.gap(p.Name, "its status page is not asked for while it has no worker to spare",
			"set pm.status_listen = 127.0.0.1:9001 in the pool: it then answers at any time")
		return
	}
	r.ask(p, c, c.Listen)
	next := pageMemory{next: time.Now().Add(busyPause)}
	if p.Status != nil {
		next.idle = p.Status.Idle + 1 // the one that answered us counts as active
	}
	r.pages[key] = next
}

func (r *round) ask(p *snapshot.FPMPool, c PoolConfig, address string) {
	status, err := ReadStatus(r.ctx, address, c.StatusPath)
	if err != nil {
		r.gap(p.Name, "its status page cannot be read: "+collectors.Printable(err.Error()), statusRemedy(err))
		return
	}
	p.Status = status
}

func statusRemedy(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "set pm.status_listen = 127.0.0.1:9001 in the pool: the agent need not be let at its socket then"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, syscall.EAGAIN), errors.Is(err, context.DeadlineExceeded):
		return "set pm.status_listen = 127.0.0.1:9001 in the pool: it then answers while all workers are busy"
	}
	return ""
}
