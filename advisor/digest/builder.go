package digest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"plimsoll/collectors/slowlog"
)

// Builder reads logs, one after the other. Its zero value is not usable: see NewBuilder.
type Builder struct {
	log     slowlog.Options
	options Options
	sum     *slowlog.Aggregate
	files   []File
	told    told
}

// sampleBytes is how much of a sample is kept: it shows what a statement is like, and ten thousand of
// them are no more than twenty megabytes.
const sampleBytes = 2048

// NewBuilder returns a Builder that reads logs in this way, whose Samples and Plans it sets itself, and
// makes such a digest of them.
func NewBuilder(log slowlog.Options, o Options) *Builder {
	o.Sort, o.Samples = cmp.Or(o.Sort, ByTime), cmp.Or(o.Samples, None)
	log.Plans = o.Plans
	if o.Samples != None {
		log.Samples = slowlog.Samples{Bytes: sampleBytes, Literals: o.Samples == Full}
	}
	return &Builder{log: log, options: o, sum: slowlog.NewAggregate(log), told: told{fullScans: true, tmpDisk: true}}
}

// ErrEmpty says that a source has no byte.
var ErrEmpty = errors.New("it is empty")

// Add reads a log. On an error, what was read before it is kept, if there was anything.
func (b *Builder) Add(ctx context.Context, name string, src io.Reader) error {
	in := &counter{Reader: src}
	a, err := slowlog.Digest(ctx, name, in, b.log)
	switch {
	case err == nil && in.bytes == 0:
		err = fmt.Errorf("%s: %w", name, ErrEmpty)
	case err != nil && a.Entries > 0:
		err = fmt.Errorf("%w; what stands before it was read", err)
	}
	b.files = append(b.files, File{Name: name, Bytes: in.bytes, Entries: a.Entries, Skipped: a.Skipped, Error: reason(name, err)})
	if a.Entries > 0 { // else the error says all
		b.told.and(a)
		b.sum.Merge(a)
	}
	return err
}

// Fail takes note of a source that could not be opened.
func (b *Builder) Fail(name string, err error) {
	b.files = append(b.files, File{Name: name, Error: reason(name, err)})
}

// reason is an error without the name of its source, which stands beside it.
func reason(name string, err error) string {
	if err == nil {
		return ""
	}
	text := strings.TrimPrefix(err.Error(), "open ")
	return strings.TrimLeft(strings.TrimPrefix(text, name), ":, ")
}

// Read reports whether any source was read: each of the others has no entry at all, and an error.
func (b *Builder) Read() bool {
	for _, f := range b.files {
		if f.Entries > 0 || f.Error == "" {
			return true
		}
	}
	return false
}

// counter counts the bytes of a source.
type counter struct {
	io.Reader
	bytes uint64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.bytes += uint64(n)
	return n, err
}

// told says which figures all logs tell. MariaDB writes of what a plan is made (full scans, temporary
// tables …) only where one of it is so: in a log that tells it of some calls, it is not so of the others.
type told struct{ fullScans, tmpDisk bool }

func (t *told) and(a *slowlog.Aggregate) {
	t.fullScans = t.fullScans && a.Told(slowlog.FullScan)
	t.tmpDisk = t.tmpDisk && a.Told(slowlog.TmpDiskTables)
}
