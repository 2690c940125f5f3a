package rules

import (
	"fmt"
	"strings"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// alikePool is the share of its source's buffer pool from which on a replica can
// do the source's work: with less it reads from disk what the site needs most, in
// its first hour as the primary.
const alikePool = 0.8

// pairFaults are what a replica lacks beside its source.
func pairFaults(s *fleet.Server) []fault {
	if s.Source == nil {
		return nil
	}
	var out []fault
	for _, found := range []*fault{poolFault(s), seriesFault(s), errantFault(s)} {
		if found != nil {
			out = append(out, *found)
		}
	}
	return out
}

// sourceUnseen returns that a replica can be held against nothing, or nil.
func sourceUnseen(s *fleet.Server) *NotReady {
	if s.Role != fleet.Replica || s.Source != nil {
		return nil
	}
	return &NotReady{
		Subject: aboutServer(s), Remedy: "install plimsoll-agent on its source",
		Reason: "no agent reads its source: their versions, buffer pools and transactions cannot be compared",
	}
}

func poolFault(s *fleet.Server) *fault {
	const name = "innodb_buffer_pool_size"
	own, known := numberSetting(s, name)
	wanted, sourceKnown := numberSetting(s.Source, name)
	if !known || !sourceKnown || wanted <= 0 || own >= alikePool*wanted {
		return nil
	}
	measured := Evidence{
		What: name + ", of its source's", Value: own / wanted, Unit: Ratio, Source: name, Window: moment(s.Latest.Settings.Taken),
	}.against(alikePool, "default of this rule: with less it would read from disk what its source has in memory")
	f := fault{what: name, measured: &measured}
	value, old := fmt.Sprintf("%.0f", wanted), fmt.Sprintf("%.0f", own)
	switch {
	case s.Machine == nil || s.Machine.Latest == nil || poolRoom(s, own) < wanted:
		f.steps = []Step{{Kind: Advice, Target: called(s), Text: "Give it the memory of its source, or fail over to another replica: " +
			"its host has no room, or is not known to have room, for a pool of " + Words(wanted, Bytes) + "."}}
	case growsOnline(s):
		f.steps, f.rollback = setVariable(s, name, value, "Online."), undoVariable(s, name, old)
	default:
		f.steps, f.rollback = []Step{optionFile(s, name, value, atRestart)}, []Step{optionFile(s, name, old, atRestart)}
	}
	return &f
}

// series is the family of a server and the first two numbers of its version,
// within which servers may follow each other in both directions.
func series(s *fleet.Server) (family snapshot.Family, major, minor int, known bool) {
	id := s.Latest.Identity
	if id == nil {
		return "", 0, 0, false
	}
	n, err := fmt.Sscanf(id.Version, "%d.%d", &major, &minor)
	return id.Family, major, minor, n == 2 && err == nil
}

func seriesFault(s *fleet.Server) *fault {
	family, major, minor, known := series(s)
	sourceFamily, sourceMajor, sourceMinor, sourceKnown := series(s.Source)
	if !known || !sourceKnown || family == sourceFamily && major == sourceMajor && minor == sourceMinor {
		return nil
	}
	f := fault{
		what: "version", state: s.Latest.Identity.Version + ", its source has " + s.Source.Latest.Identity.Version,
		why: "after a switch the old primary cannot follow it back: servers follow an older or equal series only",
		steps: []Step{{
			Kind: Advice, Target: called(s.Source), Text: "If an upgrade is under way, end it: upgrade the other replicas, switch, and upgrade the old primary last.",
		}},
	}
	if family == sourceFamily && (major < sourceMajor || major == sourceMajor && minor < sourceMinor) {
		f.why = "it is older than its source, which no family supports: it stops at the first event that it does not know"
		f.steps = []Step{{Kind: Advice, Target: called(s), Text: "Upgrade the replica: replicas go first, and the primary last."}}
	}
	return &f
}

// errantFault finds transactions of the replica's own that its source does not
// have. MariaDB's positions keep only the last one of a domain, and cannot tell.
func errantFault(s *fleet.Server) *fault {
	if s.Source.Source == s { // each writes, and has what the other has not yet
		return nil
	}
	errant := errantSet(s)
	if errant == "" {
		return nil
	}
	return &fault{
		what: "errant transactions", state: errant,
		why: "its source does not have them: once it is the primary, it sends them to all others, or those stop because its log of them is gone",
		steps: []Step{{
			Kind: Advice, Target: called(s),
			Text: "Look what they did (mysqlbinlog --include-gtids), bring the tables together, and then commit an empty transaction " +
				"by each of their names on the source (SET GTID_NEXT = …; BEGIN; COMMIT; SET GTID_NEXT = AUTOMATIC).",
			Note: "Do not empty its GTIDs instead: it then no longer knows its place.",
		}},
	}
}

// errantSet is what a MySQL replica committed under its own name, if its source
// does not have all of that; empty if it does, or if that is not known. What came
// from elsewhere does not count: the two are not read at the same moment.
func errantSet(s *fleet.Server) string {
	var own []string
	for part := range strings.SplitSeq(lastGTID(s), ",") {
		if part = strings.TrimSpace(part); s.Key != "" && strings.HasPrefix(strings.ToLower(part), strings.ToLower(s.Key)+":") {
			own = append(own, part)
		}
	}
	text, has := strings.Join(own, ","), lastGTID(s.Source)
	if text == "" || has == "" {
		return ""
	}
	mine, err := snapshot.ParseGTIDSet(text)
	if err != nil {
		return ""
	}
	theirs, err := snapshot.ParseGTIDSet(has)
	if err != nil || theirs.Contains(mine) {
		return ""
	}
	return text
}

// lastGTID is what a server had executed when it was last read; empty if that is
// not known.
func lastGTID(s *fleet.Server) string {
	if p := s.Latest.Positions; p != nil && len(p.Ring) > 0 {
		return p.Ring[len(p.Ring)-1].GTID
	}
	return ""
}
