package slowlog

import "bytes"

// Skip is a part of a log that is no entry, or not a whole one.
type Skip struct {
	// File is the source as it was named.
	File string
	// Line, from 1, and Offset, in bytes from 0, are where it begins.
	Line, Offset int64
	// Bytes is how long it is.
	Bytes int64
	// Reason says what is wrong. It holds nothing of the log.
	Reason string
}

// reason says why something was skipped; empty if it was not.
type reason string

const (
	noEntry     reason = "no entry of a slow log begins here"
	halfWritten reason = "the log ends within this entry"
	endless     reason = "its statement has no end"
	bodiless    reason = "its header has no statement"
	longHeader  reason = "its header has no end"
	untimed     reason = "its header has no Query_time"
	badTimes    reason = "its Query_time is no duration"
)

// sniffed is how many bytes tell what kind of file something is.
const sniffed = 512

// sniff says what b is, of which no entry of a slow log is the beginning.
func sniff(b []byte) reason {
	b = b[:min(len(b), sniffed)]
	line, _ := cutLine(b)
	switch packed := packing(b); {
	case packed != "":
		return packed
	case isBinary(b):
		return "these bytes are no text"
	case isPostgres(b):
		return "this is a log of PostgreSQL"
	case bytes.Contains(line, []byte("\tQuery\t")), bytes.Contains(line, []byte(" Query\t")):
		return "this is a general query log"
	case bytes.Contains(line, []byte(" [Note] ")), bytes.Contains(line, []byte(" [Warning] ")),
		bytes.Contains(line, []byte(" [ERROR] ")), bytes.Contains(line, []byte(" [System] ")):
		return "this is an error log"
	case bytes.HasPrefix(bytes.TrimLeft(b, " \r\n"), []byte("{")):
		return "this is JSON"
	default:
		return noEntry
	}
}

// packing knows how files begin that hold a log, perhaps, but not as text; empty if b is none.
func packing(b []byte) reason {
	for begin, is := range map[string]reason{
		"\x1f\x8b":         "this is gzip: decompress it first",
		"\x28\xb5\x2f\xfd": "this is zstd: decompress it first",
		"\xfd7zXZ\x00":     "this is xz: decompress it first",
		"BZh":              "this is bzip2: decompress it first",
		"PK\x03\x04":       "this is a zip archive: unpack it first",
		"\xfebin":          "this is a binary log",
	} {
		if bytes.HasPrefix(b, []byte(begin)) {
			return is
		}
	}
	return ""
}

// isBinary knows a zero, or control characters by the dozen.
func isBinary(b []byte) bool {
	control := 0
	for _, c := range b {
		if c == 0 {
			return true
		}
		if c < ' ' && c != '\t' && c != '\r' && c != '\n' {
			control++
		}
	}
	return control > sniffed/16
}

// isPostgres knows the words that PostgreSQL puts behind its prefix, with two blanks, and where its csvlog
// and jsonlog have them.
func isPostgres(b []byte) bool {
	for _, word := range []string{
		"LOG:  ", "ERROR:  ", "STATEMENT:  ", "DETAIL:  ", "FATAL:  ", "HINT:  ", "WARNING:  ",
		",LOG,00000,", `"error_severity":"`,
	} {
		if bytes.Contains(b, []byte(word)) {
			return true
		}
	}
	return false
}
