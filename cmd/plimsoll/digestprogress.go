package main

import (
	"io"
	"os"
	"time"

	"plimsoll/collectors/slowlog/archive"
	"plimsoll/rules"
)

// byteProgress shows how much of several sources was read.
type byteProgress struct {
	bar
	total int64 // bytes of all sources; 0 if one is not known
	done  int64 // bytes of the sources before
	began time.Time
	drawn time.Time
}

func newByteProgress(w io.Writer, names []string) *byteProgress {
	return &byteProgress{bar: newBar(w), total: sizes(names), began: time.Now()}
}

// sizes adds up the sizes of files; 0 if one of them is a pipe. What cannot be read counts nothing.
func sizes(names []string) int64 {
	var sum int64
	for _, name := range names {
		info, err := os.Stat(name)
		switch {
		case name == archive.Stdin, err == nil && !info.Mode().IsRegular() && !info.IsDir():
			return 0
		case err == nil && info.Mode().IsRegular():
			sum += info.Size()
		}
	}
	return sum
}

// watch returns a reader of f that shows how far it is.
func (p *byteProgress) watch(f *archive.File) io.Reader { return &watched{f, p} }

type watched struct {
	*archive.File
	progress *byteProgress
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.File.Read(b)
	if now := time.Now(); now.Sub(w.progress.drawn) >= redraw {
		w.progress.drawn = now
		w.progress.show(now, w.progress.done+w.Consumed())
	}
	if err != nil {
		w.progress.done += w.Consumed()
	}
	return n, err
}

// redraw is how often the bar is drawn: often enough to look alive.
const redraw = 200 * time.Millisecond

func (p *byteProgress) show(now time.Time, done int64) {
	text := rules.Words(float64(done), rules.Bytes)
	if p.total > 0 {
		text += " of " + rules.Words(float64(p.total), rules.Bytes)
	}
	if left, ok := remaining(now.Sub(p.began), done, p.total); ok {
		text += ", " + left.String() + " left"
	}
	p.draw("reading", done, p.total, text)
}

// remaining says how long the rest takes if it goes on as so far. It does not guess in the first second.
func remaining(took time.Duration, done, total int64) (time.Duration, bool) {
	if took < time.Second || done <= 0 || done > total {
		return 0, false
	}
	left := time.Duration(float64(took) * float64(total-done) / float64(done))
	return left.Round(time.Second), true
}
