package rules

import (
	"slices"

	"plimsoll/rules/fleet"
)

// eachPool judges pools one by one.
func (c Case) eachPool(judge func(*fleet.Pool) (*Finding, *NotReady)) Result {
	var out Result
	for _, p := range c.Fleet.Pools {
		out.add(judge(p))
	}
	return out
}

// aboutPool is the subject of a finding about a pool of one host. Where a host has two of one name
// they are told apart by where they listen.
func aboutPool(p *fleet.Pool) Subject {
	about := Subject{Cluster: p.Cluster, Kind: OfPool, Name: p.Host, Part: p.Name}
	twin := func(o *fleet.Pool) bool { return o != p && o.Name == p.Name }
	if p.Machine != nil && slices.ContainsFunc(p.Machine.Pools, twin) {
		about.Part += " at " + p.Listen
	}
	return about
}

// calledPool is how a pool is called in sentences, and as the target of a step.
func calledPool(p *fleet.Pool) string { return aboutPool(p).String() }

// poolUnready returns why a rule cannot judge a pool by what a job saw of it, or nil. seen is nil
// where there are no two copies.
func (c Case) poolUnready(p *fleet.Pool, job string, seen *fleet.Window) *NotReady {
	switch {
	case seen != nil:
		return c.tooShort(aboutPool(p), job, *seen)
	case job == "phpfpm/profile":
		return c.blind(aboutPool(p), whyBlind(p))
	}
	n := c.poolUnknown(p, job, job+" was not seen twice yet")
	if _, lacking := p.Lacks(job); !lacking {
		n.ReadyAt = c.Fleet.Now.Add(c.Rule.MinWindow)
	}
	return n
}

// poolUnknown returns that a fact of a job is missing. A gap of that job knows why, and what helps.
func (c Case) poolUnknown(p *fleet.Pool, job, reason string) *NotReady {
	n := &NotReady{Rule: c.Rule.ID, Subject: aboutPool(p), Reason: reason}
	if gap, lacking := p.Lacks(job); lacking {
		n.Reason, n.Remedy = printable(gap.Reason), gap.Remedy
	}
	return n
}
