package phpfpm

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Master is a running PHP-FPM.
type Master struct {
	// PID is its number in the namespace of the proc that was read.
	PID int
	// StartTicks is when it started, in hundredths of a second since boot: with the PID it is the
	// identity of the process, as PIDs are given again.
	StartTicks uint64
	// Config is the path of its configuration as its title has it, in its own mount namespace. Whoever
	// names a process chooses it, so it must not be opened with more rights than the owner has.
	Config string
	// Contained is true for a master in a PID or network namespace of its own, as far as that shows:
	// the network namespace needs the right to trace the process.
	Contained bool
	// Pools are in the order of their names.
	Pools []Pool
}

// Pool is the workers that a master has under one name.
type Pool struct {
	Name string
	// Workers are in the order of their numbers. A pool has none between its requests if pm is
	// ondemand, and is then not found.
	Workers []Worker
}

// Worker is a process that serves requests.
type Worker struct {
	// PID is its number for us, Own the one that it has in its own namespace, by which its master knows
	// it.
	PID, Own int
	// StartTicks is as a Master's.
	StartTicks uint64
}

// Find returns the masters that a proc file system shows, in the order of their PIDs. A process that
// ends while it is read is left out.
func Find(proc string) ([]Master, error) {
	dir, err := os.Open(proc)
	if err != nil {
		return nil, fmt.Errorf("find PHP-FPM: %w", err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("find PHP-FPM in %s: %w", proc, err)
	}
	found := map[int]*Master{}
	pools := map[poolKey][]Worker{}
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			look(proc, pid, found, pools)
		}
	}
	return gather(found, pools), nil
}

// poolKey is a pool among those of all masters.
type poolKey struct {
	master int
	name   string
}

// look takes up a process if it is one of PHP-FPM's.
func look(proc string, pid int, masters map[int]*Master, pools map[poolKey][]Worker) {
	dir := filepath.Join(proc, strconv.Itoa(pid))
	role, name := parseTitle(start(filepath.Join(dir, "cmdline")))
	if role == noRole {
		return
	}
	s, err := ReadStat(proc, pid)
	if err != nil {
		return
	}
	own := ownPID(start(filepath.Join(dir, "status")), pid)
	if role == masterRole {
		contained := own != pid || inOtherNetwork(proc, pid)
		masters[pid] = &Master{PID: pid, StartTicks: s.StartTicks, Config: name, Contained: contained}
		return
	}
	key := poolKey{s.Parent, name}
	pools[key] = append(pools[key], Worker{PID: pid, Own: own, StartTicks: s.StartTicks})
}

// IsStatusPool reports whether a pool is one that FPM makes by itself for another's pm.status_listen, and calls by its
// name with _status behind. It serves nobody but who asks for the status page. exists tells whether the pool's master
// has a pool of a name; one whose pm is ondemand may have no worker.
func IsStatusPool(name string, exists func(pool string) bool) bool {
	base, ok := strings.CutSuffix(name, "_status")
	return ok && exists(base)
}

// PoolOf returns the name of the pool that a process is a worker of; empty if it is of none.
func PoolOf(proc string, pid int) string {
	role, name := parseTitle(start(filepath.Join(proc, strconv.Itoa(pid), "cmdline")))
	if role != workerRole {
		return ""
	}
	return name
}

// gather gives masters their pools. A worker whose master was not found is an orphan that ends soon.
func gather(masters map[int]*Master, pools map[poolKey][]Worker) []Master {
	for key, workers := range pools {
		if IsStatusPool(key.name, func(pool string) bool { return pools[poolKey{key.master, pool}] != nil }) {
			continue
		}
		slices.SortFunc(workers, func(a, b Worker) int { return a.PID - b.PID })
		if m := masters[key.master]; m != nil {
			m.Pools = append(m.Pools, Pool{Name: key.name, Workers: workers})
		}
	}
	all := make([]Master, 0, len(masters))
	for _, m := range masters {
		slices.SortFunc(m.Pools, func(a, b Pool) int { return strings.Compare(a.Name, b.Name) })
		all = append(all, *m)
	}
	slices.SortFunc(all, func(a, b Master) int { return a.PID - b.PID })
	return all
}

// role is what a process is within PHP-FPM.
type role int

const (
	noRole role = iota
	masterRole
	workerRole
)

// parseTitle reads the title that fpm_env_setproctitle writes over a process' arguments, and returns the
// configuration of a master or the pool of a worker. Behind a loader that was called by name it is not the first.
func parseTitle(cmdline []byte) (role, string) {
	for argument := range bytes.SplitSeq(cmdline, []byte{0}) {
		text := strings.TrimRight(string(argument), " ")
		if conf, ok := strings.CutPrefix(text, "php-fpm: master process ("); ok {
			return masterRole, strings.TrimSuffix(conf, ")")
		}
		if pool, ok := strings.CutPrefix(text, "php-fpm: pool "); ok && pool != "" {
			return workerRole, pool
		}
	}
	return noRole, ""
}

// Stat is what /proc/PID/stat tells of a process' place.
type Stat struct {
	Parent     int
	StartTicks uint64
}

// ReadStat reads /proc/PID/stat.
func ReadStat(proc string, pid int) (Stat, error) {
	file := filepath.Join(proc, strconv.Itoa(pid), "stat")
	text, err := os.ReadFile(file)
	if err != nil {
		return Stat{}, err
	}
	s, ok := parseStat(text)
	if !ok {
		return Stat{}, fmt.Errorf("read %s: %w", file, errors.ErrUnsupported)
	}
	return s, nil
}

// parseStat reads fields 4 and 22 of proc_pid_stat(5). The name of the program, field 2, may hold blanks and
// parentheses.
func parseStat(text []byte) (Stat, bool) {
	end := bytes.LastIndexByte(text, ')')
	fields := bytes.Fields(text[end+1:])
	const parent, started = 4 - 3, 22 - 3 // Fields count from 1, and two are cut away.
	if end < 0 || len(fields) <= started {
		return Stat{}, false
	}
	pid, err := strconv.Atoi(string(fields[parent]))
	ticks, tickErr := strconv.ParseUint(string(fields[started]), 10, 64)
	return Stat{Parent: pid, StartTicks: ticks}, err == nil && tickErr == nil
}

// ownPID returns the number of a process in its own namespace: the last one of the line NSpid.
func ownPID(status []byte, pid int) int {
	for line := range bytes.Lines(status) {
		rest, ok := bytes.CutPrefix(line, []byte("NSpid:"))
		if fields := bytes.Fields(rest); ok && len(fields) > 0 {
			if own, err := strconv.Atoi(string(fields[len(fields)-1])); err == nil {
				return own
			}
		}
	}
	return pid
}

// inOtherNetwork reports whether a process has another network namespace than the host's first one. Without
// the right to trace both it does not show.
func inOtherNetwork(proc string, pid int) bool {
	host, err := os.Readlink(filepath.Join(proc, "1/ns/net"))
	if err != nil {
		return false
	}
	its, err := os.Readlink(filepath.Join(proc, strconv.Itoa(pid), "ns/net"))
	return err == nil && its != host
}

// maxStart bounds what is read of a file of /proc: anybody may give a process a title of any length.
const maxStart = 4 << 10

// start returns the beginning of a file, and nothing if it cannot be read: the process has ended, or is hidden
// from us (hidepid).
func start(file string) []byte {
	f, err := os.Open(file)
	if err != nil {
		return nil
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxStart))
	if err != nil {
		return nil
	}
	return text
}
