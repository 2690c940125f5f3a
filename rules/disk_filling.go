package rules

import (
	"fmt"

	"plimsoll/rules/fleet"
)

// fullRatio is the share of a file system from which on it is called full,
// whatever its growth: MySQL stops writing at the end, and needs room to sort.
const fullRatio = 0.95

// diskFilling finds file systems that will be full soon.
func diskFilling() Rule {
	return Rule{
		ID: "host/disk-filling", Title: "A file system is about to be full",
		Phase: Cure, MinWindow: aMinute, Window: 7 * aDay,
		Needs: []string{"host"},
		Threshold: Threshold{
			Value: 7 * 86400, Unit: Seconds,
			Source: "default of this rule: a disk is ordered, or a table archived, within a week",
		},
		Check: checkDiskFilling,
	}
}

func checkDiskFilling(c Case) Result {
	var out Result
	for _, h := range c.Fleet.Hosts {
		about := Subject{Cluster: h.Cluster, Kind: OfHost, Name: h.Name}
		if h.Machine == nil {
			out.NotReady = append(out.NotReady, NotReady{Subject: about, Reason: hostReason(h), ReadyAt: c.Fleet.Now.Add(c.Rule.MinWindow)})
			continue
		}
		for _, m := range h.Machine.Mounts {
			if m.ReadOnly || m.SizeBytes == nil || m.AvailableBytes == nil || *m.SizeBytes == 0 {
				continue
			}
			if left, filling := secondsLeft(m, h.Machine.Window); filling && left < c.Rule.Threshold.Value {
				out.Findings = append(out.Findings, diskFillingFinding(c, h, m, left))
			}
		}
	}
	return out
}

func hostReason(h *fleet.Host) string {
	for _, g := range h.Gaps {
		if g.Job == "host" {
			return g.Reason
		}
	}
	return "the host was not seen twice yet"
}

// trendWindow is how long growth must have been seen before it is drawn out into
// the future: a minute's growth is a log being written, and not a trend.
const trendWindow = 3600.0

// secondsLeft returns how long the space will last; false while it lasts.
func secondsLeft(m fleet.MountWindow, w fleet.Window) (float64, bool) {
	available, size := float64(*m.AvailableBytes), float64(*m.SizeBytes)
	if available/size <= 1-fullRatio {
		return 0, true
	}
	if m.GrowthBytesPerSecond == nil || *m.GrowthBytesPerSecond <= 0 || w.Seconds() < trendWindow {
		return 0, false
	}
	return available / *m.GrowthBytesPerSecond, true
}

func diskFillingFinding(c Case, h *fleet.Host, m fleet.MountWindow, left float64) Finding {
	w := h.Machine.Window
	about := Subject{Cluster: h.Cluster, Kind: OfMount, Name: h.Name, Part: m.Path}
	f := Found(c.Rule, about,
		c.evidence("time until it is full", left, "statfs, growth over the window", w),
		Evidence{What: "free", Value: float64(*m.AvailableBytes), Unit: Bytes, Source: "statfs", Window: w},
		Evidence{What: "of", Value: float64(*m.SizeBytes), Unit: Bytes, Source: "statfs", Window: w},
	)
	f.Severity = High
	if left < 86400 {
		f.Severity = Critical
	}
	f.Confidence = c.confidence(0.8, w)
	f.Summary = fmt.Sprintf("%s on %s will be full in %s.", m.Path, h.Name, Words(left, Seconds))
	if left == 0 {
		f.Summary = fmt.Sprintf("%s on %s has %s left.", m.Path, h.Name, Words(float64(*m.AvailableBytes), Bytes))
		f.Confidence = Confidence{Ratio: 1}
	}
	f.Effort = Hours
	f.Gain.RecoveryMinutes = Between(30, 240)
	f.Remedy = []Step{
		{Kind: Command, Target: h.Name, Text: "du -xh --max-depth=2 " + shellWord(m.Path) + " | sort -h | tail -20", Note: "Shows what takes the space."},
		{Kind: Advice, Text: "Shorten the retention of binary logs, remove old backups, archive log and report tables; then grow the file system."},
	}
	f.Risks = []string{"Never remove binary logs by hand: PURGE BINARY LOGS keeps the index right, and replicas may still need them."}
	f.Verify = Verify{What: "time until it is full", Expect: "above " + Words(c.Rule.Threshold.Value, Seconds), After: "a day"}
	return f
}
