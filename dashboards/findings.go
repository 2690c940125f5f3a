package dashboards

import "github.com/grafana/grafana-foundation-sdk/go/units"

// findingsPage shows what the advisor found, what acting on it would free, and
// what it could not judge.
func findingsPage(limits) page {
	return page{
		name: "findings", title: "Findings",
		about: "What the advisor found, what acting on it would free, and what it could not judge.",
		rows: []row{
			{question: "What is open?", panels: openFindings()},
			{question: "What should be done first?", panels: []panel{findingsTable()}},
			{question: "What would it free, and what is not judged?", panels: []panel{gains(), knownRemedy(), notReady(), rounds()}},
			{question: "Since when?", panels: []panel{findingsTimeline()}},
		},
	}
}

// none is zero where the advisor works and nothing where it does not, so that a
// missing advisor does not look like a healthy site.
const none = ` or 0 * max(plimsoll_round_seconds)`

func openFindings() []panel {
	var all []panel
	for _, s := range []struct{ severity, colour, bad, act string }{
		{"critical", colourBad, "Any means that data or the site can be lost soon.", "Act on it today; the table below names it."},
		{"high", colourBad, "Any is a large part of what visitors wait for.", "Plan it for this week."},
		{"medium", colourWarn, "They are worth their effort.", "Take them with the next change."},
		{"low", colourNeutral, "They cost little and gain little.", "Take them when you are there anyway."},
		{"info", colourNeutral, "They are not bad in themselves.", "Read them once."},
	} {
		all = append(all, small(panel{
			name: "open-" + s.severity, title: s.severity, unit: units.Short,
			shows:   "Findings of severity " + s.severity + " that are open, which acknowledged ones are not.",
			bad:     s.bad,
			act:     s.act,
			limits:  limitSteps{steps: []limitStep{{1, s.colour}}},
			queries: []query{{expr: `sum(plimsoll_finding{CLUSTER,status="open",severity="` + s.severity + `"})` + none}},
		}))
	}
	return append(all, small(panel{
		name: "acknowledged", title: "acknowledged", unit: units.Short,
		shows:   "Findings that somebody has acknowledged and that are still there.",
		bad:     "They are not; each has a date on which it opens again.",
		act:     "Look through acks.yml from time to time.",
		queries: []query{{expr: `sum(plimsoll_finding{CLUSTER,status="acknowledged"})` + none}},
	}))
}

func findingsTable() panel {
	// For a few minutes after a finding's severity changes there are two series of
	// it, of which a join must take one.
	const joined = `max by (rule, subject, cluster, severity, status) (plimsoll_finding{CLUSTER}
		* on (cluster, fingerprint) group_left () max by (cluster, fingerprint) (%))`
	return panel{
		name: "findings", title: "Findings", kind: table, width: 24, height: 12, unit: units.Short,
		shows: "Every finding with what acting on it is estimated to free, in PHP workers that no longer wait.",
		bad:   "Severity says what happens if nothing is done.",
		act:   "The report has the evidence and the statement to copy: plimsoll explain followed by the rule.",
		columns: []column{
			{label: "severity", title: "Severity", width: 90},
			{label: "rule", title: "Rule"},
			{label: "subject", title: "About"},
			{label: "cluster", title: "Cluster", width: 120},
			{label: "status", title: "Status", width: 130},
		},
		sortBy: "Frees at least",
		queries: []query{
			{expr: with(joined, `plimsoll_finding_gain_worker_seconds{CLUSTER,bound="lo"}`), legend: "Frees at least", unit: units.Short},
			{expr: with(joined, `plimsoll_finding_gain_worker_seconds{CLUSTER,bound="hi"}`), legend: "Frees at most", unit: units.Short},
			{expr: with(joined, `plimsoll_finding_first_seen_timestamp_seconds{CLUSTER}`) + ` * 1000`, legend: "First seen", unit: units.DateTimeFromNow},
		},
	}
}

func gains() panel {
	return half(panel{
		name: "gains", title: "Workers freed, at least", kind: bars, unit: units.Short,
		shows:   "The lower bound of what each finding frees: PHP workers that no longer wait, on average.",
		bad:     "It is an estimate, made from what statements cost now.",
		act:     "Begin with the longest bar whose effort is small.",
		queries: []query{{expr: `topk(10, max by (rule, subject) (plimsoll_finding_gain_worker_seconds{CLUSTER,bound="lo"})) > 0`, legend: "{{rule}} {{subject}}"}},
	})
}

func knownRemedy() panel {
	return half(panel{
		name: "known-remedy", title: "Database time with a known remedy", unit: units.PercentUnit, full: 1,
		shows: "The share of the time in statements that at least one finding is about.",
		bad:   "A high share means that most of the load need not be.",
		act:   "Act on the findings of this page before you add hardware.",
		queries: []query{{
			expr: `sum by (cluster) (rate(plimsoll_mysql_digest_seconds_total{HOST}[RATE])
				and on (cluster, digest) plimsoll_digest_finding{CLUSTER})
				/ (sum by (cluster) (rate(plimsoll_mysql_digest_seconds_total{HOST}[RATE])) > 0)`,
			legend: "{{cluster}}",
		}},
	})
}

func notReady() panel {
	return half(panel{
		name: "not-ready", title: "Rules that could not judge", kind: bars, unit: units.Short,
		shows:   "For each rule, the servers and hosts that it could not judge.",
		bad:     "What is not judged is not healthy, only unknown.",
		act:     "The report names the grant, the setting or the time that is missing.",
		queries: []query{{expr: `sort_desc(plimsoll_not_ready > 0)`, legend: "{{rule}}"}},
	})
}

func rounds() panel {
	return half(panel{
		name: "agents", title: "Agents reached", unit: units.Short,
		shows: "Agents that the advisor reached in its last round, and those that it did not.",
		bad:   "An agent that is not reached leaves its host unjudged.",
		act:   "plimsoll report names it and the error.",
		queries: []query{
			{expr: `plimsoll_agents{state="reached"}`, legend: "reached", colour: colourGood},
			{expr: `plimsoll_agents{state="unreached"}`, legend: "not reached", colour: colourBad},
		},
	})
}

func findingsTimeline() panel {
	return panel{
		name: "timeline", title: "Findings over time", kind: timeline, width: 24, height: 12, unit: units.Short,
		shows: "When each finding was there, and how severe it was.",
		bad:   "One that comes back after it was gone has regressed.",
		act:   "Compare its begin with deployments and with changes of the configuration.",
		queries: []query{{
			expr: `max by (rule, subject) (
				5 * plimsoll_finding{CLUSTER,severity="critical"} or 4 * plimsoll_finding{CLUSTER,severity="high"} or
				3 * plimsoll_finding{CLUSTER,severity="medium"} or 2 * plimsoll_finding{CLUSTER,severity="low"} or
				plimsoll_finding{CLUSTER,severity="info"})`,
			legend: "{{rule}} {{subject}}",
		}},
		states: []state{
			{"none", colourIdle},
			{"info", colourNeutral},
			{"low", "yellow"},
			{"medium", colourWarn},
			{"high", colourBad},
			{"critical", "dark-red"},
		},
	}
}
