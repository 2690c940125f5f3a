package metric

import (
	"cmp"
	"slices"
	"time"

	"plimsoll/collectors/snapshot"
)

// phpMetrics are the series about PHP-FPM pools. Those of the status page have the names that PHP's own
// OpenMetrics and the popular exporter give them; phpfpm_listen_queue is the kernel's figure, as FPM's is
// always 0 for unix sockets.
func phpMetrics() []Metric {
	return slices.Concat(poolMetrics(), statusPageMetrics(), workerMetrics(), probeMetrics())
}

// poolLabels tell pools apart: the pool's name, and where it listens.
func poolLabels(more ...string) []string { return append([]string{"server", "pool"}, more...) }

// poolRow makes a metric with one series a pool, absent where read gives nil.
func poolRow(name string, kind Type, unit, help, source string, read func(p *snapshot.FPMPool) *float64) Metric {
	return Metric{
		Name: name, Type: kind, Unit: unit, Help: help, Source: source, Job: "phpfpm", Labels: poolLabels(),
		Read: func(s *snapshot.Snapshot, emit Emit) {
			if s.PHP == nil {
				return
			}
			for i := range s.PHP.Pools {
				if p := &s.PHP.Pools[i]; read(p) != nil {
					emit(*read(p), p.Server, p.Name)
				}
			}
		},
	}
}

func poolMetrics() []Metric {
	return []Metric{
		poolRow("plimsoll_php_workers", Gauge, "", "Processes that the pool has.", "/proc",
			func(p *snapshot.FPMPool) *float64 { return new(float64(p.Workers)) }),
		poolRow("plimsoll_php_max_children", Gauge, "", "Processes that the pool may have.", "pm.max_children",
			func(p *snapshot.FPMPool) *float64 {
				if p.Config == nil {
					return nil
				}
				return new(float64(p.Config.MaxChildren))
			}),
		poolRow("plimsoll_php_cpu_seconds_total", Counter, "seconds", "Processor time of the pool's workers.", "/proc/PID/schedstat",
			func(p *snapshot.FPMPool) *float64 { return p.CPUSeconds }),
		poolRow("plimsoll_php_run_queue_seconds_total", Counter, "seconds", "Time in which the pool's workers waited for a processor.", "/proc/PID/schedstat",
			func(p *snapshot.FPMPool) *float64 { return p.RunQueueSeconds }),
		poolRow("plimsoll_php_resident_bytes", Gauge, "bytes", "Memory of the pool's workers, with what they share counted for each.", "/proc/PID/statm",
			func(p *snapshot.FPMPool) *float64 {
				if p.ResidentBytes == nil {
					return nil
				}
				return new(float64(*p.ResidentBytes))
			}),
		poolRow("phpfpm_listen_queue", Gauge, "", "Connections that no worker has taken.", "sock_diag; /proc/PID/net/tcp in containers",
			func(p *snapshot.FPMPool) *float64 {
				if p.Queue == nil {
					return nil
				}
				return new(float64(p.Queue.Waiting))
			}),
		poolRow("phpfpm_listen_queue_length", Gauge, "", "Connections that can wait for a worker.", "sock_diag",
			func(p *snapshot.FPMPool) *float64 {
				if p.Queue == nil || p.Queue.Length == nil {
					return nil
				}
				return new(float64(*p.Queue.Length))
			}),
		poolRow("phpfpm_up", Gauge, "", "Whether the status page answered: 1 or 0; absent where there is none.", "pm.status_path",
			func(p *snapshot.FPMPool) *float64 {
				if p.Status != nil {
					return new(1.0)
				}
				if p.Config == nil || p.Config.StatusPath == "" {
					return nil
				}
				return new(0.0)
			}),
	}
}

