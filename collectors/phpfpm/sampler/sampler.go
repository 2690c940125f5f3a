package sampler

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"plimsoll/collectors/phpfpm"
	"plimsoll/collectors/snapshot"
)

// Options say how to sample. The zero value is right for a host.
type Options struct {
	// Version is the probe's.
	Version string
	// Proc is where the proc file system is; /proc if empty.
	Proc string
	// Hertz is how often a second workers are looked at; DefaultHertz if 0.
	Hertz float64
	// MostCPU is the share of one processor that the sampler may take; DefaultMostCPU if 0.
	MostCPU float64
	// Backends name what is behind an address, a port (":3310") or the path of a socket, where it is not what
	// usually is.
	Backends map[string]snapshot.PHPState
}

// The defaults of Options. At 20 looks a second, a wait of 50 ms is met once in the mean, and a hundred waiting
// workers cost about a hundredth of a processor.
const (
	DefaultHertz   = 20
	DefaultMostCPU = 0.02
)

const (
	findEvery = 5 * time.Second
	// A pool that has gone is looked for more often for a while: a reload of FPM takes a moment.
	findAgain  = time.Second
	findAgains = 10 * time.Second
	closeEvery = 10 * time.Second
	// jitter spreads looks, so that they do not keep step with what a site does at regular times.
	jitter = 0.25
)

// Sampler looks at all pools of a host. Run does the work; Profile may be called meanwhile.
type Sampler struct {
	options Options
	started time.Time
	epoch   string

	mu      sync.Mutex
	masters []phpfpm.Master
	pools   map[poolKey]*pool
	ledgers map[ledgerKey]*ledger
	gaps    []snapshot.Gap // of what was found, but cannot be looked at
	digests *digests
	limit   *limit
	ticks   uint64
	late    uint64
	samples uint64
	closed  time.Time
}

type poolKey struct {
	master int
	ticks  uint64
	name   string
}

type ledgerKey struct{ name, server string }

// New returns a sampler that has not looked at anything yet.
func New(o Options) *Sampler {
	if o.Proc == "" {
		o.Proc = "/proc"
	}
	if o.Hertz == 0 {
		o.Hertz = DefaultHertz
	}
	if o.MostCPU == 0 {
		o.MostCPU = DefaultMostCPU
	}
	now := time.Now()
	return &Sampler{
		options: o, started: now, closed: now, epoch: newEpoch(),
		pools: map[poolKey]*pool{}, ledgers: map[ledgerKey]*ledger{},
		digests: newDigests(), limit: newLimit(o.Hertz, o.MostCPU),
	}
}

// newEpoch names a run of the probe, whose totals begin at zero.
func newEpoch() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // It never fails.
	return hex.EncodeToString(b)
}

// Run looks at workers until ctx ends.
func (s *Sampler) Run(ctx context.Context) error {
	// What is read is of one process after the other, and takes less time if this does not move to another
	// processor in between.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var found, gone, closed, second time.Duration
	last := monotonic()
	for ctx.Err() == nil {
		now := monotonic()
		if since := now - found; found == 0 || since >= findEvery || since >= findAgain && gone > 0 && now-gone < findAgains {
			s.find()
			found = now
		}
		if !s.tick(now, now-last) {
			gone = now
		}
		last = now
		if now-second >= time.Second {
			if s.everySecond(now) {
				gone = now
			}
			second = now
		}
		if now-closed >= closeEvery {
			s.Close()
			closed = now
		}
		s.sleep(now)
	}
	return nil
}

// sleep waits for the next look. A timer of Go's costs more than twice as much here, as it wakes other threads first.
func (s *Sampler) sleep(last time.Duration) {
	pause := unix.NsecToTimespec(int64(s.pause(last)))
	_ = unix.Nanosleep(&pause, nil) // A signal may end it early, which only makes the next look come sooner.
}

// pause is how long to wait for the next look.
func (s *Sampler) pause(last time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	period := float64(time.Second) / s.limit.hertz
	wait := time.Duration(period*(1+jitter*(2*mathrand.Float64()-1))) - (monotonic() - last)
	if wait < 0 {
		s.late++
		return 0
	}
	return wait
}

