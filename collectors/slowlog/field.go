package slowlog

import (
	"bytes"
	"slices"
)

// field is a name in a header, and how its value is read.
type field struct {
	name string // with its colon
	prefix
	form form
	is   Figure
}

// prefix is a name as it stood in a header: with what was before it, and one blank behind it. It is compared
// in words of eight bytes: the first and the last of it are all of most names, and with the second and the
// last but one they are all of any.
type prefix struct {
	length                          int
	tail                            int    // where the last word begins
	mask                            uint64 // what counts of the first word, and of the last, if there are less than eight bytes
	first, second, lastButOne, last uint64
}

// longestPrefix bounds the names that are remembered, in bytes. Servers write none that are longer.
const longestPrefix = 32

func newPrefix(text []byte) prefix {
	n := len(text)
	text = append(make([]byte, 0, longestPrefix), text...)[:longestPrefix]
	p := prefix{length: n, tail: max(n-8, 0), mask: 1<<(8*n) - 1}
	p.first, p.second, p.last = eight(text, 0), eight(text, 8), eight(text, p.tail)
	p.lastButOne = eight(text, max(n-16, 0))
	return p
}

// form is how a value is written.
type form uint8

const (
	unread         form = iota // nobody needs it
	inDigits                   // and nothing else
	inSeconds                  // with decimals; read in µs
	inMilliseconds             // the same
	yesOrNo                    // read as 1 and 0
	asName                     // which can hold blanks
)

// fields remembers the names of the headers before, in their order. Servers write the same ones again
// and again, so that nearly every name is told by one comparison.
type fields struct {
	known []field
	at    int // which is expected
	other field
}

// mostFields bounds what is remembered. No server has more; behind them a hostile log is read slower.
const mostFields = 64

// find returns the field at pos, which is not the expected one, and where its value begins: some lines are
// not in every header. Where pos is a line end, it is the first field of the next line. It returns nil if
// there is none in the line.
func (f *fields) find(b []byte, pos int) (*field, int) {
	begin := pos
	if b[pos] == '\n' {
		begin += len("\n#")
	}
	line, _ := cutLine(b[begin:])
	rest := skipBlanks(line)
	colon := bytes.IndexByte(rest, ':')
	if colon < 0 {
		return nil, pos
	}
	name := rest[:colon+1]
	value := begin + len(line) - len(rest) + len(name)
	if value < len(b) && b[value] == ' ' {
		value++
	}
	return f.named(name, b[pos:value]), value
}

// named returns the field of a name, and remembers it as the one that stands here.
func (f *fields) named(name, text []byte) *field {
	i := slices.IndexFunc(f.known, func(known field) bool { return known.name == string(name) })
	if i < 0 {
		n := len(text)
		// Without the blank, the text could be the beginning of a line that is no list of fields.
		if len(f.known) == mostFields || n > longestPrefix || text[n-1] != ' ' {
			f.other = meaning(name)
			return &f.other
		}
		i = f.at
		known := meaning(name)
		known.name, known.prefix = string(name), newPrefix(text)
		f.known = slices.Insert(f.known, i, known)
	}
	f.at = i + 1
	return &f.known[i]
}

// meaning returns the field of a name with its colon.
func meaning(name []byte) field {
	switch string(name) {
	case "Query_time:":
		return field{form: inSeconds, is: queryTime}
	case "Lock_time:":
		return field{form: inSeconds, is: LockTime}
	case "Rows_sent:":
		return field{form: inDigits, is: RowsSent}
	case "Rows_examined:":
		return field{form: inDigits, is: RowsExamined}
	case "Rows_affected:":
		return field{form: inDigits, is: RowsAffected}
	case "Bytes_sent:":
		return field{form: inDigits, is: BytesSent}
	case "Schema:":
		return field{form: asName}
	case "Thread_id:":
		return field{form: inDigits, is: threadID}
	case "Full_scan:":
		return field{form: yesOrNo, is: FullScan}
	case "Full_join:":
		return field{form: yesOrNo, is: FullJoin}
	case "Filesort:":
		return field{form: yesOrNo, is: Filesort}
	case "Filesort_on_disk:":
		return field{form: yesOrNo, is: FilesortDisk}
	case "Tmp_table:":
		return field{form: yesOrNo, is: tmpTable}
	case "Tmp_table_on_disk:":
		return field{form: yesOrNo, is: tmpDiskTable}
	case "Tmp_tables:", "Created_tmp_tables:":
		return field{form: inDigits, is: TmpTables}
	case "Tmp_disk_tables:", "Created_tmp_disk_tables:":
		return field{form: inDigits, is: TmpDiskTables}
	case "Merge_passes:", "Sort_merge_passes:":
		return field{form: inDigits, is: MergePasses}
	case "Errno:", "Last_errno:":
		return field{form: inDigits, is: errorNumber}
	case "Pages_read:", "InnoDB_IO_r_ops:":
		return field{form: inDigits, is: PagesRead}
	case "InnoDB_IO_r_wait:":
		return field{form: inSeconds, is: ReadTime}
	case "InnoDB_rec_lock_wait:":
		return field{form: inSeconds, is: RowLockTime}
	case "Pages_read_time:":
		return field{form: inMilliseconds, is: ReadTime}
	case "Log_slow_rate_limit:":
		return field{form: inDigits, is: rateLimit}
	case "Read_first:":
		return field{form: inDigits, is: readFirst}
	case "Read_rnd_next:":
		return field{form: inDigits, is: readRndNext}
	case "Sort_range_count:":
		return field{form: inDigits, is: sortRanges}
	case "Sort_scan_count:":
		return field{form: inDigits, is: sortScans}
	default:
		return field{form: unread, is: nothing}
	}
}
