package sampler

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"maps"
	mathrand "math/rand/v2"
	"runtime"
	"slices"
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
	// MostCPU is the share of one processor that this process may take, whatever it does; DefaultMostCPU if 0.
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
	// mine says which masters are looked at; nil for all. Tests leave alone what others have on the machine.
	mine    func(phpfpm.Master) bool
	started time.Time
	epoch   string

	mu      sync.Mutex
	masters []phpfpm.Master
	pools   map[poolKey]*pool
	ledgers map[ledgerKey]*ledger
	left    map[poolKey]bool // pools that FPM made for its status pages
	gaps    []snapshot.Gap   // of what was found, but cannot be looked at
	digests *digests
	limit   *limit
	ticks   uint64
	late    uint64
	samples uint64
	closed  time.Time
	// turn says which ledger's memory is looked at next, strangers are workers of masters that no pool has.
	turn      int
	strangers []int
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
		pools: map[poolKey]*pool{}, ledgers: map[ledgerKey]*ledger{}, left: map[poolKey]bool{},
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
		since := now - found
		due := since >= findEvery || since >= findAgain && gone > 0 && now-gone < findAgains
		if found == 0 || due && s.limit.maySearch() {
			before := processorTime()
			s.find()
			s.limit.searched(processorTime() - before)
			found = now
		}
		if !s.tick(now, now-last) {
			gone = now
		}
		last = now
		if now-second >= time.Second {
			if s.everySecond() {
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
	now := monotonic()
	s.limit.pay(now, processorTime())
	period := float64(time.Second) / s.limit.target
	wait := s.limit.pause(time.Duration(period*(1+jitter*(2*mathrand.Float64()-1))), now-last)
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
	before := processorTime()
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
	s.limit.looked(processorTime() - before)
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

// everySecond does what costs too much for each look. It returns true if there are new workers of a pool that is not
// known: one whose manager is ondemand has none until it is asked for something.
func (s *Sampler) everySecond() (more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if all := s.sortedLedgers(); len(all) > 0 {
		s.turn++
		s.weigh(all[s.turn%len(all)])
	}
	before := s.strangers
	s.strangers = s.unknownWorkers()
	return len(s.strangers) > 0 && !slices.Equal(s.strangers, before)
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

func (s *Sampler) ledger(name, server string) *ledger {
	key := ledgerKey{name, server}
	if s.ledgers[key] == nil {
		s.ledgers[key] = newLedger(name, server)
	}
	return s.ledgers[key]
}

// sortedLedgers returns the ledgers by name and address.
func (s *Sampler) sortedLedgers() []*ledger {
	return slices.SortedFunc(maps.Values(s.ledgers), func(a, b *ledger) int {
		return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.server, b.server))
	})
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