// tick looks at all pools. It returns false if one of them has gone.
func (s *Sampler) tick(now, dt time.Duration) (all bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ticks++
	all = true
	for key, p := range s.pools {
		looks, err := p.look(now, dt, s.limit.chance, mathrand.Float64)
		s.samples += uint64(looks)
		if err != nil {
			p.close()
			delete(s.pools, key)
			all = false
		}
	}
	s.count(dt)
	return all
}

// count notes how busy the pools of each ledger are together.
func (s *Sampler) count(dt time.Duration) {
	type sum struct{ children, workers, busy int }
	sums := map[*ledger]sum{}
	for _, p := range s.pools {
		n := sums[p.ledger]
		sums[p.ledger] = sum{n.children + p.board.children(), n.workers + p.alive, n.busy + p.busy}
	}
	for _, l := range s.ledgers {
		n := sums[l]
		l.count(n.children, n.workers, n.busy, dt)
	}
}

// everySecond does what costs too much for each look. It returns true if there are workers of a pool that is not
// known: one whose manager is ondemand has none until it is asked for something.
func (s *Sampler) everySecond(now time.Duration) (more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit.adjust(now, processorTime())
	for _, l := range s.ledgers {
		s.weigh(l)
	}
	known := map[int]bool{}
	for _, p := range s.pools {
		for _, w := range p.workers {
			if w != nil {
				known[w.host] = true
			}
		}
	}
	for _, m := range s.masters {
		if slices.ContainsFunc(childrenOf(s.options.Proc, m.PID), func(pid int) bool { return !known[pid] }) {
			return true
		}
	}
	return false
}

// childrenOf returns the processes that a process started; none if the kernel does not list them.
func childrenOf(proc string, pid int) []int {
	text, err := os.ReadFile(fmt.Sprintf("%s/%d/task/%[2]d/children", proc, pid))
	if err != nil {
		return nil
	}
	var all []int
	for word := range strings.FieldsSeq(string(text)) {
		if child, err := strconv.Atoi(word); err == nil {
			all = append(all, child)
		}
	}
	return all
}

// weigh looks at the memory of one worker.
func (s *Sampler) weigh(l *ledger) {
	var pids []int
	owner := map[int]*pool{}
	for _, p := range s.pools {
		if p.ledger != l {
			continue
		}
		for _, w := range p.workers {
			if w != nil && w.process != nil {
				pids = append(pids, w.host)
				owner[w.host] = p
			}
		}
	}
	pid, ok := l.memory.next(pids)
	if !ok {
		return
	}
	r, err := readRollup(s.options.Proc, pid)
	owner[pid].note(gapMemory, err)
	l.memory.put(pid, r)
}

// Close closes the accounts: what was gathered since the last time goes into the totals. Run does it every ten
// seconds; a program that ends calls it once more.
func (s *Sampler) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.pools {
		p.carry()
		p.functions.forget()
	}
	for _, l := range s.ledgers {
		l.book.close(l.batch)
		l.closed = l.profile()
	}
	s.closed = time.Now()
}

// find looks for masters and pools, and takes up those that are new.
func (s *Sampler) find() {
	masters, err := phpfpm.Find(s.options.Proc)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gaps = nil
	if err != nil {
		s.gaps = append(s.gaps, snapshot.Gap{Job: Job, Reason: err.Error(), Remedy: remedy(err)})
		return
	}
	s.masters = masters
	type identity struct {
		pid   int
		ticks uint64
	}
	alive := map[identity]bool{}
	for _, m := range masters {
		alive[identity{m.PID, m.StartTicks}] = true
		for _, p := range m.Pools {
			key := poolKey{m.PID, m.StartTicks, p.Name}
			if s.pools[key] == nil {
				s.open(key, m, p)
			}
		}
	}
	for key, p := range s.pools {
		if !alive[identity{key.master, key.ticks}] { // A pool without workers stays: its scoreboard does.
			p.close()
			delete(s.pools, key)
		}
	}
}

