package slowlog

import (
	"bytes"
	"cmp"
	"math"
	"time"
)

// Entry is one call that a log tells of. Its slices are parts of the log that are overwritten when
// the next entry is read.
type Entry struct {
	// Offset is where the entry begins in its source, in bytes.
	Offset int64
	// Micros is when the call was logged, in microseconds since 1970; 0 if unknown. It is # Time where
	// that names its zone: the end of the call. Else it is SET timestamp: its start, in seconds, or
	// what the session set itself.
	Micros int64
	// Duration is Query_time in microseconds.
	Duration uint64
	// User, Host and Database are empty if there is none. Host is the address where the server does
	// not look up names.
	User, Host, Database []byte
	// Statement is what was executed, without the semicolon that the server adds. If Admin it is
	// "administrator command: " and a name such as Ping.
	Statement []byte
	// Admin says that the call was no SQL but another command of the protocol.
	Admin bool
	// Cut says that the statement was longer than Options.MaxStatement, and that only so much is here.
	Cut bool
	// Calls is how many calls this one stands for: 1, or the limit at which the server logged one of
	// so many. Estimated says that it is so.
	Calls     uint64
	Estimated bool
	// Thread is the id of the connection; 0 if the log does not tell.
	Thread uint64
	// Explain is the plan as the lines "# explain: " hold it, see ParsePlan; empty without.
	Explain []byte
	Figures
}

// Time is Micros in UTC; the zero time if unknown.
func (e *Entry) Time() time.Time { return micros(e.Micros) }

func micros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// inherited is what an entry has from those before it.
type inherited struct {
	database []byte
	micros   int64
}

// decoder reads the entries of a batch.
type decoder struct {
	rate   uint64 // log_slow_rate_limit, where the log does not tell
	always uint64 // from which duration on no call is left out, in µs; 0 if unknown
	inherited
	fields fields // of the headers before
	clock  clock  // of the header before
	header header // of the entry that is read
}

func newDecoder(o Options) decoder {
	return decoder{rate: o.RateLimit, always: uint64(max(o.AlwaysLogged.Microseconds(), 0))}
}

// begin prepares for the entries of b.
func (d *decoder) begin(b *batch) {
	d.database = b.database
	d.micros = b.micros
}

// decode reads an entry of b into e. What it hands on is kept even if it is skipped.
func (d *decoder) decode(b *batch, s span, e *Entry) reason {
	*e = Entry{Offset: b.offset + int64(s.begin), Calls: 1, Cut: s.cut}
	if s.fresh {
		d.database = nil
	}
	d.fields.at = 0
	d.header = header{fields: &d.fields, clock: &d.clock}
	why := d.header.read(b.data[s.begin:s.end], s.body-s.begin, e)
	if d.header.local != 0 {
		d.micros = d.header.local
	}
	d.scale(e)
	bad := d.statement(b.data[s.body:s.end], e)
	if e.Micros == 0 {
		e.Micros = d.micros
	}
	if uint64(e.Micros) > lastMicros { //nolint:gosec // what is below 0 is beyond, too
		e.Micros = 0
	}
	switch {
	case s.broken != "":
		return s.broken
	case why != "":
		return why
	default:
		return bad
	}
}

// lastMicros is the end of the year 9999, in microseconds since 1970. No server writes a later time, and
// formats of times have no more digits.
const lastMicros = 253_402_300_799_999_999

// scale says how many calls the entry stands for.
func (d *decoder) scale(e *Entry) {
	limit, always := d.rate, d.always
	if own := e.value[rateLimit]; own != 0 {
		limit = own
		always = cmp.Or(always, perconaAlways)
	}
	if limit > 1 && (always == 0 || e.Duration < always) {
		e.Calls, e.Estimated = limit, true
	}
}

// perconaAlways is the default of slow_query_log_always_write_time, in microseconds.
const perconaAlways = 10_000_000

