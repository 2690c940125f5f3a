package phpfpm

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors/snapshot"
)

func TestAListeningSocketIsFoundByEachWayToNameIt(t *testing.T) {
	at := func(addr string) map[netip.AddrPort]snapshot.ListenQueue {
		return map[netip.AddrPort]snapshot.ListenQueue{netip.MustParseAddrPort(addr): {Waiting: 3}}
	}
	for _, c := range []struct {
		listen, bound string
		found         bool
	}{
		{"9000", "0.0.0.0:9000", true},
		{"9000", "[::]:9000", true},
		{"*:9000", "0.0.0.0:9000", true},
		{"[::]:9000", "[::]:9000", true},
		{"127.0.0.1:9000", "127.0.0.1:9000", true},
		{"localhost:9000", "[::1]:9000", true},
		{"127.0.0.1:9000", "127.0.0.2:9000", false},
		{"127.0.0.1:9000", "127.0.0.1:9001", false},
		{"127.0.0.1:port", "127.0.0.1:9001", false},
		{"/run/php.sock", "127.0.0.1:9000", false},
	} {
		q := Queues{tcp: at(c.bound)}
		got, name, found := q.Of(c.listen)
		if found != c.found || found && (got.Waiting != 3 || name != c.bound) {
			t.Errorf("Of(%q) of a socket at %s = %+v, %s, %v, want found = %v", c.listen, c.bound, got, name, found, c.found)
		}
	}
}

func TestQueuesOfAContainerAreReadFromItsTables(t *testing.T) {
	const tcp = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n" +
		"   0: 0100007F:2328 00000000:0000 0A 00000000:0000000D 00:00000000 00000000     0        0 81513 1 0 100 0 0 10 0\n" +
		"   1: 0100007F:2328 0100007F:C350 01 00000000:00000007 00:00000000 00000000     0        0 81514 1 0 100 0 0 10 0\n"
	const tcp6 = "   0: 00000000000000000000000000000000:2329 00000000000000000000000000000000:0000 0A 00000000:00000002 00:00000000 0 0 0 1\n" +
		"   1: nonsense 0 0A 0:zz\n"
	q := TableQueues([]byte(tcp), []byte(tcp6))
	first, _, ok := q.Of("127.0.0.1:9000")
	second, name, ok2 := q.Of("9001")
	if !ok || !ok2 || first.Waiting != 13 || second.Waiting != 2 || first.Length != nil || name != "[::]:9001" {
		t.Errorf("queues = %+v (%v), %+v (%v), want 13 and 2 that wait, and no length", first, ok, second, ok2)
	}
}

func TestAStatusPageSaysWhatItSays(t *testing.T) {
	// Recorded from php-fpm 8.2.
	got, err := parseStatus([]byte(`{"pool":"www","process manager":"dynamic","start time":1795179808,"start since":5,"accepted conn":12,` +
		`"listen queue":0,"max listen queue":0,"listen queue len":0,"idle processes":1,"active processes":2,"total processes":3,` +
		`"max active processes":3,"max children reached":1,"slow requests":4}`))
	want := &snapshot.FPMStatus{
		Started: time.Unix(1795179808, 0).UTC(), Accepted: 12, Idle: 1, Active: 2, Total: 3, MaxActive: 3, MaxChildrenReached: 1, SlowRequests: 4,
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v, status (-want +got):\n%s", err, diff)
	}
	for _, text := range []string{"", "<html>", "{}", `{"pool":"www"}`, `{"pool":"www","start time":-1}`} {
		if got, err := parseStatus([]byte(text)); err == nil || !strings.Contains(err.Error(), "no status page") {
			t.Errorf("%q = %+v, %v, want that it is no status page", text, got, err)
		}
	}
}

func TestOnlyAWholeAnswerCounts(t *testing.T) {
	record := func(kind byte, text string) []byte { return appendRecord(nil, kind, []byte(text)) }
	whole := bytes.Join([][]byte{
		record(7, "PHP message"), record(fcgiStdout, "Content-Type: text/plain\r\n\r\nhel"), record(fcgiStdout, "lo"), record(fcgiEndRequest, "\x00\x00\x00\x00\x00\x00\x00\x00"),
	}, nil)
	got, err := answer(bytes.NewReader(whole))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := body(got); err != nil || string(text) != "hello" {
		t.Errorf("body = %q, %v, want hello", text, err)
	}
	for n := range whole {
		if got, err := answer(bytes.NewReader(whole[:n])); err == nil {
			t.Errorf("the first %d of %d bytes give the answer %q", n, len(whole), got)
		}
	}
	if _, err := body([]byte("Status: 404 Not Found\r\nX: y\r\n\r\nFile not found.")); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("error = %v, want the 404", err)
	}
}

func FuzzAnswersOfAnyServerEnd(f *testing.F) {
	f.Add(appendRecord(nil, fcgiStdout, []byte("X: y\r\n\r\nz")))
	f.Add(appendRecord(nil, fcgiEndRequest, make([]byte, 8)))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := answer(bytes.NewReader(text))
		if err == nil && len(got) > maxAnswer {
			t.Errorf("an answer of %d bytes", len(got))
		}
		_, _ = body(got)
		_, _ = parseStatus(text)
		q := Queues{unix: map[string]snapshot.ListenQueue{}, tcp: map[netip.AddrPort]snapshot.ListenQueue{}}
		q.unixSocket(text)
		q.inetSocket(text)
		TableQueues(text)
		parseSchedstat(text)
	})
}

func TestWorkOfWorkersAddsUpWhileTheyComeAndGo(t *testing.T) {
	var w work
	totals := func(a ...uint64) map[string]workerTotals {
		out := map[string]workerTotals{}
		for i, cpu := range a {
			if cpu > 0 {
				out[string(rune('a'+i))] = workerTotals{CPU: cpu, RunQueue: cpu / 10}
			}
		}
		return out
	}
	for _, c := range []struct {
		now  map[string]workerTotals
		want uint64
		why  string
	}{
		{totals(1000, 500), 0, "what was before the first look is not ours"},
		{totals(1100, 500), 100, "one has run"},
		{totals(0, 600, 70), 270, "one has ended, and one was started since"},
		{totals(0, 50, 70), 270, "a total that fell is a fault of the kernel's, and no work"},
		{totals(), 270, "none is left"},
		{totals(0, 0, 0, 30), 300, "a worker of the next request"},
	} {
		if w.add(c.now); w.CPU != c.want {
			t.Errorf("%s: work = %d, want %d", c.why, w.CPU, c.want)
		}
	}
}

func TestAKernelThatDoesNotCountIsNotZero(t *testing.T) {
	if got, ok := parseSchedstat([]byte("0 0 0\n")); ok {
		t.Errorf("parseSchedstat = %+v, want unknown", got)
	}
	if got, ok := parseSchedstat([]byte("3128913 418302 7\n")); !ok || got != (workerTotals{3128913, 418302}) {
		t.Errorf("parseSchedstat = %+v, %v", got, ok)
	}
}
