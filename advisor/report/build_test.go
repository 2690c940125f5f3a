package report

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plimsoll/advisor/ledger"
	"plimsoll/collectors/snapshot"
	"plimsoll/rules"
	"plimsoll/rules/fleet"
)

func TestBuildTakesWhatAFleetSaysAndNothingElse(t *testing.T) {
	w := fleet.Window{From: now().Add(-100 * time.Second), To: now()}
	lacking := snapshot.Gap{Job: "mysql/locks", Subject: "db1", Reason: "no grant", Remedy: "GRANT PROCESS"}
	primary := &fleet.Server{
		Cluster: "shop", Host: "db1", Name: "db1", Role: fleet.Primary,
		Latest: &snapshot.Server{Identity: &snapshot.Identity{Version: "9.7.0"}},
		Status: &fleet.StatusWindow{Window: w, Delta: map[string]float64{"questions": 500}},
		Digests: &fleet.DigestWindow{
			Window: w, Total: snapshot.DigestTotals{Calls: 10, Seconds: 50},
			Rows: []fleet.Digest{{Fingerprint: "fp1:1", Schema: "shop", Text: "SELECT ?", Own: true, DigestTotals: snapshot.DigestTotals{
				Calls: 10, Seconds: 25, RowsExamined: 40, RowsSent: 20,
			}}},
		},
		Coverage: &fleet.CoverageWindow{Window: w, Statements: 500, Digested: 250, PreparedExecutions: 100, PreparedHidden: true, HiddenRatio: new(0.5)},
		Gaps:     []snapshot.Gap{lacking, lacking},
	}
	replica := &fleet.Server{
		Cluster: "shop", Host: "db2", Name: "db2", Role: fleet.Replica, Source: primary, Latest: &snapshot.Server{},
		Digests: &fleet.DigestWindow{}, Lag: []fleet.Lag{{Unknown: "the replica is stopped"}},
	}
	f := &fleet.Fleet{
		Now: now(), Window: w, Shortened: true,
		Hosts: []*fleet.Host{{
			Cluster: "shop", Name: "db1", SeenRatio: 1, Latest: &snapshot.Machine{Cores: 4}, Machine: &fleet.MachineWindow{CPUBusyRatio: 0.25},
			Gaps: []snapshot.Gap{lacking},
		}},
		Servers:     []*fleet.Server{primary, replica},
		Unreachable: []fleet.Unreachable{{Target: "web1", Reason: "refused"}},
		Gaps:        []snapshot.Gap{{Job: "store", Reason: "slow"}},
	}
	open, gone := Entry{Status: ledger.StatusOpen}, Entry{Status: ledger.StatusGone}
	notReady := []rules.NotReady{{Rule: "mysql/x", Reason: "too soon"}}
	judged := []rules.Rule{{
		ID: "mysql/x", Title: "X", Threshold: rules.Threshold{Value: 1, Unit: rules.Seconds, Source: "s"}, MinWindow: time.Minute, Window: time.Hour,
	}}
	want := &Report{
		Schema: SchemaVersion, Version: "1", Generated: now(), Window: w, Shortened: true,
		Hosts: []Host{{Cluster: "shop", Name: "db1", SeenRatio: 1, Cores: new(4), CPUBusyRatio: new(0.25)}},
		Servers: []Server{
			{
				Cluster: "shop", Host: "db1", Name: "db1", Role: fleet.Primary, Version: "9.7.0", Window: w,
				LoadSeconds: new(0.5), StatementsPerSecond: new(5.0), SeenRatio: new(0.5), HiddenRatio: new(0.5), HiddenPreparedPerSecond: new(1.0),
				Digests: []Digest{{
					Fingerprint: "fp1:1", Schema: "shop", Text: "SELECT ?", Own: true, ShareRatio: 0.5, CallsPerSecond: 0.1, MeanSeconds: 2.5,
					ExaminedPerCall: 4, SentPerCall: 2,
				}},
			},
			{Cluster: "shop", Host: "db2", Name: "db2", Role: fleet.Replica, Source: "db1/db1", Lag: []Lag{{Unknown: "the replica is stopped"}}},
		},
		Findings: []Entry{open}, Gone: []Entry{gone}, NotReady: notReady,
		Unreachable: []Unreachable{{Target: "web1", Reason: "refused"}},
		Gaps:        []Gap{{Host: "db1", Gap: lacking}, {Gap: snapshot.Gap{Job: "store", Reason: "slow"}}},
		Rules:       []Rule{{ID: "mysql/x", Title: "X", Threshold: 1, Unit: rules.Seconds, ThresholdSource: "s", MinWindowSeconds: 60, WindowSeconds: 3600}},
	}
	got := Build("1", f, judged, rules.Result{NotReady: notReady}, []Entry{open, gone})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