// statement reads what stands behind a header: "use", the settings of the server, the statement.
func (d *decoder) statement(b []byte, e *Entry) reason {
	rest := b
	if name, behind, ok := use(rest); ok {
		d.database, rest = unquoted(name), behind
	}
	if !d.header.schema {
		e.Database = d.database
	}
	if stamp, behind, ok := setTimestamp(rest); ok {
		rest = behind
		if e.Micros == 0 {
			e.Micros = stamp
		}
	}
	if len(rest) == 0 {
		rest = b // old servers log USE and SET timestamp as statements
	}
	if bytes.HasPrefix(rest, []byte(adminLine)) {
		e.Admin = true // and the statement begins with administrator
		// MySQL repeats the rows of the connection's last statement here.
		e.forget(RowsSent, RowsExamined)
		rest = rest[len("# "):]
	}
	if e.Cut {
		e.Statement = rest
		return ""
	}
	text, ended := cutEnd(rest)
	e.Statement = text
	if !ended {
		return endless
	}
	return ""
}

// administrator is how the statement of an Admin entry begins.
const administrator = "administrator command: "

// use reads a line such as "use `shop`;", as MySQL writes it without and MariaDB with backticks.
func use(b []byte) (name, rest []byte, ok bool) {
	if !bytes.HasPrefix(b, []byte("use ")) {
		return nil, b, false
	}
	line, rest := cutLine(b)
	name, ok = cutEnd(line[len("use "):])
	return name, rest, ok
}

// unquoted returns a name without its backticks, which is a part of it in nearly all cases.
func unquoted(name []byte) []byte {
	if len(name) < 2 || name[0] != '`' {
		return name
	}
	if end := bytes.IndexByte(name[1:], '`'); end == len(name)-2 {
		return name[1 : len(name)-1]
	}
	return appendName(nil, name)
}

// appendName appends a name without its backticks.
func appendName(to, name []byte) []byte {
	if len(name) < 2 || name[0] != '`' || name[len(name)-1] != '`' {
		return append(to, name...)
	}
	name = name[1 : len(name)-1]
	for i := 0; i < len(name); i++ {
		to = append(to, name[i])
		if name[i] == '`' && i+1 < len(name) && name[i+1] == '`' {
			i++
		}
	}
	return to
}

// setTimestamp reads the line "SET timestamp=1795179808;" that the server writes before a statement,
// which may name insert_id and last_insert_id as well. Percona Server adds decimals.
func setTimestamp(b []byte) (micros int64, rest []byte, ok bool) {
	if !bytes.HasPrefix(b, []byte("SET ")) {
		return 0, b, false
	}
	if seconds, rest, ok := wholeSeconds(b); ok {
		return seconds * 1_000_000, rest, true
	}
	line, rest := cutLine(b)
	line, ended := cutEnd(line[len("SET "):])
	_, value, found := bytes.Cut(line, []byte("timestamp="))
	if !ended || !found {
		return 0, b, false
	}
	for _, c := range line[:len(line)-len(value)] {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '=' && c != ',' {
			return 0, b, false // a statement of a client
		}
	}
	n, ok := parseDecimal(value, 6)
	if !ok || n > math.MaxInt64 {
		return 0, b, false
	}
	return int64(n), rest, true
}

// wholeSeconds is setTimestamp for the usual line, which has nothing but ten digits in it.
func wholeSeconds(b []byte) (seconds int64, rest []byte, ok bool) {
	const prefix, end = len("SET timestamp="), len("SET timestamp=1795179808")
	if len(b) < end+2 || string(b[:prefix]) != "SET timestamp=" || b[end] != ';' || b[end+1] != '\n' {
		return 0, b, false
	}
	hundreds, n := leadingDigits(eight(b, prefix))
	tens, ones := b[end-2]-'0', b[end-1]-'0'
	if n < 8 || tens > 9 || ones > 9 {
		return 0, b, false
	}
	return int64(eightDigits(hundreds))*100 + int64(tens*10+ones), b[end+2:], true
}

// cutLine returns the first line of b without its end, and what follows.
func cutLine(b []byte) (line, rest []byte) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		return b, nil
	}
	line, rest = b[:i], b[i+1:]
	if i > 0 && line[i-1] == '\r' {
		line = line[:i-1]
	}
	return line, rest
}

// cutEnd returns b without the line end and the semicolon that a server writes behind a statement, and
// whether that was there.
func cutEnd(b []byte) (text []byte, ended bool) {
	if n := len(b); n > 0 && b[n-1] == '\n' {
		b = b[:n-1]
		if n > 1 && b[n-2] == '\r' {
			b = b[:n-2]
		}
	}
	if n := len(b); n > 0 && b[n-1] == ';' {
		return b[:n-1], true
	}
	return b, false
}
