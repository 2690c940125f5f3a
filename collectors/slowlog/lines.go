package slowlog

import "bytes"

var newline = []byte("\n")

// lines tells in which line a place of a text is. It counts each line once, so that many questions cost
// no more than one, if they go forward.
type lines struct {
	data   []byte
	offset int64 // where data begins in its source
	end    int   // up to where lines are counted
	line   int64 // there
}

func newLines(data []byte, offset, line int64) lines {
	return lines{data: data, offset: offset, line: line}
}

// at returns the line of an offset in the source. The nil lines know none.
func (l *lines) at(offset int64) int64 {
	if l == nil {
		return 0
	}
	end := int(offset - l.offset)
	if end < l.end {
		return l.line - int64(bytes.Count(l.data[end:l.end], newline))
	}
	l.line += int64(bytes.Count(l.data[l.end:end], newline))
	l.end = end
	return l.line
}
