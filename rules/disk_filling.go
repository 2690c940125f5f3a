package rules

import (
	"fmt"
	"time"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

const (
	// fullRatio and fullBytes are the free space below which a file system is
	// called full, whatever its growth: MySQL stops writing at the end, and needs
	// room to sort. A twentieth of a large disk is room for long.
	fullRatio = 0.05
	fullBytes = 20 << 30
	// trendReach is for how many times the seen time a growth is drawn out into
	// the future: an hour tells of a day, and a night's backup not of a week.
	trendReach = 24
)

// diskFilling finds file systems that are full or will be soon.
func diskFilling() Rule {
	return Rule{
		ID: "host/disk-filling", Title: "A file system is about to be full",
		Phase: Cure, MinWindow: time.Hour, Window: aDay,
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
		if h.Latest != nil {
			for _, m := range h.Latest.Mounts {
				out.add(diskFillingOn(c, h, m), nil)
			}
		}
		out.add(nil, c.growthUnready(h))
	}
	return out
}

func diskFillingOn(c Case, h *fleet.Host, m snapshot.Mount) *Finding {
	if m.ReadOnly || m.SizeBytes == nil || m.AvailableBytes == nil || *m.SizeBytes == 0 {
		return nil
	}
	left, filling := secondsLeft(c, h, m)
	if !full(m) && !filling {
		return nil
	}
	f := diskFillingFinding(c, h, m, left)
	return &f
}

// full reports whether there is no room left, in bytes or for files.
func full(m snapshot.Mount) bool {
	available, size := float64(*m.AvailableBytes), float64(*m.SizeBytes)
	return available <= fullRatio*size && available <= fullBytes || filesFull(m)
}

func filesFull(m snapshot.Mount) bool {
	return m.Inodes != nil && m.InodesFree != nil && float64(*m.InodesFree) < fullRatio*float64(*m.Inodes)
}

// secondsLeft returns how long the space lasts if it goes on as in the window;
// false if that is longer than the threshold, or too far ahead to say.
func secondsLeft(c Case, h *fleet.Host, m snapshot.Mount) (float64, bool) {
	growth, w := growthOf(h, m.Path)
	if growth <= 0 || w.Duration() < c.Rule.MinWindow {
		return 0, false
	}
	left := float64(*m.AvailableBytes) / growth
	return left, left <= c.Rule.Threshold.Value && left <= trendReach*w.Seconds()
}

// growthOf is by how many bytes a second a file system filled in the window.
func growthOf(h *fleet.Host, path string) (float64, fleet.Window) {
	if h.Machine == nil {
		return 0, fleet.Window{}
	}
	for _, m := range h.Machine.Mounts {
		if m.Path == path && m.GrowthBytesPerSecond != nil {
			return *m.GrowthBytesPerSecond, h.Machine.Window
		}
	}
	return 0, fleet.Window{}
}

// growthUnready returns why growth cannot be told, or nil. What is full already
// is found without.
func (c Case) growthUnready(h *fleet.Host) *NotReady {
	about := Subject{Cluster: h.Cluster, Kind: OfHost, Name: h.Name}
	if h.Machine != nil {
		return c.tooShort(about, "host", h.Machine.Window)
	}
	for _, g := range h.Gaps {
		if g.Job == "host" && h.Latest == nil {
			return &NotReady{Subject: about, Reason: printable(g.Reason), Remedy: g.Remedy}
		}
	}
	return &NotReady{Subject: about, Reason: "host was not seen twice yet", ReadyAt: c.Fleet.Now.Add(c.Rule.MinWindow)}
}

func diskFillingFinding(c Case, h *fleet.Host, m snapshot.Mount, left float64) Finding {
	about := Subject{Cluster: h.Cluster, Kind: OfMount, Name: h.Name, Part: m.Path}
	now := moment(h.Latest.Taken)
	space := []Evidence{
		Evidence{What: "free", Value: float64(*m.AvailableBytes), Unit: Bytes, Source: "statfs", Window: now}.
			against(min(fullRatio*float64(*m.SizeBytes), fullBytes), "default of this rule: a twentieth of the file system, 20 GiB at most"),
		{What: "of", Value: float64(*m.SizeBytes), Unit: Bytes, Source: "statfs", Window: now},
	}
	var f Finding
	if full(m) {
		f = Found(c.Rule, about, space[0], space[1:]...)
		f.Severity, f.Confidence = Critical, Confidence{Ratio: 1}
		f.Summary = fmt.Sprintf("%s on %s has %s left.", printable(m.Path), printable(h.Name), Words(float64(*m.AvailableBytes), Bytes))
	} else {
		w := h.Machine.Window
		f = Found(c.Rule, about, c.evidence("time until it is full", left, "statfs, growth over the window", w), space...)
		f.Severity, f.Confidence = High, c.confidence(0.8, w)
		if left < 86400 {
			f.Severity = Critical
		}
		f.Summary = fmt.Sprintf("%s on %s will be full in %s.", printable(m.Path), printable(h.Name), Words(left, Seconds))
	}
	f.addFiles(h, m, now)
	f.Effort = Hours
	f.Gain.RecoveryMinutes = Between(30, 240)
	f.Remedy = []Step{
		{Kind: Command, Target: printable(h.Name), Text: "du -xh --max-depth=2 " + shellWord(m.Path) + " | sort -h | tail -20", Note: "Shows what takes the space."},
		{Kind: Advice, Text: "Shorten the retention of binary logs, remove old backups, archive log and report tables; then grow the file system."},
	}
	f.Risks = []string{"Never remove binary logs by hand: PURGE BINARY LOGS keeps the index right, and replicas may still need them."}
	f.Verify = Verify{What: "time until it is full", Expect: "above " + Words(c.Rule.Threshold.Value, Seconds), After: "a day"}
	return f
}

// addFiles adds what is known of the files: that there may be no more of them,
// and how many bytes the binary logs of this host's servers take.
func (f *Finding) addFiles(h *fleet.Host, m snapshot.Mount, now fleet.Window) {
	if filesFull(m) {
		f.Summary = fmt.Sprintf("%s on %s can hold %s more files.", printable(m.Path), printable(h.Name), Words(float64(*m.InodesFree), Count))
		f.Evidence = append(f.Evidence, Evidence{
			What: "inodes free", Value: float64(*m.InodesFree) / float64(*m.Inodes), Unit: Ratio, Source: "statfs", Window: now,
		}.against(fullRatio, "default of this rule: PHP's session files take the last ones in minutes"))
	}
	for _, s := range h.Servers {
		if b := s.Latest.Binlog; b != nil && b.Bytes != nil && *b.Bytes > *m.SizeBytes/20 {
			f.Evidence = append(f.Evidence, Evidence{
				What: "binary logs of " + called(s), Value: float64(*b.Bytes), Unit: Bytes, Source: "SHOW BINARY LOGS", Window: moment(b.Taken),
			})
		}
	}
}
