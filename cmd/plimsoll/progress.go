package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// bar is a line on a terminal that shows how far something is. Elsewhere it
// shows nothing.
type bar struct{ w io.Writer }

func newBar(w io.Writer) bar {
	if !terminal(w) {
		w = io.Discard
	}
	return bar{w}
}

// draw draws the line over what it was. Where total is not known it is 0, and
// there are only the words.
func (b bar) draw(doing string, done, total int64, words string) {
	if total > 0 {
		const width = 30
		filled := int(min(width*done/total, width))
		words = strings.Repeat("#", filled) + strings.Repeat(".", width-filled) + "  " + words
	}
	fmt.Fprint(b.w, "\r"+doing+"  "+words+" \x1b[K")
}

// end removes the line.
func (b bar) end() { fmt.Fprint(b.w, "\r\x1b[K") }

// progress shows how far a check is.
type progress struct {
	bar
	total time.Duration
	began time.Time
}

func newProgress(w io.Writer, total time.Duration) *progress {
	return &progress{bar: newBar(w), total: total}
}

// tick draws the bar. The clock starts with the first one.
func (p *progress) tick() {
	if p.began.IsZero() {
		p.began = time.Now()
	}
	done := min(time.Since(p.began), p.total)
	p.draw("watching", int64(done), int64(p.total), fmt.Sprintf("%s of %s", done.Round(time.Second), p.total))
}
