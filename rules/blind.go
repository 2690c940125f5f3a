package rules

import (
	"slices"

	"plimsoll/rules/fleet"
)

// blindReason is why it is not known where the time of a pool's workers goes.
type blindReason struct {
	// reason is a sentence; remedy a command or a setting, empty where there is nothing to do.
	reason, remedy string
	// soon is true if only time helps.
	soon bool
}

// blindHosts are hosts on which one reason holds.
type blindHosts struct {
	blindReason
	hosts []string
}

// The reasons that no gap tells.
const (
	noProbe      = "where the time of its workers goes is not known: no plimsoll-probe was seen on its hosts"
	installProbe = "install plimsoll-probe on the web hosts (docs/privileges.md)"
	seenOnce     = "plimsoll-probe was not seen twice yet"
	noWorkers    = "it has no workers, so that plimsoll-probe has nothing to look at"
	notFoundYet  = "plimsoll-probe runs, and has not found this pool yet"
)

// whyBlind returns why the time of a pool's workers is not known. What the agent says of the probe, such as that it
// does not run, comes before what the probe says of the pool.
func whyBlind(p *fleet.Pool) blindReason {
	gap, lacking := p.Lacks("phpfpm/profile")
	if !lacking {
		gap, lacking = p.Lacks("phpfpm/probe")
	}
	switch probed := p.Profile != nil || p.Machine.Probed; {
	case lacking:
		return blindReason{reason: printable(gap.Reason), remedy: gap.Remedy}
	case !probed:
		return blindReason{reason: noProbe, remedy: installProbe}
	case p.Latest != nil && p.Latest.Workers == 0:
		return blindReason{reason: noWorkers}
	case p.Profile != nil:
		return blindReason{reason: seenOnce, soon: true}
	}
	return blindReason{reason: notFoundYet, soon: true}
}

// blindness says why the time of an application's workers is not known, hosts with one reason together.
func (a *app) blindness() []blindHosts {
	var out []blindHosts
	for _, p := range a.blind {
		why := whyBlind(p)
		i := slices.IndexFunc(out, func(b blindHosts) bool { return b.blindReason == why })
		if i < 0 {
			i, out = len(out), append(out, blindHosts{blindReason: why})
		}
		if !slices.Contains(out[i].hosts, p.Host) {
			out[i].hosts = append(out[i].hosts, p.Host)
		}
	}
	return out
}

// blind returns that a rule is not ready for a reason.
func (c Case) blind(about Subject, why blindReason) *NotReady {
	n := &NotReady{Rule: c.Rule.ID, Subject: about, Reason: why.reason, Remedy: why.remedy}
	if why.soon {
		n.ReadyAt = c.Fleet.Now.Add(c.Rule.MinWindow)
	}
	return n
}
