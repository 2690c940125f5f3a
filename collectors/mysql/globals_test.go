package mysql

import (
	"testing"
	"time"

	"plimsoll/advisor/verify/scratch"
	"plimsoll/fixtures/servers"
)

func TestJobsShareOneStatusAndOneReadingOfTheVariables(t *testing.T) {
	onEach(t, func(t *testing.T, s *servers.Server) {
		server := open(t, s, 1)
		collect(t, server, "mysql/status")
		status, variables := showCounts(t, s)
		for _, name := range []string{
			"mysql/identity", "mysql/membership", "mysql/binlog", "mysql/locks", "mysql/replication", "mysql/settings",
		} {
			server.statusNow.at = time.Now() // however long the jobs take here
			taken := server.statusNow.at
			if m := collect(t, server, name).Membership; m != nil && !m.Taken.Equal(taken) {
				t.Errorf("membership is of %s, the status that it was made from of %s", m.Taken, taken)
			}
		}
		if moreStatus, moreVariables := showCounts(t, s); moreStatus-status != 1 || moreVariables != variables {
			t.Errorf("status was shown %d times more, variables %d times; want once, by this test, and never", moreStatus-status, moreVariables-variables)
		}
		want := 2
		if s.Product.Family() == scratch.MySQL {
			want = 3 // Its GTIDs and counters must be of the same moment.
		}
		collect(t, server, "mysql/transactions")
		if moreStatus, _ := showCounts(t, s); moreStatus-status != want {
			t.Errorf("with transactions status was shown %d times, want %d, two of them by this test", moreStatus-status, want)
		}
	})
}

// showCounts is how often status and variables were shown. It shows the status.
func showCounts(t *testing.T, s *servers.Server) (status, variables int) {
	t.Helper()
	rows, err := s.DB().QueryContext(t.Context(), "SHOW GLOBAL STATUS WHERE Variable_name IN ('Com_show_status', 'Com_show_variables')")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for _, n := range []*int{&status, &variables} { // They come in this order.
		var name string
		if !rows.Next() || rows.Scan(&name, n) != nil {
			t.Fatal("the server does not count what is shown")
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return status, variables
}

func TestARestartBehindAProxyIsSeenByTheUptime(t *testing.T) {
	probed := time.Now()
	p := &probe{up: probed.Add(-time.Hour)}
	for after, test := range map[time.Duration]struct {
		uptime string
		want   bool
	}{
		10 * time.Second:     {"3610", false},
		11 * time.Second:     {"3609", false}, // whole seconds, read late
		12 * time.Second:     {"2", true},
		3 * time.Hour:        {"14400", false},
		3*time.Hour + 1:      {"7000", true}, // longer up than at the probe, and yet restarted
		24 * 365 * time.Hour: {"0", true},
	} {
		status := &globals{at: probed.Add(after), values: map[string]string{"uptime": test.uptime}}
		if got := p.restarted(status); got != test.want {
			t.Errorf("restarted %s after the probe with an uptime of %s = %v, want %v", after, test.uptime, got, test.want)
		}
	}
}
