package sampler

import (
	"os/exec"
	"slices"
	"testing"

	"plimsoll/collectors/phpfpm"
	"plimsoll/fixtures/servers"
)

// Where FPM starts and ends workers all the time, one that was listed may have ended before it is read.
func TestAPoolIsReadOfAWorkerThatIsThere(t *testing.T) {
	fpm := servers.StartPHP(t, servers.PHP82)
	masters := findMasters(t)
	master := masters[slices.IndexFunc(masters, func(m phpfpm.Master) bool { return m.Config == fpm.Configuration })]
	gone := exec.CommandContext(t.Context(), "true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	for name, workers := range map[string][]phpfpm.Worker{
		"the first one has ended": append([]phpfpm.Worker{{PID: gone.Process.Pid, Own: gone.Process.Pid}}, master.Pools[0].Workers...),
		"all have":                {{PID: gone.Process.Pid, Own: gone.Process.Pid}},
	} {
		s := New(Options{})
		s.open(poolKey{master.PID, master.StartTicks, "www"}, master, phpfpm.Pool{Name: "www", Workers: workers})
		found := poolsAt(s, []string{fpm.Listen("www")})
		if len(workers) == 1 && len(s.pools)+len(s.ledgers) > 0 {
			t.Errorf("%s: pools %+v, want none until one is there", name, s.ledgers)
		}
		if len(workers) > 1 && (len(found) != 1 || found[0].layout == nil) {
			t.Errorf("%s: pools %+v, want one whose memory is known", name, found)
		}
	}
}
