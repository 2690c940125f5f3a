package sampler

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"plimsoll/collectors/snapshot"
)

// still is a process that does not move.
type still struct {
	image
	links   map[int]string
	sockets map[int]ends
	asked   int
}

func (s *still) Sched() (sched, error) { return sched{}, nil }
func (s *still) Call() (call, error)   { return call{}, nil }

func (s *still) Link(fd int) (string, error) {
	if link, ok := s.links[fd]; ok {
		return link, nil
	}
	return "", unix.EBADF
}

func (s *still) Sent(int) uint64 { return 0 }

func (s *still) Socket(fd int) (ends, error) {
	s.asked++
	if e, ok := s.sockets[fd]; ok {
		return e, nil
	}
	return ends{}, errors.New("no socket")
}

func TestWaitsAreToldBySystemCallAndDescriptor(t *testing.T) {
	p := &still{
		image: image{},
		links: map[int]string{
			3: "socket:[30]", 4: "socket:[40]", 5: "socket:[50]", 6: "pipe:[60]", 7: "/var/lib/php/sessions/sess_secret",
			8: "/mnt/media/a/b/c/d/e/f.jpg", 9: "anon_inode:[eventfd]", 10: "socket:[100]", 11: "socket:[110]",
		},
		sockets: map[int]ends{
			3:  {local: "10.0.0.1:40000", peer: "10.0.0.5:3306", port: 3306},
			4:  {local: "/run/php/www.sock", program: "nginx"},
			5:  {peer: "/somewhere/odd", program: "mariadbd"},
			10: {peer: "10.0.0.7:5000", port: 5000},
			11: {peer: "10.0.0.8:7777", port: 7777},
		},
	}
	p.put(0x1000, uint32(9), uint32(1), uint32(10), uint32(1)) // struct pollfd: descriptor, events
	p.put(0x2000, 1<<3)
	p.put(0x3000, "/mnt/media/x.jpg\x00"+string(make([]byte, 4096)))
	r := resolver{
		names:  backends{map[string]snapshot.PHPState{":7777": snapshot.PHPSearch}},
		listen: "/run/php/www.sock",
		mounts: parseMountInfo([]byte("1 1 0:1 / / rw - ext4 a rw\n2 1 0:2 / /mnt/media rw - nfs4 b rw\n")),
	}
	fd := func(nr, fd int) call { return call{number: nr, args: [6]uint64{uint64(fd)}} }
	tests := []struct {
		name string
		call call
		want wait
	}{
		{"it runs", call{running: true}, wait{state: snapshot.PHPCPU}},
		{"a page of a file", call{faulting: true}, wait{state: snapshot.PHPDisk}},
		{"a database by its port", fd(unix.SYS_RECVFROM, 3), wait{state: snapshot.PHPMySQL, peer: "10.0.0.5:3306", socket: 3}},
		{"a database by its program, whatever the socket is called", fd(unix.SYS_READ, 5), wait{state: snapshot.PHPMySQL, peer: "/somewhere/odd", socket: 5}},
		{"the web server", fd(unix.SYS_WRITE, 4), wait{state: snapshot.PHPClient}},
		{"what the operator named", fd(unix.SYS_READ, 11), wait{state: snapshot.PHPSearch, peer: "10.0.0.8:7777", socket: 11}},
		{
			"the first descriptor of a poll that says something",
			call{number: unix.SYS_PPOLL, args: [6]uint64{0x1000, 2}},
			wait{state: snapshot.PHPUnknown, peer: "10.0.0.7:5000", vague: true, socket: 10},
		},
		{"a poll of nothing", call{number: unix.SYS_PPOLL}, wait{state: snapshot.PHPSleep}},
		{"a select", call{number: unix.SYS_PSELECT6, args: [6]uint64{4, 0x2000}}, wait{state: snapshot.PHPMySQL, peer: "10.0.0.5:3306", socket: 3}},
		{"a session's lock, without the session", fd(unix.SYS_FLOCK, 7), wait{state: snapshot.PHPLock, peer: "/var/lib/php/sessions"}},
		{
			"a lock by fcntl",
			call{number: unix.SYS_FCNTL, args: [6]uint64{7, unix.F_SETLKW}},
			wait{state: snapshot.PHPLock, peer: "/var/lib/php/sessions"},
		},
		{"another machine's file", fd(unix.SYS_READ, 8), wait{state: snapshot.PHPNetFS, peer: "/mnt/media/a/b/c"}},
		{
			"another machine's file by name",
			call{number: unix.SYS_OPENAT, args: [6]uint64{0, 0x3000}},
			wait{state: snapshot.PHPNetFS, peer: "/mnt/media"},
		},
		{"this machine's file", fd(unix.SYS_FSYNC, 7), wait{state: snapshot.PHPDisk, peer: "/var/lib/php/sessions"}},
		{"a program that it started", fd(unix.SYS_WAIT4, 0), wait{state: snapshot.PHPChild}},
		{"the output of one", fd(unix.SYS_READ, 6), wait{state: snapshot.PHPChild, vague: true}},
		{"time", fd(unix.SYS_CLOCK_NANOSLEEP, 0), wait{state: snapshot.PHPSleep}},
		{"what it waited for before the slow log stopped it", call{number: unix.SYS_RESTART_SYSCALL}, wait{same: true}},
		{"a descriptor that is closed meanwhile", fd(unix.SYS_READ, 99), wait{state: snapshot.PHPUnknown, vague: true}},
		{"a call of no kind that is known", call{number: 9999}, wait{state: snapshot.PHPUnknown, vague: true}},
	}
	for _, test := range tests {
		if got := r.resolve(p, test.call); got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
	asked := p.asked
	r.resolve(p, fd(unix.SYS_READ, 3))
	if p.asked != asked {
		t.Error("a socket that is known is asked again")
	}
}

func TestFunctionsThatSpeakOneProtocolAreRightWhateverThePort(t *testing.T) {
	vague := wait{state: snapshot.PHPUnknown, peer: "10.0.0.7:5000", vague: true, socket: 10}
	sure := wait{state: snapshot.PHPRedis, peer: "10.0.0.7:6379"}
	for _, test := range []struct {
		function string
		wait     wait
		want     snapshot.PHPState
	}{
		{"PDO::query", vague, snapshot.PHPMySQL},
		{"PDO::query", sure, snapshot.PHPMySQL},
		{"mysqli_query", vague, snapshot.PHPMySQL},
		{"Redis::get", vague, snapshot.PHPRedis},
		{"Memcached::get", vague, snapshot.PHPMemcached},
		{"curl_exec", vague, snapshot.PHPHTTP},
		{"curl_exec", sure, snapshot.PHPRedis},
		{"fread", vague, snapshot.PHPUnknown},
		{"usleep", wait{state: snapshot.PHPSleep}, snapshot.PHPSleep},
	} {
		if got := refined(test.wait, []frame{{function: test.function}}); got != test.want {
			t.Errorf("%s at %s waits for %s, want %s", test.function, test.wait.peer, got, test.want)
		}
	}
}

func TestWhatAnswersAtAnAddressIsLearnedFromTheFunctionsThatWait(t *testing.T) {
	worker := &still{
		links:   map[int]string{10: "socket:[100]"},
		sockets: map[int]ends{10: {peer: "10.0.0.7:5000", port: 5000}},
	}
	read := call{number: unix.SYS_READ, args: [6]uint64{10}}
	p := &pool{digests: newDigests()}
	before := p.resolver.resolve(worker, read)
	p.describe(&visit{}, glimpse{wait: before, frames: []frame{{function: "PDO::query"}}})
	after := p.resolver.resolve(worker, read)
	if before.state != snapshot.PHPUnknown || after.state != snapshot.PHPMySQL || !after.vague {
		t.Errorf("before %+v, after %+v, want what was unknown to be a database, unless a function knows better", before, after)
	}
}

func TestSocketsAreFoundInTheTablesOfOldKernels(t *testing.T) {
	const tcp = "  sl  local_address rem_address   st\n" +
		"   0: 0100007F:2328 00000000:0000 0A 0:0 0:0 0 0 0 11 1\n" +
		"   1: 0500000A:D431 0700000A:0CEA 01 0:0 0:0 0 33 0 12 1\n"
	const unixTable = "Num RefCount Protocol Flags Type St Inode Path\n" +
		"0: 2 0 00010000 0001 01 21 /run/php/www.sock\n0: 3 0 00000000 0001 03 22\n"
	open := func(inode string) (ends, bool) {
		if e, ok := findInet(strings.NewReader(tcp), inode); ok {
			return e, true
		}
		return findUnix(strings.NewReader(unixTable), inode)
	}
	for inode, want := range map[string]ends{
		"11": {local: "127.0.0.1:9000", listening: true},
		"12": {local: "10.0.0.5:54321", peer: "10.0.0.7:3306", port: 3306},
		"21": {local: "/run/php/www.sock", listening: true},
		"22": {},
	} {
		if got, ok := open(inode); !ok || got != want {
			t.Errorf("socket %s = %+v, %v, want %+v", inode, got, ok, want)
		}
	}
	if _, ok := open("99"); ok {
		t.Error("a socket that is nowhere is found")
	}
}
