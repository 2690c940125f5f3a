package mysql

import (
	"fmt"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors/snapshot"
)

const replicaRecording = "replica-status.txt"

// recordReplicaStatus writes the row that the replica gives of its one channel,
// a column a line, without those that are NULL.
func recordReplicaStatus(t *testing.T, p *pair) {
	t.Helper()
	if !*record {
		return
	}
	replica := p.Replicas[0]
	q, err := openAs(t, replica.DSN("root")).session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := q.Close(); err != nil {
			t.Error(err)
		}
	}()
	var r replicationReader
	var part snapshot.Replication
	rows, err := r.readChannels(t.Context(), q, &part)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for name, value := range rows[""] {
		lines = append(lines, name+": "+value)
	}
	sort.Strings(lines)
	text := fmt.Sprintf("# %s: the row of the replica status; go test ./collectors/mysql -run TestReplication -record\n%s\n",
		q.identity.Version, strings.Join(lines, "\n"))
	writeRecording(t, replica, replicaRecording, text)
}

func TestRecordedReplicaStatusIsRead(t *testing.T) {
	for version, text := range recorded(t, replicaRecording) {
		t.Run(version, func(t *testing.T) {
			row := channelRow{}
			for line := range strings.Lines(text) {
				if name, value, found := strings.Cut(strings.TrimSuffix(line, "\n"), ": "); found && !strings.HasPrefix(line, "#") {
					row[name] = value
				}
			}
			family := snapshot.MySQL
			if strings.HasPrefix(version, "mariadb") {
				family = snapshot.MariaDB
			}
			got := row.channel(family)
			if got.SourcePort == 0 || got.SourceKey == "" || *got.RelayLogBytes == 0 || row.received() == "   " {
				t.Errorf("channel = %+v, want a port, a key, relay logs and a position", got)
			}
			got.SourcePort, got.SourceKey, got.RelayLogBytes, got.HeartbeatSeconds = 0, "", nil, nil
			want := snapshot.Channel{
				SourceHost: "127.0.0.1", State: snapshot.LagOK, IORunning: "Yes", SQLRunning: "Yes",
				SecondsBehind: optional(0.0, true), GTID: true,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("channel (-want +got):\n%s", diff)
			}
			if e := row.execution(""); e.File == "" || e.Offset == 0 {
				t.Errorf("execution = %+v, want a file and an offset", e)
			}
		})
	}
}
