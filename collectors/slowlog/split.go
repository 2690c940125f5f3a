package slowlog

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
)

// batchSize is how much is read before it is handed on, in bytes. Smaller batches cost more for each,
// larger ones leave the processor's caches.
const batchSize = 512 << 10

// ending is what is behind the bytes that were read.
type ending uint8

const (
	unended ending = iota // more, which decides what the last entry is
	settled               // perhaps more, but what looks whole is whole
	ended                 // nothing
)

// splitter cuts a log into entries. What it decides depends on the bytes of the log alone, and never on
// how many of them came at once.
type splitter struct {
	src    io.Reader
	bounds bounds
	how    ending // what to take the end of src for
	size   int    // how much to read before it is handed on
	want   int    // how much to have before the next look
	buf    []byte // read, and not handed on
	offset int64  // where buf begins, from 0
	line   int64  // in which line the next thing of buf is, from 1
	inherited
	fresh  bool  // the next entry stands behind a banner
	lost   *Skip // what is being skipped; nil at the beginning of an entry
	behind bool  // being skipped is the rest of an entry that was cut
}

// span is where in a batch an entry is.
type span struct {
	begin, body, end int
	line             int64
	cut              bool   // its statement goes on, and is skipped
	fresh            bool   // a banner stands before it: it inherits no database
	broken           reason // why it is not whole
}

// batch is a part of a log that ends with an entry.
type batch struct {
	data      []byte
	offset    int64 // where data begins
	inherited       // by the first entry
	spans     []span
	skips     []Skip
}

// next reads the next batch into b, whose memory it takes over. It returns io.EOF where src ends, with
// what was found before; there it can be called again if src grows.
func (s *splitter) next(b *batch) error {
	s.want = max(s.want, s.size)
	for {
		err := s.fill()
		how := unended
		if errors.Is(err, io.EOF) {
			how = s.how
		} else if err != nil {
			err = fmt.Errorf("read at byte %d: %w", s.offset+int64(len(s.buf)), err)
		}
		s.start(b)
		n := s.split(b, how)
		if n > 0 || err != nil {
			s.hand(b, n)
			return err
		}
		s.want = 2 * len(s.buf)
	}
}

// fill reads until there are as many bytes as wanted.
func (s *splitter) fill() error {
	if cap(s.buf) < s.want {
		s.buf = append(make([]byte, 0, s.want), s.buf...)
	}
	for len(s.buf) < s.want {
		n, err := s.src.Read(s.buf[len(s.buf):s.want])
		s.buf = s.buf[:len(s.buf)+n]
		if err != nil {
			return err
		}
	}
	return nil
}

// start makes b the batch that begins where buf does.
func (s *splitter) start(b *batch) {
	b.spans, b.skips = b.spans[:0], b.skips[:0]
	b.offset = s.offset
	b.database = append(b.database[:0], s.database...)
	b.micros = s.micros
}

// hand gives the first n bytes to b, and goes on with the others in b's memory.
func (s *splitter) hand(b *batch, n int) {
	left := append(b.data[:0], s.buf[n:]...)
	b.data, s.buf = s.buf[:n], left
	s.offset += int64(n)
	s.want = s.size
}

// split finds entries in buf and returns how many bytes are settled.
func (s *splitter) split(b *batch, how ending) int {
	pos := 0
	for pos < len(s.buf) {
		n := s.step(b, pos, how)
		if n == 0 {
			break
		}
		pos += n
	}
	if how == ended && s.lost != nil {
		s.found(b, pos)
	}
	return pos
}

// step takes one thing off the log at pos, an entry, a line of a banner or something to skip, and
// returns its length; 0 if that cannot be told yet.
func (s *splitter) step(b *batch, pos int, how ending) int {
	data := s.buf[pos:]
	if s.lost != nil {
		return s.search(b, pos, how)
	}
	head, state := s.bounds.known, whole
	if s.bounds.knownAt != 0 {
		head, state = s.bounds.header(data, how)
	}
	s.bounds.knownAt = -1
	if state == partial {
		return 0
	}
	if state == absent {
		return s.between(b, pos, how)
	}
	return s.entry(b, pos, head, how)
}

// between takes what begins at pos and is no header.
func (s *splitter) between(b *batch, pos int, how ending) int {
	n, state := bannerLine(s.buf[pos:], how)
	if state == absent {
		return s.lose(b, pos, how)
	}
	if n > len("\r\n") {
		s.fresh, s.database = true, s.database[:0]
	}
	return s.pass(pos, n)
}

