package slowlog

import (
	"errors"
	"io"
)

// Resume is where reading of a log can go on, and what is inherited there. It is valid between two
// entries.
type Resume struct {
	Offset   int64  `json:"offset"` // in bytes
	Line     int64  `json:"line"`   // from 1
	Database string `json:"database,omitempty"`
	Micros   int64  `json:"micros,omitempty"` // of the last # Time without a zone
	// Banner says that the next entry stands behind a banner, Skipping what is being skipped, and Cut
	// that it is the rest of a statement that was too long.
	Banner   bool  `json:"banner,omitempty"`
	Skipping *Skip `json:"skipping,omitempty"`
	Cut      bool  `json:"cut,omitempty"`
}

// Reader reads entries one after the other.
type Reader struct {
	splitter splitter
	decoder  decoder
	batch    batch
	next     int // the span to decode next
	entry    Entry
	skips    []Skip
	err      error
}

// NewReader reads a whole log.
func NewReader(src io.Reader, o Options) *Reader {
	return &Reader{splitter: newSplitter(src, o), decoder: newDecoder(o)}
}

// Follow reads a log that grows, from a place where src stands already. Where src ends, Next returns
// io.EOF and can be called again later; an entry of which more may come is not returned before.
func Follow(src io.Reader, from Resume, o Options) *Reader {
	r := NewReader(src, o)
	s := &r.splitter
	s.how, s.offset, s.line = unended, from.Offset, max(from.Line, 1)
	s.database, s.micros = []byte(from.Database), from.Micros
	s.fresh, s.lost, s.behind = from.Banner, from.Skipping, from.Cut
	return r
}

// Next returns the next entry, which is valid until the next call, or io.EOF.
func (r *Reader) Next() (*Entry, error) {
	for {
		for r.next < len(r.batch.spans) {
			s := r.batch.spans[r.next]
			r.next++
			why := r.decoder.decode(&r.batch, s, &r.entry)
			if why == "" {
				return &r.entry, nil
			}
			r.batch.skip(s, why)
		}
		r.skips = append(r.skips, r.batch.skips...)
		r.batch.skips = r.batch.skips[:0]
		if r.err != nil {
			err := r.err
			r.err = nil
			return nil, err
		}
		r.err = r.splitter.next(&r.batch)
		r.next = 0
		r.decoder.begin(&r.batch)
	}
}

// Skips returns what was skipped since the last call, in the order in which it was found.
func (r *Reader) Skips() []Skip {
	skips := r.skips
	r.skips = nil
	return skips
}

// Settle says that a log which is followed has not grown for a while: an entry at its end that looks
// whole is whole, though a statement can hold what looks like its end.
func (r *Reader) Settle() { r.splitter.how = max(r.splitter.how, settled) }

// Grown takes Settle back.
func (r *Reader) Grown() {
	if r.splitter.how == settled {
		r.splitter.how = unended
	}
}

// End says that a log which is followed will not grow any more: it was rotated away. What is left is
// returned or skipped by the next calls of Next.
func (r *Reader) End() { r.splitter.how = ended }

// Resume returns where to go on if the reader is lost. It is valid where Next has returned an error,
// io.EOF included: before, entries that were read are still to be returned.
func (r *Reader) Resume() (Resume, error) {
	if r.next < len(r.batch.spans) {
		return Resume{}, errors.New("there are entries left: call Next until it returns an error")
	}
	s := &r.splitter
	at := Resume{Offset: s.offset, Line: s.line, Database: string(s.database), Micros: s.micros, Banner: s.fresh, Cut: s.behind}
	if s.lost != nil {
		skip := *s.lost
		at.Skipping = &skip
	}
	return at, nil
}
