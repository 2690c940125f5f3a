package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plimsoll/collectors/snapshot"
	"plimsoll/fixtures/servers"
)

// TestASlowLogThatIsClosedToTheAgentIsAGapThatSaysWhatToGrant runs the agent as somebody who may read
// nothing, beside a real server.
func TestASlowLogThatIsClosedToTheAgentIsAGapThatSaysWhatToGrant(t *testing.T) {
	s := servers.Start(t, servers.MariaDB1011, servers.OpenSocket(), servers.Settings("slow_query_log=ON", "long_query_time=0"))
	dsn := s.CreateUser(t, "agent", "PROCESS ON *.*", "SELECT ON performance_schema.*")
	for _, c := range []struct {
		name                 string
		folder, file         os.FileMode
		wantReason, wantHelp string
	}{
		{"its group may read it", 0o755, 0o640, "may not read the slow log", "add the group of the file to the agent's unit"},
		{"its owner alone may", 0o755, 0o600, "may not read the slow log", "setfacl"},
		{"its folder is closed", 0o700, 0o644, "may not read the slow log", "setfacl"},
		{"all may", 0o755, 0o644, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cmd := servers.AsNobody(t, "plimsoll-agent", "once", "--config", "agent.yml")
			folder := filepath.Join(cmd.Dir, "log")
			log := filepath.Join(folder, "slow.log")
			config := fmt.Sprintf("state: %s/state\nmysql:\n  - {name: db1, dsn_file: %[1]s/dsn, slow_log: %s}\n", cmd.Dir, log)
			err := errors.Join(
				os.Mkdir(folder, 0o755), os.WriteFile(log, nil, 0o600), os.Chmod(log, c.file), os.Chmod(folder, c.folder),
				os.WriteFile(filepath.Join(cmd.Dir, "dsn"), []byte(dsn), 0o644),
				os.WriteFile(filepath.Join(cmd.Dir, "agent.yml"), []byte(config), 0o644))
			if err != nil {
				t.Fatal(err)
			}
			var out, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &stderr
			if err := cmd.Run(); err != nil {
				t.Fatalf("%v: %s", err, &stderr)
			}
			gaps := slowLogGaps(t, out.Bytes())
			if c.wantReason == "" {
				if len(gaps) != 0 {
					t.Errorf("gaps = %+v, want none", gaps)
				}
				return
			}
			if len(gaps) != 1 || !strings.Contains(gaps[0].Reason, c.wantReason+" "+log) || !strings.Contains(gaps[0].Remedy, c.wantHelp) {
				t.Errorf("gaps = %+v, want that it %s, and to %s", gaps, c.wantReason, c.wantHelp)
			}
		})
	}
}

// slowLogGaps are those of the slow log in a printed snapshot.
func slowLogGaps(t *testing.T, printed []byte) (gaps []snapshot.Gap) {
	t.Helper()
	var s snapshot.Snapshot
	if err := json.Unmarshal(printed, &s); err != nil {
		t.Fatal(err)
	}
	db1 := s.Servers["db1"]
	if db1 == nil || db1.Digests == nil {
		t.Fatalf("no digests of db1: %s", printed)
	}
	for _, gap := range db1.Digests.Gaps {
		if gap.Job == "mysql/slow-log" {
			gaps = append(gaps, gap)
		}
	}
	return gaps
}