// entry takes the entry at pos, whose header is known.
func (s *splitter) entry(b *batch, pos int, head head, how ending) int {
	data := s.buf[pos:]
	at := span{begin: pos, body: pos + head.body, line: s.line, fresh: s.fresh, broken: head.broken}
	end, lines := s.bounds.plain(data, head, how)
	if end > 0 {
		at.end = pos + end
		s.line += int64(lines)
	} else if end = s.ragged(b, &at, how); end == 0 {
		return 0
	}
	s.bounds.knownAt -= end // 0 if it is that of the next entry
	b.spans = append(b.spans, at)
	s.inherit(data[:end], head.body)
	return end
}

// ragged finds the end of an entry that is not plain, and returns its length; 0 if it cannot be told yet.
func (s *splitter) ragged(b *batch, at *span, how ending) int {
	end, state := s.bounds.end(s.buf[at.begin:], at.body-at.begin, how)
	if state == partial {
		s.bounds.knownAt = -1
		return 0
	}
	at.end, at.cut, at.broken = at.begin+end, state == cutOff, cmp.Or(at.broken, openReason(state))
	s.salvage(b, at)
	if at.cut {
		s.lost, s.behind = &Skip{}, true
	}
	return s.pass(at.begin, end)
}

// salvage keeps an entry behind whose statement stands what is left of the header of the next one.
func (s *splitter) salvage(b *batch, at *span) {
	if at.cut || at.broken != "" && at.broken != halfWritten && at.broken != endless {
		return
	}
	n := s.bounds.wholeStatement(s.buf[at.body:at.end])
	if n == 0 {
		return
	}
	rest := at.body + n
	line := at.line + int64(bytes.Count(s.buf[at.begin:rest], newline))
	b.skips = append(b.skips, Skip{Line: line, Offset: s.offset + int64(rest), Bytes: int64(at.end - rest), Reason: string(noEntry)})
	at.end, at.broken = rest, ""
}

// openReason says what is wrong with the end of an entry.
func openReason(end state) reason {
	switch end {
	case openEnd:
		return halfWritten
	case torn:
		return endless
	default:
		return ""
	}
}

// inherit keeps what an entry hands on to the next.
func (s *splitter) inherit(entry []byte, body int) {
	s.fresh = false
	if value, ok := bytes.CutPrefix(entry[:body], []byte(timeLine)); ok && len(value) > 7 && value[6] == ' ' {
		value, _ = cutLine(value)
		value, _, _ = bytes.Cut(value, []byte(" #"))
		if micros, _, ok := parseTime(bytes.TrimRight(value, " \t")); ok {
			s.micros = micros
		}
	}
	if name, _, ok := use(entry[body:]); ok {
		s.database = appendName(s.database[:0], name)
	}
}

// lose begins to skip what is no entry.
func (s *splitter) lose(b *batch, pos int, how ending) int {
	data := s.buf[pos:]
	if len(data) < sniffed && how != ended {
		return 0
	}
	s.lost = &Skip{Offset: s.offset + int64(pos), Line: s.line, Reason: string(sniff(data))}
	s.behind = false
	return s.search(b, pos, how)
}

// search skips to the next entry, or as far as there can be none.
func (s *splitter) search(b *batch, pos int, how ending) int {
	data := s.buf[pos:]
	end, found := s.bounds.next(data, how)
	if found {
		s.found(b, pos+end)
	}
	return s.pass(pos, end)
}

// pass counts the lines of n bytes at pos, which it returns.
func (s *splitter) pass(pos, n int) int {
	s.line += int64(bytes.Count(s.buf[pos:pos+n], newline))
	return n
}

// found ends skipping at pos.
func (s *splitter) found(b *batch, pos int) {
	if !s.behind {
		s.lost.Bytes = s.offset + int64(pos) - s.lost.Offset
		b.skips = append(b.skips, *s.lost)
	}
	s.lost = nil
}

func newSplitter(src io.Reader, o Options) splitter {
	return splitter{src: src, how: ended, size: batchSize, line: 1, bounds: bounds{sql: o.SQL, statement: o.statement(), knownAt: -1}}
}

// skip notes an entry that is not whole.
func (b *batch) skip(s span, why reason) {
	b.skips = append(b.skips, Skip{Line: s.line, Offset: b.offset + int64(s.begin), Bytes: int64(s.end - s.begin), Reason: string(why)})
}
