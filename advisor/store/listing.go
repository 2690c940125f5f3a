package store

import (
	"fmt"
	"slices"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/discovery/targetgroup"
)

const (
	// maxTargets bounds what a mistaken or hostile list can make the advisor do.
	maxTargets = 10_000
	// maxIgnored bounds how many reasons are kept why entries are no targets.
	maxIgnored = 100
	// job is the label job of every target.
	job = "plimsoll"
)

// listing is a list of agents while it is made, and then read only.
type listing struct {
	targets []Target
	groups  map[string][]*targetgroup.Group // the same by pool, one group each
	seen    map[string]bool                 // names of targets
	trusted map[string]bool                 // addresses that this host's own files name
	ignored []string                        // why an entry is none of the targets
}

// add adds an agent, unless it is there already or cannot be one.
func (l *listing) add(d *Discovery, s source, addr string, lset map[string]string) {
	t, err := d.agents[s.pool].target(addr, lset, s.trusted)
	if err == nil && len(l.targets) == maxTargets {
		err = fmt.Errorf("more than %d agents; split them between advisors by cluster", maxTargets)
	}
	if err != nil {
		l.ignore(fmt.Sprintf("%s: %v", poolName(s.pool), err))
		return
	}
	if l.trusted[addr] = l.trusted[addr] || s.trusted; l.seen[t.String()] {
		return
	}
	l.seen[t.String()] = true
	if t.Socket != "" {
		t.Address = d.dialer.name(t.Socket)
	}
	t.Client = d.clients[s.pool]
	l.targets = append(l.targets, t)
	g := l.groups[poolName(s.pool)][0]
	g.Targets = append(g.Targets, t.labelSet())
}

func (l *listing) ignore(why string) {
	if len(l.ignored) < maxIgnored && !slices.Contains(l.ignored, why) {
		l.ignored = append(l.ignored, why)
	}
}

// labelSet is the target as Prometheus' scraper wants it.
func (t Target) labelSet() model.LabelSet {
	set := model.LabelSet{}
	for name, value := range t.Labels {
		set[model.LabelName(name)] = model.LabelValue(value)
	}
	set[model.JobLabel] = job
	set[model.InstanceLabel] = model.LabelValue(t.String())
	set[model.AddressLabel] = model.LabelValue(t.Address)
	set[model.SchemeLabel] = model.LabelValue(t.Scheme)
	return set
}
