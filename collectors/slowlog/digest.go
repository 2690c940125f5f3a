package slowlog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"

	"plimsoll/collectors/sqltext"
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

// pipeline is one splitter, and workers that take turns at it. Who has split a batch off adds it up, while
// the next one splits: so the bytes are where they were just read, in the caches of one processor.
type pipeline struct {
	name    string
	options Options
	workers int
	size    int // of a batch

	turn     sync.Mutex // for what follows
	source   upToBreak
	splitter splitter
	err      error // why there are no more batches; io.EOF at the end
}

func newPipeline(name string, o Options) *pipeline {
	p := &pipeline{name: name, options: o, workers: o.Workers, size: batchSize}
	if p.workers <= 0 {
		p.workers = runtime.GOMAXPROCS(0)
	}
	return p
}

// digest runs the workers until all is read.
func (p *pipeline) digest(ctx context.Context, src io.Reader) (*Aggregate, error) {
	p.source.Reader = src
	p.splitter = newSplitter(&p.source, p.options)
	p.splitter.size = p.size
	aggregates := make([]*Aggregate, p.workers)
	shared := sqltext.NewShared(p.options.SQL)
	var working sync.WaitGroup
	for i := range aggregates {
		aggregates[i] = NewAggregate(p.options)
		if p.workers > 1 {
			aggregates[i].digester = shared.Digester()
		}
		working.Go(func() { p.work(ctx, aggregates[i]) })
	}
	working.Wait()
	sum := aggregates[0]
	for _, a := range aggregates[1:] {
		sum.Merge(a)
	}
	switch {
	case !errors.Is(p.err, io.EOF):
		return sum, p.err
	case sum.Entries == 0 && sum.Skipped > 0:
		return sum, fmt.Errorf("%s, line %d: %w: %s", p.name, sum.Skips[0].Line, ErrNotSlowLog, sum.Skips[0].Reason)
	default:
		return sum, nil
	}
}

// next splits the next batch off, and reports whether there was one.
func (p *pipeline) next(ctx context.Context, b *batch) bool {
	p.turn.Lock()
	defer p.turn.Unlock()
	if p.err != nil {
		return false
	}
	p.err = p.splitter.next(b)
	switch {
	case p.source.err != nil:
		p.err = fmt.Errorf("%s: read at byte %d: %w", p.name, p.splitter.offset, p.source.err)
	case p.err == nil && ctx.Err() != nil:
		p.err = fmt.Errorf("%s: stopped at byte %d: %w", p.name, p.splitter.offset, context.Cause(ctx))
	}
	return true
}

// work adds up batches.
func (p *pipeline) work(ctx context.Context, a *Aggregate) {
	d := newDecoder(p.options)
	var b batch
	var g group
	for p.next(ctx, &b) {
		a.addBatch(p.name, &b, &d, &g)
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
