package dashboards

import "github.com/grafana/grafana-foundation-sdk/go/units"

// phpPage shows what PHP's workers wait for: by backend, by kind of request, by statement.
//
// Where the time goes is known with plimsoll-probe only; the rows about queues, processors and memory need
// none.
func phpPage(l limits) page {
	return page{
		name: "php", title: "PHP: what workers wait for",
		about: "What PHP-FPM's workers wait for, in which requests, for which statements, and whether there are enough of them.",
		variables: []variable{
			{"pool", "Pool", `label_values(plimsoll_php_workers{HOST}, pool)`, false},
			{"route", "Request", `label_values(plimsoll_php_route_requests_total{POOL}, route)`, false},
			{"top", "Leading", "10,5,20", true},
		},
		rows: []row{
			{question: "Are there free workers?", panels: workerStats(l)},
			{question: "What do workers wait for?", panels: []panel{workersByState(), workersByPool(), workersByPeer()}},
			{question: "In which requests?", panels: []panel{routesTable(), workersByRoute()}},
			{question: "For which statements?", panels: []panel{routeStatements(), workersByStatement()}},
			{question: "Do visitors wait in front of PHP?", panels: queuePanels(l)},
			{question: "Is the host short of processors or memory?", panels: workerResources(l)},
			{question: "How many workers are there, and what does one take?", closed: true, panels: workerSizes()},
			{question: "How does one kind of request behave? Choose it above.", closed: true, panels: oneRoute()},
			{question: "How sure is this, and what does looking cost?", closed: true, panels: probePanels()},
		},
	}
}

// mayHave is how many workers the pools may have whose busy ones are known.
const mayHave = `sum(plimsoll_php_max_children{POOL} and on (cluster, host, server, pool) plimsoll_php_busy_workers{POOL})`

// busyShare is the share of the workers' busy time in some states; % are their names, as a pattern.
const busyShare = `sum(rate(plimsoll_php_worker_seconds_total{POOL,state=~"%"}[RANGE]))
	/ (sum(rate(plimsoll_php_worker_seconds_total{POOL,state!="idle"}[RANGE])) > 0)`

func workerStats(l limits) []panel {
	return []panel{
		small(panel{
			name: "busy", title: "Workers busy", unit: units.PercentUnit,
			shows:   "Workers with a request at the moment, of those that the pools may have.",
			bad:     "At 1 the next visitor waits in front of the pool.",
			act:     "See below what they wait for, before you allow more of them.",
			queries: []query{{expr: `sum(plimsoll_php_busy_workers{POOL}) / (` + mayHave + ` > 0)`}},
		}),
		small(panel{
			name: "none-free", title: "No worker free", unit: units.PercentUnit,
			shows:   "The share of the time range in which no worker was free, of the pool that has most.",
			bad:     "Whoever comes in that time waits before PHP even begins.",
			act:     "Cure what the workers wait for; raise pm.max_children only where that is not the database.",
			limits:  l.above("phpfpm/pool-too-small"),
			queries: []query{{expr: `max(rate(plimsoll_php_saturated_seconds_total{POOL}[RANGE]))`}},
		}),
		small(panel{
			name: "queue", title: "Listen queue", unit: units.Short,
			shows:   "Connections that no worker has taken yet, as the kernel counts them.",
			bad:     "Each is a visitor who waits; when the queue is full the web server answers with an error.",
			act:     "See which pool it is, and what its workers wait for.",
			limits:  l.above("phpfpm/listen-queue"),
			queries: []query{{expr: `sum(phpfpm_listen_queue{POOL})`}},
		}),
		small(panel{
			name: "database-share", title: "Waiting for the database", unit: units.PercentUnit,
			shows:   "The share of the busy time of workers that they wait for a database.",
			bad:     "From one half on nothing else can make pages twice as fast.",
			act:     "Take the statements below, from the longest down.",
			limits:  l.above("phpfpm/pool-verdict"),
			queries: []query{{expr: with(busyShare, "mysql")}},
		}),
		small(panel{
			name: "requests", title: "Requests", unit: units.RequestsPerSecond,
			shows:   "Requests a second that ended, over the time range.",
			bad:     "Fewer than usual with as many workers busy means that each takes longer.",
			act:     "Compare it with the same hour of last week.",
			queries: []query{{expr: `sum(rate(plimsoll_php_requests_total{POOL}[RANGE]))`}},
		}),
		small(panel{
			name: "unknown", title: "Could not be told", unit: units.PercentUnit,
			shows:   "The share of the busy time of which the probe could not tell what it went to.",
			bad:     "A few hundredths are a probe that lacks a privilege or does not know this PHP.",
			act:     "The report names what is missing; all other shares may be as much larger.",
			queries: []query{{expr: with(busyShare, "unknown")}},
		}),
	}
}