// open takes up a pool. What cannot be looked at is a gap.
func (s *Sampler) open(key poolKey, m phpfpm.Master, found phpfpm.Pool) {
	p := &pool{
		master: m, digests: s.digests, gaps: map[gapKind]snapshot.Gap{},
		open: (&children{proc: s.options.Proc, master: m, pool: found}).open,
	}
	server := listenAddress(s.options.Proc, found)
	p.ledger = s.ledger(printable(found.Name, maxName), printable(server, maxFile))
	p.resolver = resolver{names: backends{s.options.Backends}, listen: server}
	var own []int
	for _, w := range found.Workers {
		own = append(own, w.Own)
	}
	board, err := findBoard(s.options.Proc, m.PID, memory{m.PID}, found.Name, own)
	if err != nil {
		p.note(gapBoard, err)
		s.gaps = append(s.gaps, p.sortedGaps()...)
		return
	}
	p.board, p.workers = board, make([]*worker, board.children())
	s.readProgram(p, found)
	if maps, err := os.ReadFile(fmt.Sprintf("%s/%d/maps", s.options.Proc, m.PID)); err == nil {
		p.functions.lasting = largest(sharedMaps(maps))
	}
	p.resolver.mounts, _ = readMounts(fmt.Sprintf("%s/%d/mountinfo", s.options.Proc, m.PID))
	s.pools[key] = p
}

// readProgram finds out where PHP has its things.
func (s *Sampler) readProgram(p *pool, found phpfpm.Pool) {
	pid := found.Workers[0].PID
	program, err := findProgram(s.options.Proc, pid, memory{pid})
	p.program, p.ledger.version = program, printable(program.version, 32)
	p.note(gapProgram, err)
	if err != nil {
		return
	}
	layout, known := layoutOf(program.api)
	if !known {
		p.note(gapLayout, fmt.Errorf("the layout of PHP %s is not known", program.version))
		return
	}
	p.layout, p.ledger.tested = &layout, layout.tested(runtime.GOARCH)
}

func (s *Sampler) ledger(name, server string) *ledger {
	key := ledgerKey{name, server}
	if s.ledgers[key] == nil {
		s.ledgers[key] = newLedger(name, server)
	}
	return s.ledgers[key]
}

func (p *pool) sortedGaps() []snapshot.Gap {
	var all []snapshot.Gap
	for k := range gapKinds {
		if g, ok := p.gaps[k]; ok {
			all = append(all, g)
		}
	}
	return all
}

// listenAddress returns where a pool listens, by the socket that its workers have for it. The configuration is not
// read: who names a process could have the probe read any file.
func listenAddress(proc string, found phpfpm.Pool) string {
	for _, w := range found.Workers {
		p, err := openLive(proc, w.PID)
		if err != nil {
			continue
		}
		address, ok := p.listens()
		p.close()
		if ok {
			return address
		}
	}
	return ""
}

// children finds the processes of a pool's workers by the numbers that their master knows.
type children struct {
	proc   string
	master phpfpm.Master
	pool   phpfpm.Pool
	asked  time.Time
}

// open opens a worker. FPM starts and ends workers at any time, so one that is not known is looked for: by its
// number, or in another namespace among all processes, at most once a second.
func (c *children) open(own int) (process, int, error) {
	for _, w := range c.pool.Workers {
		if w.Own == own && c.isChild(w.PID) {
			return opened(c.proc, w.PID)
		}
	}
	if !c.master.Contained {
		if c.isChild(own) {
			return opened(c.proc, own)
		}
		return nil, 0, errNoWorker
	}
	if time.Since(c.asked) < time.Second {
		return nil, 0, errNoWorker
	}
	c.asked = time.Now()
	masters, err := phpfpm.Find(c.proc)
	if err != nil {
		return nil, 0, err
	}
	i := slices.IndexFunc(masters, func(m phpfpm.Master) bool { return m.PID == c.master.PID })
	if i < 0 {
		return nil, 0, errNoWorker
	}
	for _, p := range masters[i].Pools {
		if p.Name == c.pool.Name {
			c.pool = p
		}
	}
	return nil, 0, errNoWorker
}

func (c *children) isChild(pid int) bool {
	stat, err := phpfpm.ReadStat(c.proc, pid)
	return err == nil && stat.Parent == c.master.PID
}

func opened(proc string, pid int) (process, int, error) {
	p, err := openLive(proc, pid)
	if err != nil {
		return nil, 0, err
	}
	return p, pid, nil
}