// statusPageMetrics are the lines of FPM's status page.
func statusPageMetrics() []Metric {
	page := func(name string, kind Type, help, line string, read func(s *snapshot.FPMStatus) float64) Metric {
		return poolRow(name, kind, "", help, "status page, "+line, func(p *snapshot.FPMPool) *float64 {
			if p.Status == nil {
				return nil
			}
			return new(read(p.Status))
		})
	}
	return []Metric{
		page("phpfpm_accepted_connections", Counter, "Requests that the pool accepted.", "accepted conn",
			func(s *snapshot.FPMStatus) float64 { return float64(s.Accepted) }),
		page("phpfpm_idle_processes", Gauge, "Workers without a request.", "idle processes",
			func(s *snapshot.FPMStatus) float64 { return float64(s.Idle) }),
		page("phpfpm_active_processes", Gauge, "Workers with a request.", "active processes",
			func(s *snapshot.FPMStatus) float64 { return float64(s.Active) }),
		page("phpfpm_total_processes", Gauge, "Workers.", "total processes",
			func(s *snapshot.FPMStatus) float64 { return float64(s.Total) }),
		page("phpfpm_max_active_processes", Gauge, "Most workers with a request since the pool started.", "max active processes",
			func(s *snapshot.FPMStatus) float64 { return float64(s.MaxActive) }),
		page("phpfpm_max_children_reached", Counter, "How often the pool wanted a worker more than it may have.", "max children reached",
			func(s *snapshot.FPMStatus) float64 { return float64(s.MaxChildrenReached) }),
		page("phpfpm_slow_requests", Counter, "Requests above request_slowlog_timeout.", "slow requests",
			func(s *snapshot.FPMStatus) float64 { return float64(s.SlowRequests) }),
		page("phpfpm_start_since", Gauge, "Seconds since the pool started.", "start since",
			func(s *snapshot.FPMStatus) float64 { return time.Since(s.Started).Seconds() }),
	}
}

// fromProbe makes a metric of what plimsoll-probe sampled of each pool.
func fromProbe(name string, kind Type, unit, help, source string, labels []string, read func(p *snapshot.PoolProfile, emit Emit)) Metric {
	return Metric{
		Name: name, Type: kind, Unit: unit, Help: help, Source: source, Job: "phpfpm/profile", Labels: poolLabels(labels...),
		Read: func(s *snapshot.Snapshot, emit Emit) {
			if s.PHPProfile == nil {
				return
			}
			for i := range s.PHPProfile.Pools {
				p := &s.PHPProfile.Pools[i]
				read(p, func(v float64, labels ...string) { emit(v, append([]string{p.Server, p.Name}, labels...)...) })
			}
		},
	}
}

// The limits of series a pool. What they leave out is the difference to the pool's own series, so that
// nothing need be shown as a rest, which would fall whenever a route came to be listed.
const (
	routeSeries     = 20
	statementSeries = 20
	peerSeries      = 10
)

func workerMetrics() []Metric {
	const sampled = "plimsoll-probe"
	return []Metric{
		fromProbe("plimsoll_php_worker_seconds_total", Counter, "seconds", "Time of the pool's workers by what they did; all states together are all their time.",
			"plimsoll-probe; cpu and runqueue: /proc/PID/schedstat", []string{"state"}, emitStates),
		fromProbe("plimsoll_php_backend_seconds_total", Counter, "seconds", "Time in which workers waited for a peer, for the ten that took most.",
			sampled, []string{"state", "peer"}, emitBackends),
		fromProbe("plimsoll_php_route_seconds_total", Counter, "seconds", "Time of workers by kind of request, for the twenty that took most; state is cpu, mysql, cache, lock or rest.",
			sampled, []string{"method", "route", "state"}, emitRoutes),
		fromProbe("plimsoll_php_route_requests_total", Counter, "", "Requests of a kind, for the twenty that took most time.",
			sampled, []string{"method", "route"}, emitRequests),
		fromProbe("plimsoll_php_statement_seconds_total", Counter, "seconds", "Time in which workers waited for a statement, for the twenty that took most; digest is its fingerprint.",
			sampled, []string{"digest"}, emitStatements),
		fromProbe("plimsoll_php_requests_total", Counter, "", "Requests that ended.", "FPM's scoreboard", nil,
			func(p *snapshot.PoolProfile, emit Emit) { emit(float64(p.Requests)) }),
		fromProbe("plimsoll_php_busy_workers", Gauge, "", "Workers with a request.", "FPM's scoreboard", nil,
			func(p *snapshot.PoolProfile, emit Emit) { emit(float64(p.Busy)) }),
		fromProbe("plimsoll_php_saturated_seconds_total", Counter, "seconds", "Time in which no worker was free.", "FPM's scoreboard", nil,
			func(p *snapshot.PoolProfile, emit Emit) { emit(p.SaturatedSeconds) }),
		fromProbe("plimsoll_php_worker_memory_bytes", Gauge, "bytes", "Memory of a worker, 95th percentile; kind is uss, its own, or pss, with its part of what is shared.",
			"/proc/PID/smaps_rollup", []string{"kind"}, func(p *snapshot.PoolProfile, emit Emit) {
				if p.Memory != nil {
					emit(float64(p.Memory.P95USSBytes), "uss")
					emit(float64(p.Memory.P95PSSBytes), "pss")
				}
			}),
	}
}

