package snapshot

import "testing"

func TestAReplicaReachedItsSource(t *testing.T) {
	executed := func(file string, offset uint64) Position {
		return Position{Executed: []SourceExecution{{"east", "binlog.000009", 4}, {"", file, offset}}}
	}
	for name, c := range map[string]struct {
		replica, source Position
		reached, known  bool
	}{
		"MySQL, all executed":       {Position{GTID: u1 + ":1-9"}, Position{GTID: u1 + ":1-9"}, true, true},
		"MySQL, one behind":         {Position{GTID: u1 + ":1-8"}, Position{GTID: u1 + ":1-9"}, false, true},
		"MySQL, a write of its own": {Position{GTID: u1 + ":1-8," + u2 + ":1-99"}, Position{GTID: u1 + ":1-9"}, false, true},
		"MariaDB, all applied":      {Position{GTID: "0-1-9"}, Position{Written: "0-1-9"}, true, true},
		"MariaDB, a write of its own": {
			Position{GTID: "0-1-8", Written: "0-2-99"}, Position{Written: "0-1-9"}, false, true,
		},
		"MariaDB, the primary was a replica once": {
			Position{GTID: "0-1-400"}, Position{GTID: "0-1-5", Written: "0-2-500"}, false, true,
		},
		"files, same":           {executed("binlog.000007", 120), Position{File: "binlog.000007", Offset: 120}, true, true},
		"files, behind":         {executed("binlog.000007", 119), Position{File: "binlog.000007", Offset: 120}, false, true},
		"files, older file":     {executed("binlog.000007", 900), Position{File: "binlog.000008", Offset: 4}, false, true},
		"files, longer numbers": {executed("binlog.1000000", 4), Position{File: "binlog.999999", Offset: 900}, true, true},
		"files, another series": {executed("binlog.000007", 120), Position{File: "mysql-bin.000007", Offset: 4}, false, false},
		"files, no number":      {executed("binlog", 120), Position{File: "binlog", Offset: 4}, false, false},
		"nothing":               {},
		"only the source":       {Position{}, Position{GTID: u1 + ":1"}, false, false},
		"different families":    {Position{GTID: "0-1-9"}, Position{GTID: u1 + ":1"}, false, false},
		"malformed":             {Position{GTID: "0-1-9"}, Position{Written: "0-1"}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			reached, known := c.replica.Reached(c.source, "")
			if reached != c.reached || known != c.known {
				t.Errorf("Reached = %v, known %v, want %v, %v", reached, known, c.reached, c.known)
			}
		})
	}
}
