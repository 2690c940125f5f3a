package rules

import (
	"strconv"
	"strings"

	"plimsoll/collectors/snapshot"
	"plimsoll/collectors/sqltext"
	"plimsoll/rules/fleet"
)

// writers are the servers that take the site's writes. What a replica locks,
// commits and changes is its source's.
func (c Case) writers() []*fleet.Server {
	var out []*fleet.Server
	for _, s := range c.Fleet.Servers {
		if s.Role != fleet.Replica {
			out = append(out, s)
		}
	}
	return out
}

// cureOn returns a finding of another rule in the server's cluster, or nil.
func (c Case) cureOn(s *fleet.Server, id ID) *Finding {
	for i, f := range c.Cures {
		if f.Rule == id && f.Subject.Cluster == s.Cluster {
			return &c.Cures[i]
		}
	}
	return nil
}

// curableShare is the share of all statement time that missing indexes must be
// able to free before they are taken for why a server is busy.
const curableShare = 0.1

// missingIndexOn returns the missing index of the server's cluster that would free
// most, if all of them together free so much that capacity can only be judged once
// they are there; else nil.
func (c Case) missingIndexOn(s *fleet.Server) *Finding {
	var best *Finding
	var freed, most float64
	for i, f := range c.Cures {
		if f.Rule != "mysql/missing-index" || f.Subject.Cluster != s.Cluster || f.Gain.WorkerSeconds == nil {
			continue
		}
		gain := (f.Gain.WorkerSeconds.Lo + f.Gain.WorkerSeconds.Hi) / 2
		freed += gain
		if best == nil || gain > most {
			best, most = &c.Cures[i], gain
		}
	}
	if freed < curableShare*c.loadOfAll(s) {
		return nil
	}
	return best
}

// statementLoad is the time of the site's statements in seconds a second: how
// many are under way on average. PHP waits for each, so that without the probe
// it is also the time of the workers. It counts what no digest shows too, and is
// false where statements are not known or there were none.
func statementLoad(s *fleet.Server) (float64, bool) {
	if s.Digests == nil || s.Digests.Window.Seconds() <= 0 {
		return 0, false
	}
	load := s.Digests.SiteSeconds() / s.Digests.Window.Seconds()
	if w := s.Coverage; w != nil && w.HiddenRatio != nil {
		load /= max(1-*w.HiddenRatio, 0.01)
	}
	return load, load > 0
}

// servesReads is the rate of SELECT from which a server is taken to serve
// visitors and not just monitoring.
const servesReads = 1.0

// ownSelects is how many SELECTs a second the agent sends at most: one for the
// position, and those of other jobs.
const ownSelects = 3.0

// readRate is how many SELECTs of the site a server answers a second. Where
// statements are not known it is counted by command, less what the agent sends.
func readRate(s *fleet.Server) (float64, bool) {
	if s.Digests == nil {
		rate, known := s.Status.Rate("com_select")
		return max(rate-ownSelects, 0), known
	}
	var calls uint64
	for d := range s.Digests.Site() {
		if d.Class == string(sqltext.Select) && len(d.Reads) > 0 {
			calls += d.Calls
		}
	}
	if w := s.Coverage; w != nil {
		calls += w.HiddenExecutions()
	}
	return float64(calls) / s.Digests.Window.Seconds(), true
}

// followers is the number of replicas that read the server's binary log now, or
// that agents report.
func followers(s *fleet.Server) int {
	n := len(s.Replicas)
	if r := s.Latest.Replication; r != nil && r.Replicas != nil {
		n = max(n, len(*r.Replicas))
	}
	return n
}

// numberSetting is a server variable as a number; false if it is not known.
func numberSetting(s *fleet.Server, name string) (float64, bool) {
	text, _ := s.Setting(name)
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil
}

// mysqlFamily reports whether the server is one of MySQL. One that is not known
// yet is taken for MariaDB, whose statements are the older ones.
func mysqlFamily(s *fleet.Server) bool {
	return s.Latest.Identity != nil && s.Latest.Identity.Family == snapshot.MySQL
}

// atLeast reports whether the server's version is not below the given one of its
// own family. What cannot be read counts as new.
func atLeast(s *fleet.Server, major, minor, patch int) bool {
	if s.Latest.Identity == nil {
		return true
	}
	number, _, _ := strings.Cut(s.Latest.Identity.Version, "-")
	parts := strings.SplitN(number, ".", 3)
	for i, want := range []int{major, minor, patch} {
		if i >= len(parts) {
			return true
		}
		have, err := strconv.Atoi(parts[i])
		if err != nil || have != want {
			return err != nil || have > want
		}
	}
	return true
}

// dataDisk is the block device that holds the server's data: the only one of its
// host, or the one on which the file system of datadir lies. It is nil where
// that cannot be told, such as behind a device mapper.
func dataDisk(s *fleet.Server) *fleet.DiskWindow {
	if s.Machine == nil || s.Machine.Machine == nil {
		return nil
	}
	disks := s.Machine.Machine.Disks
	if len(disks) == 1 {
		return &disks[0]
	}
	device := strings.TrimPrefix(mountOf(s), "/dev/")
	for i, d := range disks {
		if device == d.Device || strings.HasPrefix(device, d.Device) && strings.Trim(device[len(d.Device):], "p0123456789") == "" {
			return &disks[i]
		}
	}
	return nil
}

// mountOf is the device of the file system that holds datadir: the one whose
// path is the longest beginning of it.
func mountOf(s *fleet.Server) (device string) {
	folder, known := s.Setting("datadir")
	if !known {
		return ""
	}
	longest := 0
	for _, m := range s.Machine.Machine.Mounts {
		path := strings.TrimSuffix(m.Path, "/") + "/"
		if strings.HasPrefix(folder+"/", path) && len(path) > longest {
			device, longest = m.Device, len(path)
		}
	}
	return device
}
