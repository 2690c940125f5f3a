package slowlog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
)

// ErrNotSlowLog says that a source has no entry at all. It is wrapped with what the source is instead.
var ErrNotSlowLog = errors.New("not a slow query log")

// Digest reads a whole log from src, on several processors, and returns what it holds; name is how
// people know the source. If reading fails or ctx ends, it returns the error and what was read before.
// Where reading failed, the log is taken to end there: half an entry before that is skipped and named.
// A source that has bytes and no entry is an ErrNotSlowLog.
//
// It uses as much memory as its classes need, and some two megabytes for each worker.
func Digest(ctx context.Context, name string, src io.Reader, o Options) (*Aggregate, error) {
	return newPipeline(name, o).digest(ctx, src)
}

// digest runs the splitter and the workers until all is read.
func (p *pipeline) digest(ctx context.Context, src io.Reader) (*Aggregate, error) {
	aggregates := make([]*Aggregate, p.workers)
	var working sync.WaitGroup
	for i := range aggregates {
		aggregates[i] = NewAggregate(p.options)
		working.Go(func() { p.work(aggregates[i]) })
	}
	err := p.split(ctx, src)
	working.Wait()
	sum := aggregates[0]
	for _, a := range aggregates[1:] {
		sum.Merge(a)
	}
	if err == nil && sum.Entries == 0 && sum.Skipped > 0 {
		err = fmt.Errorf("%s, line %d: %w: %s", p.name, sum.Skips[0].Line, ErrNotSlowLog, sum.Skips[0].Reason)
	}
	return sum, err
}

// pipeline is one splitter and the workers behind it. Batches go round.
type pipeline struct {
	name    string
	options Options
	workers int
	size    int // of a batch
	full    chan *batch
	free    chan *batch
}

func newPipeline(name string, o Options) *pipeline {
	p := &pipeline{name: name, options: o, workers: o.Workers, size: batchSize}
	if p.workers <= 0 {
		p.workers = runtime.GOMAXPROCS(0)
	}
	batches := 2 * p.workers
	p.full, p.free = make(chan *batch, batches), make(chan *batch, batches)
	for range batches {
		p.free <- &batch{}
	}
	return p
}

// split gives batches to the workers until src ends.
func (p *pipeline) split(ctx context.Context, src io.Reader) error {
	defer close(p.full)
	readable := upToBreak{Reader: src}
	s := newSplitter(&readable, p.options)
	s.size = p.size
	for {
		b := <-p.free
		err := s.next(b)
		p.full <- b
		switch {
		case readable.err != nil:
			return fmt.Errorf("%s: read at byte %d: %w", p.name, s.offset, readable.err)
		case errors.Is(err, io.EOF):
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%s: stopped at byte %d: %w", p.name, s.offset, context.Cause(ctx))
		}
	}
}

// upToBreak is a source that ends where it cannot be read on, so that what stands before that is taken as
// any log is that was cut off there.
type upToBreak struct {
	io.Reader
	err error
}

func (r *upToBreak) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err, err = err, io.EOF
	}
	return n, err
}

// work adds up batches.
func (p *pipeline) work(a *Aggregate) {
	d := newDecoder(p.options)
	var e Entry
	for b := range p.full {
		at := position{file: p.name}
		d.begin(b)
		for _, s := range b.spans {
			why := d.decode(b, s, &e)
			if why != "" {
				b.skip(s, why)
				continue
			}
			at.line = s.line
			a.add(&e, &at)
		}
		a.skipBatch(p.name, b)
		p.free <- b
	}
}