// workersByState is the hero: how many workers do what. Each kind has its colour on every page.
func workersByState() panel {
	in := func(legend, colour, states string) query {
		return query{expr: `sum(rate(plimsoll_php_worker_seconds_total{POOL,state=~"` + states + `"}[RATE]))`, legend: legend, colour: colour}
	}
	return panel{
		name: "states", title: "Busy workers, by what they wait for", kind: area, width: 24, height: 11, unit: units.Short,
		shows: "How many workers run, or wait for something, on average; the line is how many there may be.",
		bad:   "One wide band is what makes pages slow; where the bands reach the line visitors wait in front of the pool.",
		act:   "Find the requests and the statements of the widest band below.",
		queries: []query{
			in("run", colourCPU, "cpu"),
			in("wait for a processor", colourMemory, "runqueue"),
			in("database", colourNetwork, "mysql"),
			in("Redis", colourBad, "redis"),
			in("Memcached", colourDisk, "memcached"),
			in("locks, sleep", colourLock, "lock|sleep"),
			in("other services", colourWarn, "search|amqp|http|smtp|dns"),
			in("disks, child processes, clients", "dark-purple", "disk|netfs|child|client"),
			in("could not be told", colourIdle, "unknown"),
			{expr: mayHave, legend: "pm.max_children", colour: colourLimit, line: true},
		},
	}
}

func workersByPool() panel {
	return half(panel{
		name: "pools", title: "Busy workers, by pool", unit: units.Short,
		shows:   "How many workers of each pool have a request, on average.",
		bad:     "One host with far more than its equals gets more visitors, or is slower.",
		act:     "Compare their requests below: as many requests and more workers is a slow host.",
		queries: []query{{expr: `sum by (host, pool) (rate(plimsoll_php_worker_seconds_total{POOL,state!="idle"}[RATE]))`, legend: "{{host}} {{pool}}"}},
	})
}

func workersByPeer() panel {
	const perPeer = `sum by (state, peer) (%(plimsoll_php_backend_seconds_total{POOL}[`
	return half(panel{
		name: "peers", title: "Waiting workers, by server", kind: area, unit: units.Short,
		shows: "How many workers wait for each server on average: databases, caches, and services outside.",
		bad:   "An address outside of your network is somebody else's slowness that becomes yours.",
		act:   "Give calls of others a short timeout, and move them out of visitors' requests into a queue.",
		queries: []query{{
			expr:   with(perPeer, "rate") + `RATE])) and on (state, peer) topk($top, ` + with(perPeer, "increase") + `RANGE] @ end())))`,
			legend: "{{state}} {{peer}}",
		}},
	})
}

const (
	// ofRoutes are the series of the requests chosen; % is the figure, and more matchers may follow.
	ofRoutes = `plimsoll_php_route_%_total{POOL,route=~"$route"`
	// overRoute is a figure of each kind of request over the whole range.
	overRoute = `sum by (cluster, pool, method, route) (increase(` + ofRoutes + `}[RANGE]))`
)

