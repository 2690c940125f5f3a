package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"

	"plimsoll/advisor/digest"
	"plimsoll/advisor/layout"
	"plimsoll/collectors/slowlog"
	"plimsoll/collectors/slowlog/archive"
)

// digestReader reads slow logs, and says on standard error what it cannot read.
type digestReader struct {
	log  slowlog.Options
	how  digest.Options
	warn io.Writer
	// incomplete says that a part of a source could not be read.
	incomplete bool
}

// read reads sources into one digest. It is an error if none can be read.
func (r *digestReader) read(ctx context.Context, names []string) (*digest.Digest, error) {
	b := digest.NewBuilder(r.log, r.how)
	p := newByteProgress(r.warn, names)
	for _, name := range names {
		err := add(ctx, b, name, p)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("stopped while %s was read: %w", layout.Clean(name), context.Cause(ctx))
		}
		if err != nil {
			r.complain(err.Error())
		}
	}
	d := b.Digest()
	r.complainOfSkips(d)
	if !b.Read() {
		return nil, errors.New("nothing could be read")
	}
	return d, nil
}

// add reads one source.
func add(ctx context.Context, b *digest.Builder, name string, p *byteProgress) error {
	f, err := archive.Open(name)
	if errors.Is(err, fs.ErrPermission) {
		err = fmt.Errorf("%w; to read it%s: sudo cat FILE | plimsoll digest -", err, joinGroup(name))
	}
	if err != nil {
		b.Fail(name, err)
		return err
	}
	defer func() { _ = f.Close() }() // nothing was written
	defer p.end()
	return b.Add(ctx, name, p.watch(f))
}

// joinGroup names the group whose members may read a file; empty if there is none, or root's.
func joinGroup(name string) string {
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm()&0o040 == 0 {
		return ""
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || stat.Gid == 0 {
		return ""
	}
	group, err := user.LookupGroupId(strconv.FormatUint(uint64(stat.Gid), 10))
	if err != nil {
		return ""
	}
	return " join group " + group.Name + ", or"
}

// readBefore reads what others are compared with: slow logs, or one digest that was kept as JSON.
func (r *digestReader) readBefore(ctx context.Context, names []string) (*digest.Digest, error) {
	if len(names) > 1 || names[0] == archive.Stdin {
		return r.read(ctx, names)
	}
	kept, err := readKept(names[0])
	if kept == nil && err == nil {
		return r.read(ctx, names)
	}
	return kept, err
}

// readKept reads a digest as JSON; nil if the file is none.
func readKept(name string) (*digest.Digest, error) {
	if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
		return nil, nil //nolint:nilerr // who reads it as a slow log says so; and a pipe can be read once only
	}
	f, err := archive.Open(name)
	if err != nil {
		return nil, nil //nolint:nilerr // as above
	}
	defer func() { _ = f.Close() }() // nothing was written
	in := bufio.NewReader(f)
	if first, err := in.Peek(1); err != nil || first[0] != '{' {
		return nil, nil //nolint:nilerr // as above
	}
	d, err := digest.Read(in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return d, nil
}

// mostComplaints is how many parts that were skipped are named: a log of another kind has a million.
const mostComplaints = 10

func (r *digestReader) complainOfSkips(d *digest.Digest) {
	named := d.Skipped[:min(mostComplaints, len(d.Skipped))]
	for _, s := range named {
		r.complain(fmt.Sprintf("%s, line %d: skipped %d bytes: %s", s.File, s.Line, s.Bytes, s.Reason))
	}
	if rest := d.SkippedTotal - uint64(len(named)); rest > 0 {
		r.complain(fmt.Sprintf("skipped %d more parts; --format json names them", rest))
	}
}

func (r *digestReader) complain(what string) {
	r.incomplete = true
	what = strings.TrimPrefix(what, "open ")
	if rest, ok := strings.CutPrefix(what, archive.Stdin); ok && (strings.HasPrefix(rest, ":") || strings.HasPrefix(rest, ",")) {
		what = "standard input" + rest
	}
	fmt.Fprintln(r.warn, "plimsoll: "+layout.Clean(what))
}
