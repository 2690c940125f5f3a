package snapshot

import (
	"strings"
)

// Reached reports whether a replica at p had executed everything that its
// source had written at source; channel is the one that replicates it. Known is
// false where the two cannot be compared: a position is missing or malformed,
// or they are of different forms.
func (p Position) Reached(source Position, channel string) (reached, known bool) {
	written := source.Written
	if written == "" {
		written = source.GTID
	}
	if written != "" && p.GTID != "" {
		return gtidReached(p.GTID, written)
	}
	for _, e := range p.Executed {
		if e.Channel == channel && source.File != "" {
			return fileReached(e, source)
		}
	}
	return false, false
}

func gtidReached(executed, written string) (reached, known bool) {
	if executed == written {
		return true, true
	}
	replica, err := ParseGTIDSet(executed)
	if err != nil {
		return false, false
	}
	source, err := ParseGTIDSet(written)
	if err != nil || (replica.domains == nil) != (source.domains == nil) {
		return false, false
	}
	return replica.Contains(source), true
}

// fileReached compares names such as binlog.000042. Those of one series differ
// in the number, which gets longer after 999999.
func fileReached(executed SourceExecution, source Position) (reached, known bool) {
	series, number, found := cutLast(executed.File)
	sourceSeries, sourceNumber, sourceFound := cutLast(source.File)
	if !found || !sourceFound || series != sourceSeries {
		return false, false
	}
	own, err := parseNumber(number, 64)
	if err != nil {
		return false, false
	}
	other, err := parseNumber(sourceNumber, 64)
	if err != nil {
		return false, false
	}
	return own > other || own == other && executed.Offset >= source.Offset, true
}

func cutLast(name string) (before, after string, found bool) {
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return name, "", false
	}
	return name[:dot], name[dot+1:], true
}
