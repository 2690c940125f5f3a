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
	switch {
	case bytes.HasPrefix(b, []byte("\x1f\x8b")):
		return "this is gzip: decompress it first"
	case bytes.HasPrefix(b, []byte("\x28\xb5\x2f\xfd")):
		return "this is zstd: decompress it first"
	case bytes.HasPrefix(b, []byte("\xfebin")):
		return "this is a binary log"
	case bytes.IndexByte(b, 0) >= 0:
		return "these bytes are no text"
	case isPostgres(line):
		return "this is a log of PostgreSQL"
	case bytes.Contains(line, []byte("\tQuery\t")), bytes.Contains(line, []byte(" Query\t")):
		return "this is a general query log"
	case bytes.Contains(line, []byte(" [Note] ")), bytes.Contains(line, []byte(" [Warning] ")),
		bytes.Contains(line, []byte(" [ERROR] ")), bytes.Contains(line, []byte(" [System] ")):
		return "this is an error log"
	default:
		return noEntry
	}
}

// isPostgres knows the words that PostgreSQL puts behind its prefix, with two blanks.
func isPostgres(line []byte) bool {
	for _, word := range []string{"LOG:  ", "ERROR:  ", "STATEMENT:  ", "DETAIL:  ", "FATAL:  ", "HINT:  ", "WARNING:  "} {
		if bytes.Contains(line, []byte(word)) {
			return true
		}
	}
	return false
}
