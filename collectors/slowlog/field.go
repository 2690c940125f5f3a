package slowlog

import (
	"bytes"
	"slices"
)

// field is a name in a header, with its colon, and how its value is read; nil if nobody needs it.
type field struct {
	name string
	read func(h *header, value []byte, e *Entry)
}

// fields remembers the names of the headers before, in their order. Servers write the same ones again
// and again, so that nearly every name is told by one comparison.
type fields struct {
	known []field
	at    int // which is expected
	other field
}

// mostFields bounds what is remembered. No server has more; behind them a hostile log is read slower.
const mostFields = 64

// next returns the field whose name is at the beginning of b; nil if there is none.
func (f *fields) next(b []byte) *field {
	if f.at < len(f.known) {
		if known := &f.known[f.at]; len(b) >= len(known.name) && string(b[:len(known.name)]) == known.name {
			f.at++
			return known
		}
	}
	return f.find(b)
}

// find is next for a field that was not expected here: some lines are not in every header.
func (f *fields) find(b []byte) *field {
	colon := bytes.IndexByte(b, ':')
	if colon < 0 {
		return nil
	}
	name := b[:colon+1]
	i := slices.IndexFunc(f.known, func(known field) bool { return known.name == string(name) })
	if i < 0 {
		if len(f.known) == mostFields || len(name) > longestName {
			f.other = field{string(name), reader(string(name[:colon]))}
			return &f.other
		}
		i = f.at
		f.known = slices.Insert(f.known, i, field{string(name), reader(string(name[:colon]))})
	}
	f.at = i + 1
	return &f.known[i]
}

// reader returns what reads the value of that name.
func reader(name string) func(*header, []byte, *Entry) {
	switch name {
	case "Query_time":
		return queryTime
	case "Lock_time":
		return seconds(LockTime)
	case "Rows_sent":
		return count(RowsSent)
	case "Rows_examined":
		return count(RowsExamined)
	case "Rows_affected":
		return count(RowsAffected)
	case "Bytes_sent":
		return count(BytesSent)
	case "Thread_id":
		return func(_ *header, value []byte, e *Entry) { e.Thread, _ = parseUint(value) }
	case "Full_scan":
		return yes(FullScan)
	case "Full_join":
		return yes(FullJoin)
	case "Filesort":
		return yes(Filesort)
	case "Filesort_on_disk":
		return yes(FilesortDisk)
	case "Tmp_table":
		return yesUnlessKnown(TmpTables)
	case "Tmp_table_on_disk":
		return yesUnlessKnown(TmpDiskTables)
	case "Tmp_tables", "Created_tmp_tables":
		return count(TmpTables)
	case "Tmp_disk_tables", "Created_tmp_disk_tables":
		return count(TmpDiskTables)
	case "Merge_passes", "Sort_merge_passes":
		return count(MergePasses)
	case "Errno", "Last_errno":
		return failed
	case "Pages_read", "InnoDB_IO_r_ops":
		return count(PagesRead)
	case "InnoDB_IO_r_wait":
		return seconds(ReadTime)
	case "InnoDB_rec_lock_wait":
		return seconds(RowLockTime)
	case "Pages_read_time":
		return milliseconds(ReadTime)
	case "Log_slow_rate_limit":
		return func(h *header, value []byte, _ *Entry) { h.limit, _ = parseUint(value) }
	case "Read_first":
		return readFirst
	case "Read_rnd_next":
		return readRndNext
	case "Sort_range_count", "Sort_scan_count":
		return sorted
	default:
		return nil
	}
}

func queryTime(h *header, value []byte, e *Entry) {
	e.Duration, h.timed = parseMicros(value)
	h.bad = !h.timed
}

func failed(_ *header, value []byte, e *Entry) {
	if n, ok := parseUint(value); ok {
		e.set(Failed, min(n, 1))
	}
}

func readFirst(h *header, value []byte, _ *Entry) {
	if n, ok := parseUint(value); ok {
		h.first = n
		h.seen |= seenFirst
	}
}

func readRndNext(h *header, value []byte, _ *Entry) {
	if n, ok := parseUint(value); ok {
		h.rndNext = n
		h.seen |= seenRndNext
	}
}

func sorted(h *header, value []byte, _ *Entry) {
	if n, ok := parseUint(value); ok {
		h.sorts = plus(h.sorts, n)
		h.seen |= seenSorts
	}
}

func count(which Figure) func(*header, []byte, *Entry) {
	return func(_ *header, value []byte, e *Entry) {
		if n, ok := parseUint(value); ok {
			e.set(which, n)
		}
	}
}

func seconds(which Figure) func(*header, []byte, *Entry) {
	return func(_ *header, value []byte, e *Entry) {
		if n, ok := parseMicros(value); ok {
			e.set(which, n)
		}
	}
}

func milliseconds(which Figure) func(*header, []byte, *Entry) {
	return func(_ *header, value []byte, e *Entry) {
		if n, ok := parseDecimal(value, 3); ok {
			e.set(which, n)
		}
	}
}

func yes(which Figure) func(*header, []byte, *Entry) {
	return func(_ *header, value []byte, e *Entry) { e.setFlag(which, value) }
}

// yesUnlessKnown reads a flag unless the log told the count already.
func yesUnlessKnown(which Figure) func(*header, []byte, *Entry) {
	return func(_ *header, value []byte, e *Entry) {
		if _, known := e.Get(which); !known {
			e.setFlag(which, value)
		}
	}
}
