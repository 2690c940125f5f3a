package report

import "plimsoll/advisor/layout"

func (p *page) replication(v view) {
	if len(v.Servers) > 0 {
		p.Heading("Servers")
		rows := [][]string{}
		for _, s := range v.Servers {
			rows = append(rows, []string{s.Name, s.Role, s.Source, s.Version, s.Load, s.Statements, s.CPU})
		}
		p.Table([]string{"server", "role", "source", "version", "load", "queries", "CPU"}, rows)
		p.note(v.Rest.Servers)
	}
	if len(v.Channels) == 0 {
		return
	}
	p.Heading("Replication lag")
	rows := [][]string{}
	for _, c := range v.Channels {
		if c.Unknown == "" {
			rows = append(rows, []string{c.Replica, c.Source, c.P50, c.P99, c.Max, c.State})
		}
	}
	if len(rows) > 0 {
		p.Table([]string{"replica", "source", "median", "99th pct", "largest", "state"}, rows)
	}
	for _, c := range v.Channels {
		if c.Unknown != "" {
			text := c.Replica + ": " + c.Unknown
			if c.State != "" {
				text += " (" + c.State + ")"
			}
			p.Hang("  -", 4, "", text)
		}
	}
	p.note(v.Rest.Channels)
}

// note writes what a table leaves out, if anything.
func (p *page) note(s string) { p.Para(2, layout.Dim, s) }

func (p *page) coverage(v view) {
	if len(v.Hosts)+len(v.Seen) == 0 {
		return
	}
	p.Heading("What was seen")
	if len(v.Hosts) > 0 {
		rows := [][]string{}
		for _, h := range v.Hosts {
			rows = append(rows, []string{h.Name, h.Seen, h.Cores, h.CPU, h.Peak})
		}
		p.Table([]string{"host", "of the window", "cores", "CPU", "CPU 95th pct"}, rows)
		p.note(v.Rest.Hosts)
	}
	if len(v.Seen) > 0 {
		p.Line("")
		rows := [][]string{}
		for _, s := range v.Seen {
			rows = append(rows, []string{s.Server, s.Window, s.Digested, s.Hidden, s.Prepared})
		}
		p.Table([]string{"server", "seen for", "statements with a digest", "time hidden", "prepared, hidden"}, rows)
	}
}

func (p *page) unseen(u unseen) {
	if u.Empty() {
		return
	}
	if len(u.Unreachable)+len(u.Gaps) > 0 {
		p.Heading("What could not be seen")
	}
	for _, a := range u.Unreachable {
		p.Hang("  -", 4, "", "Agent "+a.Target+" could not be read: "+a.Reason)
	}
	p.note(u.Rest.Unreachable)
	for _, g := range u.Gaps {
		p.blindSpot(g)
	}
	p.note(u.Rest.Gaps)
	if len(u.Waiting) > 0 {
		p.Heading("What could not be judged")
	}
	for _, w := range u.Waiting {
		p.blindSpot(w)
	}
	p.note(u.Rest.Waiting)
}

func (p *page) blindSpot(b blindSpot) {
	p.Hang("  -", 4, "", b.Reason)
	if len(b.Where) > 0 {
		p.Hang("    where", 14, layout.Dim, enumerate(b.Where))
	}
	p.Hang("    what", 14, layout.Dim, enumerate(b.What))
	if b.Remedy != "" {
		p.Hang("    to do", 14, "", b.Remedy)
	}
	if b.Ready != "" {
		p.Hang("    ready", 14, "", b.Ready)
	}
}

func (p *page) thresholds(rows []thresholdRow) {
	if len(rows) == 0 {
		return
	}
	p.Heading("Thresholds and their sources")
	for _, t := range rows {
		text := t.Rule + ": " + t.Value
		if t.What != "" {
			text = t.Rule + ", " + t.What + ": " + t.Value
		}
		p.Hang("  -", 4, "", text)
		about := t.Source
		if t.Window != "" {
			about += "; " + t.Window
		}
		p.Para(4, layout.Dim, about)
	}
}
