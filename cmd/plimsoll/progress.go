package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// progress shows how far a check is, on a terminal only.
type progress struct {
	w     io.Writer
	total time.Duration
	began time.Time
}

func newProgress(w io.Writer, total time.Duration) *progress {
	if !terminal(w) {
		w = io.Discard
	}
	return &progress{w: w, total: total}
}

// tick draws the bar. The clock starts with the first one.
func (p *progress) tick() {
	if p.began.IsZero() {
		p.began = time.Now()
	}
	const width = 30
	done := min(time.Since(p.began), p.total)
	filled := int(width * done / p.total)
	fmt.Fprintf(p.w, "\rwatching  %s%s  %s of %s ", strings.Repeat("#", filled), strings.Repeat(".", width-filled),
		done.Round(time.Second), p.total)
}

// end removes the bar.
func (p *progress) end() { fmt.Fprint(p.w, "\r\x1b[K") }
