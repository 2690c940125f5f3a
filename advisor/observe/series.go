package observe

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/common/model"

	"plimsoll/advisor/store"
	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// patience is how long one query may take: a fleet's day is asked for at once.
const patience = 30 * time.Second

// series fills into a fleet what only series can say.
type series struct {
	querier store.Querier
	fleet   *fleet.Fleet
}

func (s series) fill(ctx context.Context, readings []LagReading) {
	s.fillPeak(ctx)
	s.fillHosts(ctx)
	s.fillServers(ctx)
	s.fillPools(ctx)
	s.fillLag(ctx, readings)
	s.findRenamedLabels(ctx)
}

// fillHosts adds the busiest minutes of each host: the 95th percentile.
func (s series) fillHosts(ctx context.Context) {
	busy := s.each(ctx, s.peak(`1 - sum by (cluster, host) (rate(plimsoll_host_cpu_seconds_total{mode=~"idle|iowait|steal"}[%[1]s]))`+
		` / sum by (cluster, host) (rate(plimsoll_host_cpu_seconds_total[%[1]s]))`))
	for _, h := range s.fleet.Hosts {
		if h.Machine != nil {
			h.Machine.PeakCPUBusyRatio = busy.find(h.Cluster, h.Name)
		}
	}
}

func (s series) fillServers(ctx context.Context) {
	running := s.each(ctx, s.quantile(`mysql_global_status_threads_running`))
	connected := s.each(ctx, s.most(`mysql_global_status_threads_connected`))
	longest := s.each(ctx, s.most(`plimsoll_mysql_transaction_longest_seconds`))
	history := s.each(ctx, s.most(`plimsoll_mysql_history_list_length`))
	for _, v := range s.fleet.Servers {
		if v.Status != nil {
			v.Status.PeakThreadsRunning = running.find(v.Cluster, v.Host, v.Name)
			v.Status.PeakConnections = connected.find(v.Cluster, v.Host, v.Name)
		}
		if v.Transactions != nil {
			v.Transactions.PeakSeconds = longest.find(v.Cluster, v.Host, v.Name)
			v.Transactions.PeakHistory = history.find(v.Cluster, v.Host, v.Name)
		}
	}
}

// fillPools adds how many connections waited and how many workers were busy in the busiest moments. A
// queue is short-lived, so that of it the 99th percentile counts.
func (s series) fillPools(ctx context.Context) {
	if len(s.fleet.Pools) == 0 {
		return
	}
	queue := s.each(ctx, fmt.Sprintf("quantile_over_time(0.99, phpfpm_listen_queue[%s])", s.window()), "server", "pool")
	busy := s.each(ctx, s.quantile("phpfpm_active_processes"), "server", "pool")
	sampled := s.each(ctx, s.quantile("plimsoll_php_busy_workers"), "server", "pool")
	for _, p := range s.fleet.Pools {
		if p.Served == nil {
			continue
		}
		key := []string{p.Cluster, p.Host, p.Listen, p.Name}
		p.Served.PeakQueue = queue.find(key...)
		if p.Served.PeakActive = sampled.find(key...); p.Served.PeakActive == nil {
			p.Served.PeakActive = busy.find(key...)
		}
	}
}

// fillPeak finds the busiest hour of the last 7 days by statements; unknown
// until a day was seen, since a site has its hours.
func (s series) fillPeak(ctx context.Context) {
	now := s.fleet.Now
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	value, _, _, err := s.querier.QueryRange(ctx, `sum(rate(mysql_global_status_questions[1h]))`,
		hours(now.Add(-7*24*time.Hour), now))
	if err != nil {
		s.gap(err)
		return
	}
	if matrix, ok := value.(model.Matrix); ok && len(matrix) == 1 && len(matrix[0].Values) >= 24 {
		s.fleet.Peak = busiest(matrix[0].Values)
	}
}

func busiest(values []model.SamplePair) *fleet.Window {
	best := values[0]
	for _, v := range values[1:] {
		if v.Value > best.Value {
			best = v
		}
	}
	to := best.Timestamp.Time()
	return &fleet.Window{From: to.Add(-time.Hour), To: to}
}

