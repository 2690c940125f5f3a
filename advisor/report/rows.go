package report

import (
	"maps"
	"slices"
	"strings"

	"plimsoll/advisor/layout"
	"plimsoll/collectors/snapshot"
	"plimsoll/rules"
)

// serverRow is a database server in words.
type serverRow struct {
	Name, Role, Source, Version string
	Load, Statements            string
	// CPU is its machine's mean, and its 95th percentile if that is known.
	CPU string
}

// channelRow is one channel of a replica in words.
type channelRow struct {
	Replica, Source string
	P50, P99, Max   string
	// Unknown says why there are no figures.
	Unknown string
	// State is the share of time in each state.
	State string
}

// hostRow is how much of the window was seen of a host.
type hostRow struct {
	Name, Seen string
	// SeenRatio draws the bar.
	SeenRatio        float64
	Cores, CPU, Peak string
}

// seenRow is how much of a server's work its digests show.
type seenRow struct {
	Server, Window     string
	Digested, Prepared string
	Hidden             string
}

func serverName(s Server) string { return placed(s.Host, s.Name) }

// sourceName is the name of the server that s replicates from.
func sourceName(s Server) string {
	host, name, _ := strings.Cut(s.Source, "/")
	return placed(host, name)
}

// placed is host/name, or the host alone if what is there is named after it.
func placed(host, name string) string {
	host, name = layout.Clean(host), layout.Clean(name)
	switch {
	case name == "" || name == host:
		return host
	case host == "":
		return name
	}
	return host + "/" + name
}

func serverRows(servers []Server, hosts []Host) []serverRow {
	var out []serverRow
	for _, s := range servers {
		row := serverRow{
			Name: serverName(s), Role: layout.Clean(string(s.Role)), Source: sourceName(s), Version: layout.Clean(s.Version),
			Load: unknown, Statements: figure(s.StatementsPerSecond, rules.PerSecond), CPU: unknown,
		}
		if s.LoadSeconds != nil {
			row.Load = rules.Words(allSeconds(s), rules.Count)
		}
		if row.Version == "" {
			row.Version = unknown
		}
		for _, h := range hosts {
			if h.Cluster == s.Cluster && h.Name == s.Host {
				row.CPU = figure(h.CPUBusyRatio, rules.Ratio)
			}
		}
		out = append(out, row)
	}
	return out
}

// channel is one Lag with the server that it belongs to.
type channel struct {
	Server
	Lag
}

func channels(servers []Server) []channel {
	var out []channel
	for _, s := range servers {
		for _, l := range s.Lag {
			out = append(out, channel{s, l})
		}
	}
	return out
}

func channelRows(channels []channel) []channelRow {
	var out []channelRow
	for _, c := range channels {
		row := channelRow{
			Replica: serverName(c.Server), Source: sourceName(c.Server), State: states(c.State),
			P50: figure(c.P50, rules.Seconds), P99: figure(c.P99, rules.Seconds), Max: figure(c.Max, rules.Seconds),
		}
		if c.Channel != "" {
			row.Replica += " (" + layout.Clean(c.Channel) + ")"
		}
		if c.P50 == nil && c.P99 == nil && c.Max == nil {
			row.Unknown = "unknown, because " + because(c.Unknown)
		}
		out = append(out, row)
	}
	return out
}

func because(reason string) string {
	if reason = layout.Clean(reason); reason == "" {
		return "nothing was seen of it"
	}
	return reason
}

// states writes the share of time in each state, the longest first.
func states(seconds map[snapshot.LagState]float64) string {
	total := 0.0
	for _, s := range seconds {
		total += s
	}
	names := slices.SortedFunc(maps.Keys(seconds), func(a, b snapshot.LagState) int {
		switch d := seconds[b] - seconds[a]; {
		case d > 0:
			return 1
		case d < 0:
			return -1
		}
		return strings.Compare(string(a), string(b))
	})
	var out []string
	for _, name := range names {
		if seconds[name] > 0 {
			out = append(out, layout.Clean(string(name))+" "+rules.Words(seconds[name]/total, rules.Ratio))
		}
	}
	return strings.Join(out, ", ")
}

func hostRows(hosts []Host) []hostRow {
	var out []hostRow
	for _, h := range hosts {
		row := hostRow{
			Name: layout.Clean(h.Name), Seen: rules.Words(h.SeenRatio, rules.Ratio), SeenRatio: ratio(h.SeenRatio, 1), Cores: unknown,
			CPU: figure(h.CPUBusyRatio, rules.Ratio), Peak: figure(h.PeakCPUBusyRatio, rules.Ratio),
		}
		if h.Cores != nil {
			row.Cores = rules.Words(float64(*h.Cores), rules.Count)
		}
		out = append(out, row)
	}
	return out
}

func seenRows(servers []Server) []seenRow {
	var out []seenRow
	for _, s := range servers {
		row := seenRow{
			Server: serverName(s), Window: "not twice yet",
			Digested: figure(s.SeenRatio, rules.Ratio), Hidden: figure(s.HiddenRatio, rules.Ratio),
			Prepared: figure(s.HiddenPreparedPerSecond, rules.PerSecond),
		}
		if seconds := s.Window.Seconds(); seconds > 0 {
			row.Window = rules.Words(seconds, rules.Seconds)
		}
		out = append(out, row)
	}
	return out
}
