package report

import (
	"strings"

	"plimsoll/advisor/layout"
	"plimsoll/advisor/ledger"
	"plimsoll/rules"
)

// view is a Report in words. Every text in it is clean, every figure is written
// by rules.Words, and all stands in the order in which it is shown: a renderer
// lays out and escapes, and decides nothing.
type view struct {
	Site      string
	Generated string
	Version   string
	Window    string
	// Peak, Login and Shortened are sentences; empty if there is nothing to say.
	Peak      string
	Login     string
	Shortened string
	Zone      string

	Verdict verdict
	PHP     php
	Load    load
	// Actions are the first few of Findings.
	Actions      []finding
	Findings     []finding
	Acknowledged []finding
	Gone         []finding
	Servers      []serverRow
	Channels     []channelRow
	Pools        []poolRow
	Hosts        []hostRow
	Seen         []seenRow
	Unseen       unseen
	Thresholds   []thresholdRow
	// Rest says what of the tables is left out; empty where nothing is.
	Rest struct{ Servers, Hosts, Channels, Pools, Gone string }
}

// topActions is how many findings a first screen holds, and nobody does more at
// a time.
const topActions = 5

func look(r *Report) view {
	clusters := clustersOf(r)
	if len(clusters) > 1 {
		r = qualified(r)
	}
	v := view{
		Site: enumerate(clusters), Generated: stamp(r.Generated), Version: layout.Clean(r.Version),
		Window: span(r.Window), Login: layout.Clean(r.Login), Zone: zone(r.Generated),
		Unseen: lookAtUnseen(r), Thresholds: thresholds(r),
	}
	if r.Peak != nil {
		v.Peak = "The busiest hour of the last 7 days was the one to " + stamp(r.Peak.To) + "."
	}
	if r.Shortened {
		v.Shortened = "The rules' windows were shortened by configuration, so that rules judge sooner: what was seen in " +
			rules.Words(r.Window.Seconds(), rules.Seconds) + " need not hold at other times."
	}
	v.addTables(r)
	v.addFindings(r)
	v.Verdict = judge(r, v)
	return v
}

func (v *view) addTables(r *Report) {
	servers, rest := few(r.Servers, byLoad, "with less load")
	v.Load, v.Servers, v.Seen, v.Rest.Servers = lookAtLoad(r.Servers, servers), serverRows(servers, r.Hosts), seenRows(servers), rest
	v.PHP = lookAtPHP(r.Apps)
	pools, rest := few(poolsOf(r.Apps), byBusy, "less busy")
	v.Pools, v.Rest.Pools = poolRows(pools), rest
	hosts, rest := few(r.Hosts, bySeen, "of which more was seen")
	v.Hosts, v.Rest.Hosts = hostRows(hosts), rest
	channels, rest := few(channels(r.Servers), byLag, "with less lag")
	v.Channels, v.Rest.Channels = channelRows(channels), rest
}

func (v *view) addFindings(r *Report) {
	for _, e := range r.Findings {
		if e.Status == ledger.StatusAcknowledged {
			v.Acknowledged = append(v.Acknowledged, lookAtFinding(e))
		} else {
			v.Findings = append(v.Findings, lookAtFinding(e))
		}
	}
	gone, rest := few(r.Gone, func(a, b Entry) int { return b.GoneSince.Compare(a.GoneSince) }, "gone for longer")
	v.Rest.Gone = rest
	for _, e := range gone {
		v.Gone = append(v.Gone, lookAtFinding(e))
	}
	drawRanges(v.Findings)
	v.Actions = v.Findings[:min(len(v.Findings), topActions)]
	for i := range v.Actions {
		v.Actions[i].Number = i + 1
	}
}

// enumerate joins names for people, and counts those beyond the first few.
func enumerate(names []string) string {
	const most = 8
	switch n := len(names); {
	case n == 0:
		return ""
	case n == 1:
		return names[0]
	case n > most:
		rest := rules.Words(float64(n-most), rules.Count)
		return strings.Join(names[:most], ", ") + " and " + rest + " more"
	default:
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
}

// Time reports whether it is known where any time goes, or why not.
func (v view) Time() bool {
	return len(v.PHP.Apps)+len(v.PHP.Blind)+len(v.Load.Bars)+len(v.Load.Unknown) > 0
}

// Caveats are all that makes the report weaker than it sounds.
func (v view) Caveats() []string {
	if v.Shortened == "" {
		return v.Verdict.Caveats
	}
	return append([]string{v.Shortened}, v.Verdict.Caveats...)
}

// findingCaption says what a finding's name is good for.
const findingCaption = "`plimsoll explain FINDING` shows one alone, and `plimsoll ack FINDING` leaves one for a while; " +
	"the first letters of its name are enough."

// loadCaption says what the figures of a load are.
const loadCaption = "Statement seconds each second: how many statements are under way on average."