func routesTable() panel {
	in := func(state, legend string) query {
		return query{
			expr: `sum by (cluster, pool, method, route) (increase(` + with(ofRoutes, "seconds") + `,state="` + state + `"}[RANGE]))
				/ (` + with(overRoute, "seconds") + ` > 0)`,
			legend: legend, unit: units.PercentUnit,
		}
	}
	return panel{
		name: "routes", title: "Requests", kind: table, width: 24, height: 12, unit: units.Short,
		shows: "Every leading kind of request over the time range, and what part of its time goes where.",
		bad:   "The first rows are what visitors wait for most; a high part is what to work on there.",
		act:   "Click the request to see it alone, and its statements in the table below.",
		columns: []column{
			{label: "pool", title: "Pool", width: 110},
			{label: "method", title: "Method", width: 80},
			{label: "route", title: "Request", link: &link{title: "This request", page: "php", variable: "route", label: "route"}},
		},
		sortBy: "Share of time",
		queries: []query{
			{
				expr: with(overRoute, "seconds") + ` / on (cluster, pool) group_left ()
					(sum by (cluster, pool) (increase(plimsoll_php_worker_seconds_total{POOL,state!="idle"}[RANGE])) > 0)`,
				legend: "Share of time", unit: units.PercentUnit,
			},
			{expr: `sum by (cluster, pool, method, route) (rate(` + with(ofRoutes, "requests") + `}[RANGE]))`, legend: "Requests", unit: units.RequestsPerSecond},
			{expr: with(overRoute, "seconds") + ` / (` + with(overRoute, "requests") + ` > 0)`, legend: "Mean", unit: units.Seconds},
			in("cpu", "Processors"), in("mysql", "Database"), in("cache", "Caches"), in("lock", "Locks"), in("rest", "Rest"),
		},
	}
}

func workersByRoute() panel {
	lead := `sum by (method, route) (rate(` + with(ofRoutes, "seconds") + `}[RATE])) and on (method, route) topk($top,
		sum by (method, route) (increase(` + with(ofRoutes, "seconds") + `}[RANGE] @ end())))`
	return panel{
		name: "load-routes", title: "Busy workers, by kind of request", kind: area, width: 24, height: 9, unit: units.Short,
		shows:   "How many workers each leading kind of request holds on average.",
		bad:     "A band that grows while its requests do not has become slower.",
		act:     "Find it in the table above, and what part of its time has grown.",
		queries: []query{{expr: lead, legend: "{{method}} {{route}}"}},
	}
}

// textByDigest gives statements of PHP their text: what a worker waits for has no schema, so that the digest
// alone tells. Those of which no text is known go by their digest.
func textByDigest(perStatement string) string {
	return `(` + perStatement + `) * on (cluster, digest) group_left (text)
		topk by (cluster, digest) (1, plimsoll_digest_info{CLUSTER})
		or on (cluster, digest) label_replace(` + perStatement + `, "text", "$1", "digest", "(.+)")`
}

