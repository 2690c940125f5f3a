package metric

// advisorMetrics are the advisor's own series. They go into its store and to
// its /metrics.
func advisorMetrics() []Metric {
	advisor := func(name string, kind Type, unit, help, source string, labels ...string) Metric {
		return Metric{Name: name, Type: kind, Unit: unit, Help: help, Source: source, Job: "advisor", Labels: labels}
	}
	const positions = "executed positions of source and replica, each second"
	finding := []string{"rule", "severity", "status", "subject", "fingerprint"}
	return []Metric{
		advisor("plimsoll_finding", Gauge, "",
			"1 for each finding that is open or acknowledged.", "rules", finding...),
		advisor("plimsoll_finding_first_seen_timestamp_seconds", Gauge, "seconds",
			"When a finding was first seen, as Unix time.", "ledger", "rule", "severity", "subject", "fingerprint"),
		advisor("plimsoll_finding_gain_worker_seconds", Gauge, "seconds",
			"PHP worker-seconds freed per second by acting on a finding, estimated; bound is lo or hi.",
			"rules", "rule", "subject", "fingerprint", "bound"),
		advisor("plimsoll_digest_finding", Gauge, "",
			"1 for each statement that a finding is about.", "rules", "digest", "rule", "fingerprint"),
		advisor("plimsoll_digest_info", Gauge, "",
			"1 for each leading statement, with its text free of literals.", "snapshots", "digest", "schema", "class", "tables", "text"),
		advisor("plimsoll_php_route_statement_workers", Gauge, "",
			"PHP workers that wait for a statement in a kind of request, on average, for the three that most do of the ten kinds that take most time.",
			"snapshots", "pool", "method", "route", "digest"),
		advisor("plimsoll_mysql_replica_lag_seconds", Histogram, "seconds",
			"Total lag of a replica, one observation a second in which it was known.", positions, "server", "channel"),
		advisor("plimsoll_mysql_replica_lag_last_seconds", Gauge, "seconds",
			"Newest known total lag of a replica.", positions, "server", "channel"),
		advisor("plimsoll_mysql_replica_lag_max_seconds", Gauge, "seconds",
			"Largest total lag of a replica since the sample before.", positions, "server", "channel"),
		advisor("plimsoll_mysql_replica_transport_lag_max_seconds", Gauge, "seconds",
			"Largest part of lag before the replica had received the transaction, since the sample before.",
			positions, "server", "channel"),
		advisor("plimsoll_mysql_replica_lag_state_seconds_total", Counter, "seconds",
			"Time by state of a channel: ok, io_down, sql_down, error, delayed or unknown.",
			positions+", SHOW REPLICA STATUS", "server", "channel", "state"),
		advisor("plimsoll_not_ready", Gauge, "",
			"Subjects that a rule could not judge.", "rules", "rule"),
		advisor("plimsoll_agents", Gauge, "",
			"Agents by whether the last round of fetching reached them.", "keeper", "state"),
		advisor("plimsoll_round_seconds", Gauge, "seconds",
			"How long the last round of judging took.", "advisor"),
	}
}
