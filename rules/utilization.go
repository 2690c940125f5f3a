package rules

import (
	"fmt"

	"plimsoll/rules/fleet"
)

// busyHost is how busy the processors of a server's host are.
type busyHost struct {
	// ratio is the 95th percentile of minutes, or the mean where there are no
	// series; what says which.
	ratio float64
	what  string
	cores float64
	// doubt says that the server is not what keeps its host busy; empty if it is.
	doubt string
}

// explainedShare is the share of the busy processors that a server's statements
// must be able to explain. A statement keeps at most one processor busy.
const explainedShare = 0.5

// hostOf returns how busy a server's host is; false if that is not known. A
// processor does not tell for whom it works, and so statements have to explain it.
func hostOf(s *fleet.Server) (busyHost, bool) {
	if s.Machine == nil || s.Machine.Machine == nil || s.Machine.Latest == nil || s.Machine.Latest.Cores == 0 {
		return busyHost{}, false
	}
	m := s.Machine.Machine
	h := busyHost{ratio: m.CPUBusyRatio, what: "mean", cores: float64(s.Machine.Latest.Cores)}
	if peak := m.PeakCPUBusyRatio; peak != nil {
		h.ratio, h.what = *peak, "95th percentile of minutes"
	}
	used, load := m.CPUBusyRatio*h.cores, 0.0
	if l, known := statementLoad(s); known {
		load = l
	}
	switch {
	case len(s.Machine.Servers) > 1:
		h.doubt = fmt.Sprintf("%d database servers share its host", len(s.Machine.Servers))
	case load < explainedShare*used:
		h.doubt = fmt.Sprintf("its statements explain %s of %s busy processors: another program shares its host", Words(load, Count), Words(used, Count))
	}
	return h, true
}

// doubtConfidence is what a finding about processors may claim while another
// program may be what keeps them busy.
const doubtConfidence = 0.4

// hostConfidence returns how sure a finding is that rests on h.
func (c Case) hostConfidence(ratio float64, seen fleet.Window, h busyHost, reasons ...string) Confidence {
	if h.doubt != "" {
		return c.confidence(min(ratio, doubtConfidence), seen, append(reasons, h.doubt)...)
	}
	return c.confidence(ratio, seen, reasons...)
}

func (h busyHost) evidence(of string, seen fleet.Window, limit float64, source string) Evidence {
	return Evidence{What: "processors of " + of + " busy, " + h.what, Value: h.ratio, Unit: Ratio, Source: "/proc/stat", Window: seen}.against(limit, source)
}