func routeStatements() panel {
	const waiting = `max by (cluster, pool, method, route, digest) (plimsoll_php_route_statement_workers{CLUSTER,pool=~"$pool",route=~"$route"})`
	return panel{
		name: "route-statements", title: "Statements, by kind of request", kind: table, width: 24, height: 12, unit: units.Short,
		shows: "The statements that the leading kinds of requests wait for, and how many workers do, as the advisor last saw it.",
		bad:   "The first rows are what a better index, a cache, or a statement less would win most at.",
		act:   "Click the digest for the statement's own page, or the rule for the findings; the report has what to copy.",
		columns: []column{
			{label: "method", title: "Method", width: 80},
			{label: "route", title: "Request", width: 220},
			{label: "text", title: "Statement"},
			{label: "digest", title: "Digest", width: 190, link: &link{title: "This statement", page: "mysql-queries", variable: "digest", label: "digest"}},
			{label: "rule", title: "Rule", width: 190, link: &link{title: "Findings", page: "findings", variable: "cluster", label: "cluster"}},
			{label: "pool", title: "Pool", width: 90},
			{label: "cluster", title: "Cluster", width: 90},
		},
		sortBy: "Workers",
		queries: []query{
			{expr: textByDigest(waiting), legend: "Workers", unit: units.Short},
			{
				expr: `(` + waiting + ` > bool 0) * on (cluster, digest) group_left () count by (cluster, digest) (plimsoll_digest_finding{CLUSTER})
					* on (cluster, digest) group_left (rule) topk by (cluster, digest) (1, plimsoll_digest_finding{CLUSTER})`,
				legend: "Findings", unit: units.Short, limits: limitSteps{steps: []limitStep{{1, colourWarn}}},
			},
		},
	}
}

func workersByStatement() panel {
	const waiting = `sum by (cluster, digest) (rate(plimsoll_php_statement_seconds_total{POOL}[RATE])) and on (cluster, digest) topk($top,
		sum by (cluster, digest) (increase(plimsoll_php_statement_seconds_total{POOL}[RANGE] @ end())))`
	return panel{
		name: "load-statements", title: "Workers waiting for the database, by statement", kind: area, width: 24, height: 9, unit: units.Short,
		shows: "How many workers wait for each leading statement on average; the line is all that wait for a database.",
		bad:   "Much room below the line is many small statements, or such as could not be told.",
		act:   "Click a digest in the table above.",
		queries: []query{
			{expr: textByDigest(waiting), legend: "{{text}}"},
			{expr: `sum(rate(plimsoll_php_worker_seconds_total{POOL,state="mysql"}[RATE]))`, legend: "all", colour: colourLimit, line: true},
		},
	}
}

func queuePanels(l limits) []panel {
	const name = "{{host}} {{pool}}"
	return []panel{
		half(panel{
			name: "listen-queue", title: "Listen queue", unit: units.Short,
			shows:   "Connections that no worker has taken yet, as the kernel counts them, also for unix sockets.",
			bad:     "The dashed line is one visitor who waits; a queue that stays is a pool that is too slow for its visitors.",
			act:     "See what the workers of this pool wait for.",
			limits:  l.above("phpfpm/listen-queue"),
			queries: []query{{expr: `phpfpm_listen_queue{POOL}`, legend: name}},
		}),
		half(panel{
			name: "saturated", title: "Time without a free worker", unit: units.PercentUnit, full: 1,
			shows:   "The share of time in which no worker was free.",
			bad:     "Beyond the dashed line visitors notice.",
			act:     "Raise pm.max_children only if memory allows it and the workers do not wait for the database.",
			limits:  l.above("phpfpm/pool-too-small"),
			queries: []query{{expr: `rate(plimsoll_php_saturated_seconds_total{POOL}[RATE])`, legend: name}},
		}),
		half(panel{
			name: "rate", title: "Requests", unit: units.RequestsPerSecond,
			shows:   "Requests a second that ended; where there is no probe, that were accepted, by the status page.",
			bad:     "Hosts of one kind should have about as many.",
			act:     "If they do not, look at the load balancer.",
			queries: []query{{expr: `rate(plimsoll_php_requests_total{POOL}[RATE]) or rate(phpfpm_accepted_connections{POOL}[RATE])`, legend: name}},
		}),
		half(panel{
			name: "limit-reached", title: "Pool at its limit", unit: units.CountsPerSecond,
			shows: "How often a second a pool wanted a worker more than it may have, and requests above request_slowlog_timeout.",
			bad:   "Either is a visitor who waited.",
			act:   "Compare it with what the workers waited for at that moment.",
			queries: []query{
				{expr: `rate(phpfpm_max_children_reached{POOL}[RATE])`, legend: name + " at its limit", colour: colourBad},
				{expr: `rate(phpfpm_slow_requests{POOL}[RATE])`, legend: name + " slow"},
			},
		}),
	}
}

