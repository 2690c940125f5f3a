package mysql

import (
	"slices"
	"strings"
	"testing"
	"time"

	"plimsoll/collectors/metric"
	"plimsoll/fixtures/servers"
)

func TestEveryStatusVariableIsKnownToSomeServer(t *testing.T) {
	known := map[string]bool{}
	seen := 0
	onEach(t, func(t *testing.T, s *servers.Server) {
		values := collect(t, open(t, s, 0), "mysql/status").Status.Values
		for name := range values {
			known[name] = true
		}
		seen++
		for _, name := range []string{"questions", "uptime", "innodb_buffer_pool_reads", "com_select", "handler_read_key"} {
			if _, ok := values[name]; !ok {
				t.Errorf("status has no %s", name)
			}
		}
	})
	if seen < len(servers.Products()) {
		t.Skip("not all servers are here")
	}
	for _, name := range metric.StatusVariables() {
		if !known[name] {
			t.Errorf("no server has the status variable %s", name)
		}
	}
}

func TestFlushStatusBeginsAnEpochOfTheStatus(t *testing.T) {
	onEach(t, func(t *testing.T, s *servers.Server) {
		server := open(t, s, 0)
		before := collect(t, server, "mysql/status").Status.Epoch
		again := collect(t, server, "mysql/status").Status.Epoch
		if before != again {
			t.Errorf("epoch changed from %s to %s by itself", before, again)
		}
		waitForUptime(t, s)
		flush := "FLUSH STATUS"
		if s.Product == servers.MariaDB118 {
			flush = "FLUSH GLOBAL STATUS" // Since 11.5 the other is for the session alone.
		}
		s.Exec(t, flush)
		after := collect(t, open(t, s, 0), "mysql/status").Status.Epoch
		if after == before {
			t.Errorf("epoch after FLUSH STATUS is still %s", after)
		}
	})
}

// waitForUptime returns when the server's uptime, in whole seconds, can tell
// now from its start and from the last FLUSH STATUS.
func waitForUptime(t *testing.T, s *servers.Server) {
	t.Helper()
	query := "SHOW GLOBAL STATUS WHERE Variable_name = 'Uptime_since_flush_status' AND Value >= 1"
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
		var name, value string
		if s.DB().QueryRowContext(t.Context(), query).Scan(&name, &value) == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("the server's uptime does not grow")
}

func TestSettingsHoldNoSecret(t *testing.T) {
	for _, name := range keptSettings() {
		for _, word := range []string{"password", "init_connect", "init_file", "secret", "sst_auth", "key_management", "auth_string", "user"} {
			if strings.Contains(name, word) && name != "max_user_connections" && name != "userstat" {
				t.Errorf("the setting %s may hold a secret", name)
			}
		}
	}
	if names := keptSettings(); len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Error("a setting is listed twice")
	}
}

func TestSettingsNeedNoGrant(t *testing.T) {
	onEach(t, func(t *testing.T, s *servers.Server) {
		got := collect(t, open(t, s, 0), "mysql/settings").Settings.Variables
		for _, name := range []string{"max_connections", "innodb_buffer_pool_size", "log_bin", "performance_schema"} {
			if got[name] == "" {
				t.Errorf("settings have no %s", name)
			}
		}
		if len(got) < 80 {
			t.Errorf("%d settings, want at least 80", len(got))
		}
	})
}
