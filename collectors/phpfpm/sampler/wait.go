package sampler

import (
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"plimsoll/collectors/snapshot"
)

// wait is what a worker does: a state, and whom or what it waits for.
type wait struct {
	state snapshot.PHPState
	// peer is an address, the path of a unix socket, or for files the folder.
	peer string
	// vague is true if the state is a guess, and the function of PHP that waits may know better.
	vague bool
	// same is true if it is what the worker waited for at the look before.
	same bool
	// socket is the descriptor of the connection that it waits for; 0 if it is none.
	socket int
}

// resolver tells waits of the workers of one pool.
type resolver struct {
	names backends
	// listen is the address at which the pool listens: a socket with this end is the web server's.
	listen string
	mounts *mounts
	// known are sockets by inode, the number that the kernel gives each.
	known map[string]ends
	// learned is what answers at an address by the functions of PHP that waited for it before.
	learned map[string]snapshot.PHPState
}

// maxKnownSockets bounds a resolver's memory. Persistent connections are few; all others come and go.
const maxKnownSockets = 1 << 14

// resolve says what a system call waits for.
func (r *resolver) resolve(p process, c call) wait {
	switch {
	case c.running:
		return wait{state: snapshot.PHPCPU}
	case c.faulting:
		return wait{state: snapshot.PHPDisk}
	}
	switch kindOf(c.number) {
	case kindFD:
		return r.descriptor(p, int(int32(c.args[0])))
	case kindPoll:
		return r.polled(p, c.args[0], c.args[1])
	case kindSelect:
		return r.selected(p, c)
	case kindEpoll:
		return wait{state: snapshot.PHPUnknown, vague: true}
	case kindLock:
		return r.lock(p, int(int32(c.args[0])))
	case kindControl:
		return r.control(p, c)
	case kindPath:
		return r.file(textAt(p, c.args[0]))
	case kindPathAt:
		return r.file(textAt(p, c.args[1]))
	case kindSleep:
		return wait{state: snapshot.PHPSleep}
	case kindChild:
		return wait{state: snapshot.PHPChild}
	case kindAccept:
		return wait{state: snapshot.PHPClient}
	case kindRestart:
		return wait{same: true}
	case kindThread, kindOther:
	}
	return wait{state: snapshot.PHPUnknown, vague: true}
}

// maxPolled is how many descriptors of a poll are looked at: PHP's extensions wait for one, curl for a few.
const maxPolled = 8

// polled says for whom a poll waits: mysqlnd, phpredis, libmemcached, curl and streams all wait in one before
// they read.
func (r *resolver) polled(p process, fds, n uint64) wait {
	if n == 0 {
		return wait{state: snapshot.PHPSleep}
	}
	n = min(n, maxPolled)
	room := make([]byte, 8*n)
	if p.Read(fds, room) != nil {
		return wait{state: snapshot.PHPUnknown, vague: true}
	}
	all := make([]int, 0, maxPolled)
	for i := range n {
		all = append(all, int(int32(native32(room[8*i:]))))
	}
	return r.first(p, all)
}

// selected says for whom a select waits, as mysqli_poll does.
func (r *resolver) selected(p process, c call) wait {
	n := min(c.args[0], 1024)
	if n == 0 {
		return wait{state: snapshot.PHPSleep}
	}
	var all []int
	for _, set := range c.args[1:4] {
		bits := make([]byte, (n+7)/8)
		if set == 0 || p.Read(set, bits) != nil {
			continue
		}
		for fd := range int(n) {
			if bits[fd/8]&(1<<(fd%8)) != 0 && len(all) < maxPolled {
				all = append(all, fd)
			}
		}
	}
	return r.first(p, all)
}

// first returns the first wait that says something: curl also waits for a descriptor of its own, to be woken.
func (r *resolver) first(p process, fds []int) wait {
	best := wait{state: snapshot.PHPUnknown, vague: true}
	for _, fd := range fds {
		if fd < 0 {
			continue
		}
		w := r.descriptor(p, fd)
		if !w.vague {
			return w
		}
		if best.peer == "" {
			best = w
		}
	}
	return best
}