func workerResources(l limits) []panel {
	return []panel{
		half(panel{
			name: "cpu", title: "Workers on processors, and waiting for one", kind: area, unit: units.Short,
			shows: "How many workers run, and how many could and have no processor; the line is the processors of their hosts.",
			bad:   "A wide second band is a host that is short of processors: the database then looks slow and is not.",
			act:   "Cache whole pages, see that opcache is large enough, or add web hosts.",
			queries: []query{
				{expr: `sum(rate(plimsoll_php_cpu_seconds_total{POOL}[RATE]))`, legend: "run", colour: colourCPU},
				{expr: `sum(rate(plimsoll_php_run_queue_seconds_total{POOL}[RATE]))`, legend: "wait for a processor", colour: colourMemory},
				{expr: `sum(plimsoll_host_cpu_cores{HOST} and on (cluster, host) plimsoll_php_workers{POOL})`, legend: "processors", colour: colourLimit, line: true},
			},
		}),
		half(panel{
			name: "memory-wanted", title: "Memory that more workers would want", unit: units.PercentUnit,
			shows:  "What the workers that the pools of a host may still start would take for themselves together, of the memory that it has left.",
			bad:    "Beyond the dashed line the host swaps at the next peak, or the kernel kills.",
			act:    "Lower pm.max_children to what fits; the report says how many that is.",
			limits: l.above("phpfpm/pool-too-large"),
			queries: []query{{
				expr: `sum by (cluster, host) (clamp_min(plimsoll_php_max_children{POOL} - plimsoll_php_workers{POOL}, 0)
					* on (cluster, host, server, pool) max by (cluster, host, server, pool) (plimsoll_php_worker_memory_bytes{POOL,kind="uss"}))
					/ on (cluster, host) node_memory_MemAvailable_bytes{HOST}`,
				legend: "{{host}}",
			}},
		}),
	}
}

func workerSizes() []panel {
	const name = "{{host}} {{pool}}"
	return []panel{
		half(panel{
			name: "memory", title: "Memory of a worker", unit: units.BytesSI,
			shows:   "What one worker in twenty exceeds: for itself (uss), and with its part of what all share (pss).",
			bad:     "A line that climbs from request to request leaks; pm.max_requests only hides it.",
			act:     "Look for reports and imports that run in visitors' pools.",
			queries: []query{{expr: `plimsoll_php_worker_memory_bytes{POOL}`, legend: name + " {{kind}}"}},
		}),
		half(panel{
			name: "workers", title: "Workers", unit: units.Short,
			shows: "Processes that a pool has, and may have.",
			bad:   "A number that jumps is a pool that starts and ends workers all the time, each with an empty memory.",
			act:   "Let a busy pool be pm = static.",
			queries: []query{
				{expr: `plimsoll_php_workers{POOL}`, legend: name},
				{expr: `plimsoll_php_max_children{POOL}`, legend: name + " may have", colour: colourLimit, line: true},
			},
		}),
	}
}

