package sampler

import (
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"plimsoll/collectors/phpfpm"
	"plimsoll/collectors/snapshot"
)

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
	if s.mine != nil {
		masters = slices.DeleteFunc(masters, func(m phpfpm.Master) bool { return !s.mine(m) })
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
			if s.pools[key] == nil && !s.leavesOut(key) {
				s.open(key, m, p)
			}
		}
	}
	maps.DeleteFunc(s.left, func(key poolKey, _ bool) bool { return !alive[identity{key.master, key.ticks}] })
	for key, p := range s.pools {
		if !alive[identity{key.master, key.ticks}] { // A pool without workers stays: its scoreboard does.
			p.close()
			delete(s.pools, key)
		}
	}
}

// leavesOut reports whether a pool is none of the site's, and remembers it.
func (s *Sampler) leavesOut(key poolKey) bool {
	if !s.left[key] && phpfpm.IsStatusPool(key.name, func(pool string) bool {
		return hasBoard(s.options.Proc, key.master, memory{key.master}, pool)
	}) {
		s.left[key] = true
	}
	return s.left[key]
}

// open takes up a pool. What its workers share is read of the first one, and of the next if that has ended: what could
// not be read then says nothing. Without any it is left for the next search.
func (s *Sampler) open(key poolKey, m phpfpm.Master, found phpfpm.Pool) {
	for ; len(found.Workers) > 0; found.Workers = found.Workers[1:] {
		if s.openBy(key, m, found) {
			return
		}
	}
}

// openBy is open by the first worker. It returns false if that has ended. What cannot be looked at is a gap.
func (s *Sampler) openBy(key poolKey, m phpfpm.Master, found phpfpm.Pool) bool {
	of, first := &children{proc: s.options.Proc, master: m, pool: found}, found.Workers[0].PID
	server := listenAddress(s.options.Proc, first)
	if !of.isChild(first) {
		return false
	}
	p := &pool{master: m, digests: s.digests, gaps: map[gapKind]snapshot.Gap{}, open: of.open}
	name, address := printable(found.Name, maxName), printable(server, maxFile)
	p.ledger = newLedger(name, address) // of a pool that cannot be looked at nothing is known, not that it does nothing
	p.resolver = resolver{names: backends{s.options.Backends}, listen: server}
	var own []int
	for _, w := range found.Workers {
		own = append(own, w.Own)
	}
	board, err := findBoard(s.options.Proc, m.PID, memory{m.PID}, found.Name, own)
	if err != nil {
		p.note(gapBoard, err)
		s.gaps = append(s.gaps, p.sortedGaps()...)
		return true
	}
	p.ledger = s.ledger(name, address)
	p.board, p.workers = board, make([]*worker, board.children())
	s.readProgram(p, first)
	if text, err := os.ReadFile(fmt.Sprintf("%s/%d/maps", s.options.Proc, m.PID)); err == nil {
		p.functions.lasting = largest(sharedMaps(text))
	}
	p.resolver.mounts, _ = readMounts(fmt.Sprintf("%s/%d/mountinfo", s.options.Proc, m.PID))
	if !of.isChild(first) {
		return false
	}
	s.pools[key] = p
	return true
}

// readProgram finds out where PHP has its things in a worker.
func (s *Sampler) readProgram(p *pool, pid int) {
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

// unknownWorkers returns the processes of masters that no pool has, without those of pools that are left out: FPM
// starts and ends them all the time.
func (s *Sampler) unknownWorkers() []int {
	known := map[int]bool{}
	for _, p := range s.pools {
		for _, w := range p.workers {
			if w != nil {
				known[w.host] = true
			}
		}
	}
	var unknown []int
	for _, m := range s.masters {
		for _, pid := range childrenOf(s.options.Proc, m.PID) {
			if !known[pid] && (len(s.left) == 0 || !s.left[poolKey{m.PID, m.StartTicks, phpfpm.PoolOf(s.options.Proc, pid)}]) {
				unknown = append(unknown, pid)
			}
		}
	}
	return unknown
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

// listenAddress returns where a worker listens, by the socket that it has for it; empty if that cannot be seen. The
// configuration is not read: who names a process could have the probe read any file.
func listenAddress(proc string, pid int) string {
	p, err := openLive(proc, pid)
	if err != nil {
		return ""
	}
	defer p.close()
	address, _ := p.listens()
	return address
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