// descriptor says what it means to wait for a descriptor.
func (r *resolver) descriptor(p process, fd int) wait {
	link, err := p.Link(fd)
	if err != nil {
		return wait{state: snapshot.PHPUnknown, vague: true}
	}
	if inode, ok := socketInode(link); ok {
		return r.socket(p, fd, inode)
	}
	switch {
	case strings.HasPrefix(link, "pipe:"):
		return wait{state: snapshot.PHPChild, vague: true}
	case strings.HasPrefix(link, "/"):
		return r.file(link)
	}
	return wait{state: snapshot.PHPUnknown, vague: true}
}

func (r *resolver) socket(p process, fd int, inode string) wait {
	e, ok := r.known[inode]
	if !ok {
		var err error
		if e, err = p.Socket(fd); err != nil {
			return wait{state: snapshot.PHPUnknown, vague: true}
		}
		if e.peer != "" || e.local == r.listen { // One that still connects has no peer yet.
			r.remember(inode, e)
		}
	}
	if e.local != "" && e.local == r.listen {
		return wait{state: snapshot.PHPClient}
	}
	state, sure := r.names.of(e)
	if learned, ok := r.learned[e.peer]; ok && !sure {
		state = learned
	}
	return wait{state: state, peer: e.peer, vague: !sure, socket: fd}
}

// learn takes up what answers at an address that nothing else tells: a look that does not show which function
// waits is then no unknown.
func (r *resolver) learn(peer string, state snapshot.PHPState) {
	if r.learned == nil || len(r.learned) >= maxKnownSockets {
		r.learned = map[string]snapshot.PHPState{}
	}
	r.learned[peer] = state
}

func (r *resolver) remember(inode string, e ends) {
	if r.known == nil || len(r.known) >= maxKnownSockets {
		r.known = map[string]ends{}
	}
	r.known[inode] = e
}

// lock says whose lock a worker waits for. A session's file is named after the session, which is a secret, so
// the folder is all that is told.
func (r *resolver) lock(p process, fd int) wait {
	link, err := p.Link(fd)
	if err != nil {
		return wait{state: snapshot.PHPLock}
	}
	return wait{state: snapshot.PHPLock, peer: folder(link)}
}

// control is a wait if it asks for a lock.
func (r *resolver) control(p process, c call) wait {
	if command := c.args[1]; command == unix.F_SETLKW || command == unix.F_OFD_SETLKW {
		return r.lock(p, int(int32(c.args[0])))
	}
	return wait{state: snapshot.PHPUnknown, vague: true}
}

// file says where a file is: here, or on another machine.
func (r *resolver) file(name string) wait {
	if r.mounts != nil && r.mounts.remote(name) {
		return wait{state: snapshot.PHPNetFS, peer: folder(name)}
	}
	return wait{state: snapshot.PHPDisk, peer: folder(name)}
}

// maxFolders is how deep a folder is told: below lie caches with a folder for each of many things.
const maxFolders = 5

// folder returns the folder of a file, empty for a name that is not absolute.
func folder(name string) string {
	if !strings.HasPrefix(name, "/") {
		return ""
	}
	parts := strings.Split(path.Dir(path.Clean(name)), "/")
	return "/" + path.Join(parts[1:min(len(parts), maxFolders+1)]...)
}

// maxPath is PATH_MAX.
const maxPath = 4096

// textAt reads a zero-terminated text, such as a path. It reads up to the end of a page first, behind which
// there may be nothing.
func textAt(from reader, addr uint64) string {
	const page = 4096
	var text []byte
	for len(text) < maxPath && addr != 0 {
		part := make([]byte, min(page-addr%page, 256))
		if from.Read(addr, part) != nil {
			return ""
		}
		text = append(text, part...)
		if s := cstring(part); len(s) < len(part) {
			return cstring(text)
		}
		addr += uint64(len(part))
	}
	return ""
}