// fillLag reads how lag was distributed over the window.
func (s series) fillLag(ctx context.Context, readings []LagReading) {
	quantile := func(q string) table {
		return s.each(ctx, fmt.Sprintf(`histogram_quantile(%s, sum by (cluster, host, server, channel, le) `+
			`(increase(plimsoll_mysql_replica_lag_seconds_bucket[%s])))`, q, s.window()), "server", "channel")
	}
	p50, p95, p99 := quantile("0.5"), quantile("0.95"), quantile("0.99")
	worst := s.each(ctx, s.most(`plimsoll_mysql_replica_lag_max_seconds`), "server", "channel")
	transport := s.each(ctx, s.quantile(`plimsoll_mysql_replica_transport_lag_max_seconds`), "server", "channel")
	trend := s.each(ctx, fmt.Sprintf(`deriv(plimsoll_mysql_replica_lag_last_seconds[%s])`, s.recent()), "server", "channel")
	states := s.each(ctx, fmt.Sprintf(`increase(plimsoll_mysql_replica_lag_state_seconds_total[%s])`, s.window()), "server", "channel", "state")
	for _, r := range readings {
		v := s.server(r)
		if v == nil {
			continue
		}
		key := []string{r.Cluster, r.Host, r.Server, r.Channel}
		lag := fleet.Lag{
			Channel: r.Channel, Window: s.fleet.Window, ClockErrorSeconds: r.ClockErrorSeconds, Unknown: r.Unknown,
			P50: p50.find(key...), P95: p95.find(key...), P99: p99.find(key...), Max: worst.find(key...), Last: r.Last,
			TransportP99: transport.find(key...), TrendRatio: trend.find(key...),
			State: map[snapshot.LagState]float64{},
		}
		clampToMax(&lag)
		seen := 0.0
		for _, state := range lagStates() {
			if seconds := states.find(append(key, string(state))...); seconds != nil {
				lag.State[state] = *seconds
				seen += *seconds
			}
		}
		lag.Window.From = maxTime(lag.Window.From, lag.Window.To.Add(-time.Duration(seen*float64(time.Second))))
		v.Lag = append(v.Lag, lag)
	}
}

// clampToMax keeps percentiles, which are interpolated within buckets, from going
// beyond the largest value that was seen.
func clampToMax(lag *fleet.Lag) {
	if lag.Max == nil {
		lag.Max = lag.P99
	}
	for _, p := range []*float64{lag.P50, lag.P95, lag.P99} {
		if p != nil && lag.Max != nil {
			*p = min(*p, *lag.Max)
		}
	}
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func lagStates() []snapshot.LagState {
	return []snapshot.LagState{
		snapshot.LagOK, snapshot.LagIODown, snapshot.LagSQLDown,
		snapshot.LagError, snapshot.LagDelayed, snapshot.LagUnknown,
	}
}

// findRenamedLabels looks for series whose labels a scraper without honor_labels
// renamed: they cannot be joined to a host.
func (s series) findRenamedLabels(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, label := range []string{"exported_cluster", "exported_host"} {
		found, _, _, err := s.querier.Series(ctx, []string{`plimsoll_agent_info{` + label + `!=""}`},
			s.fleet.Window.From, s.fleet.Window.To)
		if err != nil || len(found) == 0 {
			continue
		}
		s.fleet.Gaps = append(s.fleet.Gaps, snapshot.Gap{
			Job: "advisor", Reason: "the series carry " + label + ": Prometheus renamed the agents' own labels",
			Remedy: "add honor_labels: true to the job that scrapes the agents",
		})
	}
}

// server finds the server of a reading. Its key tells two apart whose agents were
// given one name.
func (s series) server(r LagReading) *fleet.Server {
	for _, v := range s.fleet.Servers {
		if v.Cluster == r.Cluster && v.Host == r.Host && v.Name == r.Server && v.Key == r.Key {
			return v
		}
	}
	return nil
}