func oneRoute() []panel {
	chosen := func(figure string) string {
		return `sum by (method, route) (rate(` + with(ofRoutes, figure) + `}[RATE])) and on (method, route) topk($top,
			sum by (method, route) (increase(` + with(ofRoutes, "seconds") + `}[RANGE] @ end())))`
	}
	return []panel{
		half(panel{
			name: "one-states", title: "Workers, by what they wait for", kind: area, unit: units.Short,
			shows:   "How many workers have the request on average, by what they do.",
			bad:     "The band that grows is what made it slower.",
			act:     "See its statements in the table above, where that is the database.",
			queries: []query{{expr: `sum by (state) (rate(` + with(ofRoutes, "seconds") + `}[RATE]))`, legend: "{{state}}"}},
		}),
		half(panel{
			name: "one-mean", title: "Mean time", unit: units.Seconds,
			shows:   "How long a worker has such a request on average.",
			bad:     "A step upwards without a release is more data, or another server that became slow.",
			act:     "Compare its begin with the marks of findings.",
			queries: []query{{expr: `(` + chosen("seconds") + `) / ((` + chosen("requests") + `) > 0)`, legend: "{{method}} {{route}}"}},
		}),
		half(panel{
			name: "one-requests", title: "Requests", unit: units.RequestsPerSecond,
			shows:   "How many such requests a second ended.",
			bad:     "A rate that no visitor makes is a robot, or a script of the page itself.",
			act:     "Look for who asks in the web server's log.",
			queries: []query{{expr: chosen("requests"), legend: "{{method}} {{route}}"}},
		}),
		half(panel{
			name: "one-share", title: "Share of the busy time", unit: units.PercentUnit, full: 1,
			shows: "What part of all busy workers' time the request has.",
			bad:   "What has a hundredth cannot make the site faster, however slow it is.",
			act:   "Begin with those that have most.",
			queries: []query{{
				expr: `sum by (cluster, method, route) (rate(` + with(ofRoutes, "seconds") + `}[RATE])) / on (cluster) group_left ()
					(sum by (cluster) (rate(plimsoll_php_worker_seconds_total{POOL,state!="idle"}[RATE])) > 0)`,
				legend: "{{method}} {{route}}",
			}},
		}),
	}
}

func probePanels() []panel {
	return []panel{
		half(panel{
			name: "probe-cpu", title: "Processor time of the probe", unit: units.PercentUnit,
			shows:   "What part of one processor plimsoll-probe takes.",
			bad:     "It keeps below 0.02 by itself, by looking more rarely.",
			act:     "Report it if it does not.",
			queries: []query{{expr: `rate(plimsoll_probe_cpu_seconds_total{HOST}[RATE])`, legend: "{{host}}"}},
		}),
		half(panel{
			name: "probe-rate", title: "Looks a second", unit: units.Short,
			shows: "How often the probe wants to look at the workers, and how often it does.",
			bad:   "Fewer looks make intervals wider, and miss more of the short waits.",
			act:   "A host that is short of processors has late looks too; see its page.",
			queries: []query{
				{expr: `plimsoll_probe_rate_hertz{HOST}`, legend: "{{host}} wanted", colour: colourLimit},
				{expr: `rate(plimsoll_probe_ticks_total{HOST}[RATE])`, legend: "{{host}} done"},
				{expr: `rate(plimsoll_probe_late_ticks_total{HOST}[RATE])`, legend: "{{host}} late", colour: colourWarn},
			},
		}),
		half(panel{
			name: "probe-samples", title: "Workers looked at", unit: units.CountsPerSecond,
			shows:   "How many workers are looked at a second.",
			bad:     "It is none where all of them are idle, and should follow the busy ones.",
			act:     "Compare it with the busy workers at the top.",
			queries: []query{{expr: `rate(plimsoll_probe_samples_total{HOST}[RATE])`, legend: "{{host}}"}},
		}),
		half(panel{
			name: "unknown-share", title: "Could not be told", unit: units.PercentUnit,
			shows:   "The share of the busy time of which the probe could not tell what it went to.",
			bad:     "More than 0.02 is a probe that lacks a privilege or does not know this PHP.",
			act:     "The report names what is missing.",
			queries: []query{{expr: unknownByPool, legend: "{{host}} {{pool}}"}},
		}),
	}
}

// unknownByPool is the share of each pool's busy time that could not be told.
const unknownByPool = `sum by (host, pool) (rate(plimsoll_php_worker_seconds_total{POOL,state="unknown"}[RATE]))
	/ (sum by (host, pool) (rate(plimsoll_php_worker_seconds_total{POOL,state!="idle"}[RATE])) > 0)`
