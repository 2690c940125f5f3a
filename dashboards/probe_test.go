package dashboards_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"path/filepath"
	"testing"
	"time"

	"plimsoll/collectors/snapshot"
	"plimsoll/collectors/sqltext"
	"plimsoll/fixtures/servers"
)

// orders is the statement of visitors that lacks its index, as browse sends it.
const orders = "SELECT * FROM shop.orders WHERE customer = 1 ORDER BY total"

// speakAsProbe answers on a socket as plimsoll-probe does, until ctx ends, with workers of a pool of f that do
// the same in every second. What the true probe sees is tested where it is made; here it is what becomes of it.
func (s *site) speakAsProbe(ctx context.Context, t *testing.T, f *servers.FPM) (socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "probe.sock")
	l, err := new(net.ListenConfig).Listen(ctx, "unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	context.AfterFunc(ctx, func() { _ = l.Close() }) // What waits for it then ends.
	started := time.Now()
	s.run(t, func() error {
		for {
			conn, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			if err != nil {
				return err
			}
			err = json.NewEncoder(conn).Encode(profile(f.Listen("www"), started, time.Now()))
			if err := errors.Join(err, conn.Close()); err != nil {
				return err
			}
		}
	})
	return socket
}

// profile is what a probe would have seen since it was started: four workers, of which three are busy.
func profile(listen string, started, now time.Time) snapshot.PHPProfile {
	seconds := now.Sub(started).Seconds()
	spent := func(workers float64) snapshot.StateTime {
		return snapshot.StateTime{Seconds: workers * seconds, Variance: workers * seconds / 20, Waits: uint64(50 * workers * seconds)}
	}
	states := map[snapshot.PHPState]snapshot.StateTime{}
	for _, s := range snapshot.PHPStates() {
		states[s] = spent(0.05)
	}
	states[snapshot.PHPCPU], states[snapshot.PHPMySQL], states[snapshot.PHPIdle] = spent(0.75), spent(1.5), spent(1)
	fingerprint := sqltext.Fingerprint(orders)
	pool := snapshot.PoolProfile{
		Name: "www", Server: listen, Version: "8.2.35", Tested: true, WorkerSeconds: 4 * seconds, Requests: uint64(30 * seconds),
		Workers: 4, Busy: 3, MaxBusy: 4, SaturatedSeconds: 0.1 * seconds, States: states,
		Backends: []snapshot.BackendTime{
			{State: snapshot.PHPMySQL, Peer: "10.0.0.1:3306", StateTime: spent(1.5)},
			{State: snapshot.PHPRedis, Peer: "10.0.0.9:6379", StateTime: spent(0.05)},
		},
		Routes: []snapshot.RouteTime{
			{Method: "GET", Route: "/orders/{id}", Requests: uint64(20 * seconds), Seconds: map[snapshot.PHPState]float64{
				snapshot.PHPCPU: 0.5 * seconds, snapshot.PHPMySQL: 1.4 * seconds,
			}},
			{Method: "POST", Route: "/checkout", Requests: uint64(10 * seconds), Seconds: map[snapshot.PHPState]float64{
				snapshot.PHPCPU: 0.25 * seconds, snapshot.PHPMySQL: 0.1 * seconds, snapshot.PHPHTTP: 0.05 * seconds,
			}},
		},
		Rows: []snapshot.ProfileRow{{
			ProfileKey: snapshot.ProfileKey{
				Method: "GET", Route: "/orders/{id}", State: snapshot.PHPMySQL, Peer: "10.0.0.1:3306", Call: "PDOStatement::execute",
				Code: "Orders::load", File: "app/Orders.php", Fingerprint: fingerprint,
			},
			StateTime: spent(1.4), Samples: uint64(28 * seconds),
		}},
		Memory: &snapshot.WorkerMemory{Workers: 4, MeanUSSBytes: 30 << 20, P95USSBytes: 40 << 20, MeanPSSBytes: 35 << 20, P95PSSBytes: 46 << 20},
	}
	return snapshot.PHPProfile{
		Meta: snapshot.Meta{Taken: now, Epoch: started.String()}, Version: "test", Started: started, Hertz: 20,
		Ticks: uint64(20 * seconds), LateTicks: uint64(seconds), Samples: uint64(60 * seconds), CPUSeconds: 0.01 * seconds,
		Pools: []snapshot.PoolProfile{pool},
		Texts: []snapshot.DigestText{{Fingerprint: fingerprint, Class: "select", Reads: []string{"shop.orders"}, Text: snapshot.Redacted(sqltext.Redact(orders))}},
	}
}