func emitStates(p *snapshot.PoolProfile, emit Emit) {
	for _, s := range snapshot.PHPStates() {
		emit(p.States[s].Seconds, string(s))
	}
}

func emitBackends(p *snapshot.PoolProfile, emit Emit) {
	all := slices.Clone(p.Backends)
	slices.SortStableFunc(all, func(a, b snapshot.BackendTime) int { return cmp.Compare(b.Seconds, a.Seconds) })
	for _, b := range all[:min(len(all), peerSeries)] {
		if b.Peer != snapshot.OtherPeer {
			emit(b.Seconds, string(b.State), b.Peer)
		}
	}
}

// topRoutes are the routes that have series.
func topRoutes(p *snapshot.PoolProfile) []snapshot.RouteTime {
	all := slices.DeleteFunc(slices.Clone(p.Routes), func(r snapshot.RouteTime) bool { return r.Route == snapshot.OtherRoute })
	slices.SortStableFunc(all, func(a, b snapshot.RouteTime) int { return cmp.Compare(b.BusySeconds(), a.BusySeconds()) })
	return all[:min(len(all), routeSeries)]
}

func emitRoutes(p *snapshot.PoolProfile, emit Emit) {
	for _, r := range topRoutes(p) {
		in := func(states ...snapshot.PHPState) (sum float64) {
			for _, s := range states {
				sum += r.Seconds[s]
			}
			return sum
		}
		cpu, mysql := in(snapshot.PHPCPU, snapshot.PHPRunQueue), in(snapshot.PHPMySQL)
		cache, lock := in(snapshot.PHPRedis, snapshot.PHPMemcached), in(snapshot.PHPLock)
		emit(cpu, r.Method, r.Route, "cpu")
		emit(mysql, r.Method, r.Route, "mysql")
		emit(cache, r.Method, r.Route, "cache")
		emit(lock, r.Method, r.Route, "lock")
		emit(max(r.BusySeconds()-cpu-mysql-cache-lock, 0), r.Method, r.Route, "rest")
	}
}

func emitRequests(p *snapshot.PoolProfile, emit Emit) {
	for _, r := range topRoutes(p) {
		emit(float64(r.Requests), r.Method, r.Route)
	}
}

func emitStatements(p *snapshot.PoolProfile, emit Emit) {
	sums := map[string]float64{}
	for _, r := range p.Rows {
		if r.State == snapshot.PHPMySQL && r.Fingerprint != "" {
			sums[r.Fingerprint] += r.Seconds
		}
	}
	all := make([]string, 0, len(sums))
	for fingerprint := range sums {
		all = append(all, fingerprint)
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(cmp.Compare(sums[b], sums[a]), cmp.Compare(a, b)) })
	for _, fingerprint := range all[:min(len(all), statementSeries)] {
		emit(sums[fingerprint], fingerprint)
	}
}

// probeMetrics are the probe's own cost.
func probeMetrics() []Metric {
	own := func(name string, kind Type, unit, help string, read func(p *snapshot.PHPProfile) float64) Metric {
		return Metric{
			Name: name, Type: kind, Unit: unit, Help: help, Source: "plimsoll-probe", Job: "phpfpm/profile",
			Read: func(s *snapshot.Snapshot, emit Emit) {
				if s.PHPProfile != nil && s.PHPProfile.Epoch != "" {
					emit(read(s.PHPProfile))
				}
			},
		}
	}
	return []Metric{
		own("plimsoll_probe_rate_hertz", Gauge, "", "How often workers are looked at a second.", func(p *snapshot.PHPProfile) float64 { return p.Hertz }),
		own("plimsoll_probe_ticks_total", Counter, "", "Looks at all workers.", func(p *snapshot.PHPProfile) float64 { return float64(p.Ticks) }),
		own("plimsoll_probe_late_ticks_total", Counter, "", "Looks that came more than a period late.", func(p *snapshot.PHPProfile) float64 { return float64(p.LateTicks) }),
		own("plimsoll_probe_samples_total", Counter, "", "Workers looked at.", func(p *snapshot.PHPProfile) float64 { return float64(p.Samples) }),
		own("plimsoll_probe_cpu_seconds_total", Counter, "seconds", "Processor time of the probe.", func(p *snapshot.PHPProfile) float64 { return p.CPUSeconds }),
	}
}
