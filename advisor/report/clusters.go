package report

import (
	"slices"

	"plimsoll/advisor/layout"
	"plimsoll/rules"
)

// clustersOf returns the names of the clusters in a report, clean.
func clustersOf(r *Report) []string {
	var out []string
	for _, h := range r.Hosts {
		out = append(out, layout.Clean(h.Cluster))
	}
	for _, s := range r.Servers {
		out = append(out, layout.Clean(s.Cluster))
	}
	for _, a := range r.Apps {
		out = append(out, layout.Clean(a.Cluster))
	}
	return distinct(out)
}

// qualified returns a copy of r in which every name begins with its cluster's,
// since two clusters may have a host or a schema of the same name.
func qualified(r *Report) *Report {
	out := *r
	out.Hosts, out.Servers, out.NotReady = slices.Clone(r.Hosts), slices.Clone(r.Servers), slices.Clone(r.NotReady)
	out.Apps = slices.Clone(r.Apps)
	for i, a := range r.Apps {
		out.Apps[i].Name = within(a.Cluster, a.Name)
	}
	out.Findings, out.Gone = slices.Clone(r.Findings), slices.Clone(r.Gone)
	for i, h := range out.Hosts {
		out.Hosts[i].Name = within(h.Cluster, h.Name)
	}
	for i, s := range out.Servers {
		out.Servers[i].Host, out.Servers[i].Source = within(s.Cluster, s.Host), within(s.Cluster, sourceName(s))
		if s.Name == s.Host {
			out.Servers[i].Name = ""
		}
	}
	for i := range out.NotReady {
		qualify(&out.NotReady[i].Subject)
	}
	for _, entries := range [][]Entry{out.Findings, out.Gone} {
		for i := range entries {
			qualify(&entries[i].Subject)
		}
	}
	return &out
}

func qualify(s *rules.Subject) {
	if s.Schema != "" {
		s.Schema = within(s.Cluster, s.Schema)
	} else if s.Kind != rules.OfCluster {
		s.Name = within(s.Cluster, s.Name)
	}
}

func within(cluster, name string) string {
	if cluster == "" || name == "" {
		return name
	}
	return cluster + ":" + name
}
