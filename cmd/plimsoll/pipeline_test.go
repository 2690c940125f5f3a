package main

import (
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"plimsoll/advisor/ledger"
	"plimsoll/advisor/report"
	"plimsoll/agent/config"
	"plimsoll/fixtures/servers"
)

// missingIndex returns the finding about an index that the shop lacks.
func missingIndex(r *report.Report) (report.Entry, bool) {
	i := slices.IndexFunc(r.Findings, func(e report.Entry) bool { return e.Rule == "mysql/missing-index" })
	if i < 0 {
		return report.Entry{}, false
	}
	return r.Findings[i], true
}

// ask queries the advisor as Grafana does.
func ask(t *testing.T, s *stage, query string) model.Vector {
	t.Helper()
	server := httptest.NewServer(s.pages.Handler())
	defer server.Close()
	client, err := api.NewClient(api.Config{Address: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	value, _, _, err := promv1.NewAPI(client).Query(t.Context(), query, time.Now())
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return value.(model.Vector)
}

func TestAFindingIsReportedStoredAcknowledgedAndRemembered(t *testing.T) {
	db := servers.Start(t, servers.MariaDB1011)
	keepShop(t, db)
	target, _ := startAgent(t, config.Config{Cluster: "shop", Host: "db1", MySQL: []config.MySQL{{Name: "db1", Socket: db.Socket, User: "root"}}})
	data := t.TempDir()
	s := startStage(t, data, target)
	r := s.until(t, "the missing index is found", func(r *report.Report) bool { _, ok := missingIndex(r); return ok })
	e, _ := missingIndex(r)
	if !r.Shortened {
		t.Error("the report does not say that windows were shortened")
	}

	latest, err := readReport(filepath.Join(data, "reports", "latest.json"))
	if err != nil {
		t.Fatal(err)
	}
	if kept, ok := missingIndex(latest); !ok || kept.Fingerprint != e.Fingerprint {
		t.Errorf("latest.json has %v, want the finding", foundRules(latest))
	}
	own := ask(t, s, fmt.Sprintf(`plimsoll_finding{fingerprint=%q,status="open"} * on(fingerprint) group_left plimsoll_finding_first_seen_timestamp_seconds`, e.Fingerprint))
	if len(own) != 1 || time.Since(time.Unix(int64(own[0].Value), 0)) > 2*time.Minute {
		t.Errorf("own series = %v, want the finding", own)
	}
	if info := ask(t, s, `plimsoll_digest_info{text=~".*customer_email.*"} * on(cluster, digest, schema) group_left max by (cluster, digest, schema) (plimsoll_mysql_digest_calls_total)`); len(info) == 0 {
		t.Error("no digest of the agent's series has its text")
	}
	if lines := s.get(t, "/metrics"); !strings.Contains(lines, e.Fingerprint) {
		t.Error("/metrics lacks the finding")
	}
	if body := s.get(t, "/healthz"); body != "ok\n" {
		t.Errorf("/healthz = %q, want ok", body)
	}

	ack := ledger.Ack{Fingerprint: e.Fingerprint, Who: "ada", Why: "comes with the release", Until: ledger.NewDate(time.Now().AddDate(0, 0, 7))}
	if err := ledger.AddAck(s.config.Acks, ack, time.Now()); err != nil {
		t.Fatal(err)
	}
	if got, _ := missingIndex(s.round(t)); got.Status != ledger.StatusAcknowledged || got.Ack == nil || got.Ack.Who != "ada" {
		t.Errorf("after the acknowledgement: %s, %+v", got.Status, got.Ack)
	}

	s.close()
	again := startStage(t, data, target)
	r = again.until(t, "the finding is there after a restart", func(r *report.Report) bool { _, ok := missingIndex(r); return ok })
	if got, _ := missingIndex(r); !got.FirstSeen.Equal(e.FirstSeen) || got.Status != ledger.StatusAcknowledged {
		t.Errorf("after a restart: first seen %s and %s, want %s and acknowledged", got.FirstSeen, got.Status, e.FirstSeen)
	}
}

func TestFaultyAcknowledgementsAreToldInTheReport(t *testing.T) {
	data := t.TempDir()
	write(t, filepath.Join(data, "acks.yml"), "- fingerprint: f00d\n  who: ada\n")
	r := startStage(t, data).round(t)
	if text := reasons(r); !strings.Contains(text, "acknowledgements do not hold") {
		t.Errorf("gaps:\n%s\nwant one about the acknowledgements", text)
	}
}

func TestTwoAgentsOfOneNameAreToldApart(t *testing.T) {
	same := config.Config{Cluster: "shop", Host: "web1", MySQL: []config.MySQL{{Name: "db", Socket: "/nonexistent/mysqld.sock", User: "x"}}}
	one, _ := startAgent(t, same)
	two, _ := startAgent(t, same)
	s := startStage(t, t.TempDir(), one, two)
	r := s.until(t, "both are seen", func(r *report.Report) bool { return len(r.Hosts) == 2 })
	if text := reasons(r); !strings.Contains(text, "call themselves web1") {
		t.Errorf("gaps:\n%s\nwant that two agents have one name", text)
	}
	if lines := s.get(t, "/metrics"); !strings.Contains(lines, `plimsoll_agents{state="reached"} 2`) {
		t.Errorf("/metrics lacks the two agents:\n%s", lines)
	}
}

func TestAnAgentThatIsAwayIsNamed(t *testing.T) {
	target, _ := startAgent(t, config.Config{Cluster: "shop", Host: "web1", MySQL: []config.MySQL{{Name: "db", Socket: "/nonexistent/mysqld.sock", User: "x"}}})
	s := startStage(t, t.TempDir(), target, "unix:/nonexistent/agent.sock")
	r := s.until(t, "the other is seen", func(r *report.Report) bool { return len(r.Hosts) == 1 })
	if len(r.Unreachable) != 1 || r.Unreachable[0].Target != "unix:/nonexistent/agent.sock" {
		t.Errorf("unreachable = %+v, want the one that is away", r.Unreachable)
	}
	health := s.get(t, "/healthz")
	for end := time.Now().Add(time.Minute); !strings.Contains(health, "/nonexistent/agent.sock") && time.Now().Before(end); health = s.get(t, "/healthz") {
		time.Sleep(100 * time.Millisecond) // until it was scraped once
	}
	if !strings.HasPrefix(health, "ok\n") || !strings.Contains(health, "/nonexistent/agent.sock") {
		t.Errorf("/healthz = %q, want the agent that cannot be scraped", health)
	}
}
