package slowlog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
)

// Follower reads what a server writes into its log, from one Read to the next: each entry once, however
// the log is rotated and whoever is restarted meanwhile.
//
// A log that is renamed is read to its end before the new one, which begins when the server has written
// into it: until then it may still write into the old one. Of a log that is copied and truncated, the
// copy is found by its content, and read on. The one place that it keeps is its Bookmark.
//
// If a log was rotated several times since, each file is read: the rest of the one that was being read,
// then all that were written after it, the oldest first. These are the files beside the log that have
// its name with a number, a time or "old" behind it. Which of them come after it, and in which order,
// is told by when they were last written: a file that is touched later counts as new, and one that was
// written while the clock was set back is not found. At most the 200 last ones are looked at. What is
// compressed by then or may not be opened is not read, and Progress names it; what is deleted or moved
// to another folder by then leaves no trace to name.
//
// It is not safe for concurrent use. The zero value follows nothing.
type Follower struct {
	bookmark Bookmark
	// file is the one that is read, kept open so that its end can be read when its name is gone. It is nil
	// before the first Read.
	file   *os.File
	moved  *Bookmark // where the server writes from now on, if not to bookmark.Path
	source source
	done   Progress
}

// Budget bounds a Read.
type Budget struct {
	// Bytes is how much is read at most. The rest waits for the next Read.
	Bytes int64
	// Backlog is how much may wait. Where more does, the oldest of it is skipped.
	Backlog int64
}

// Progress is what a Read did.
type Progress struct {
	// Bytes and Entries are what was read; Damaged is how many parts of it were no whole entry.
	Bytes, Entries, Damaged uint64
	// Skipped is how many bytes were left out because too many waited.
	Skipped uint64
	// Lost is what followed the last entry and cannot be read: of a log that was truncated without a copy,
	// or rotated and compressed while nobody held it open.
	Lost []Loss
	// Unread is how many bytes wait for the next Read, and Last the time of the last entry that was read;
	// zero if there was none.
	Unread int64
	Last   time.Time
}

// NewFollower goes on at a bookmark.
func NewFollower(at Bookmark) *Follower { return &Follower{bookmark: at} }

// Bookmark is where to go on. It is of after the last Read.
func (f *Follower) Bookmark() Bookmark { return f.bookmark }

// Close closes the file. A Read opens it again.
func (f *Follower) Close() error {
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}

// Watch says which file the server writes. One that was not followed before begins at its end, because
// what is in it is history, and at its beginning if it does not exist yet. The rest of the one before is
// read first.
func (f *Follower) Watch(path string) error {
	switch f.bookmark.Path {
	case path:
		f.moved = nil
		return nil
	case "":
		next, err := bookmarkAt(path)
		if err == nil {
			f.bookmark = next
		}
		return err
	}
	if f.moved != nil && f.moved.Path == path {
		return nil
	}
	next, err := bookmarkAt(path)
	if err == nil {
		f.moved = &next
	}
	return err
}

// Mark notes what has been written so far: Read tells of each entry whether it had been written by then.
func (f *Follower) Mark() {
	info, err := os.Stat(f.bookmark.Path)
	if err != nil && f.file != nil {
		info, err = f.file.Stat() // It is between two names.
	}
	if err == nil {
		f.bookmark.Seen = Seen{File: fileOf(info), Size: info.Size()}
	}
}

// CaughtUp reports whether everything has been read that was written before the last Mark.
func (f *Follower) CaughtUp() bool {
	b := &f.bookmark
	return b.Seen.Passed || b.Seen.File == b.File && b.Resume.Offset >= b.Seen.Size
}

// Read gives add what was written since the last Read: each entry, which is valid during the call, and
// whether it had been written before the last Mark. An entry that may still be growing waits. Read stops
// early, without an error, where the budget or ctx ends.
func (f *Follower) Read(ctx context.Context, o Options, budget Budget, add func(e *Entry, marked bool)) (Progress, error) {
	f.done = Progress{}
	if f.bookmark.Path == "" {
		return f.done, nil
	}
	f.source = source{left: budget.Bytes, stop: ctx.Done()}
	for {
		if ready, err := f.open(); err != nil || !ready {
			return f.done, err
		}
		final := f.replaced()
		if err := f.drain(o, final, budget, add); err != nil || !final || f.done.Unread > 0 {
			return f.done, err
		}
		if left, err := f.leave(); err != nil || !left {
			return f.done, err
		}
	}
}

// open makes sure that the file which is read is the one of the bookmark, or else the one behind it.
func (f *Follower) open() (ready bool, err error) {
	b := &f.bookmark
	if b.overtaken() {
		return f.forward(FileID{}, false)
	}
	if f.file != nil && b.isIn(f.file) {
		return true, nil
	}
	if err := f.Close(); err != nil {
		return false, err
	}
	known := b.File != (FileID{})
	if known {
		file, renaming := b.find()
		if file != nil {
			return true, f.take(file)
		}
		if renaming {
			return false, nil
		}
	}
	if found, err := f.forward(FileID{}, known); err != nil || found {
		return found, err
	}
	file, err := openLog(b.Path)
	if err != nil {
		return false, fmt.Errorf("open slow log: %w", err)
	}
	return false, file.Close() // It is being renamed.
}

// take reads file from now on. Where it is a copy of the one before, what is known of that holds of it too.
func (f *Follower) take(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	b := &f.bookmark
	if b.Seen.File == b.File {
		b.Seen.File = fileOf(info)
	}
	f.file, b.File = file, fileOf(info)
	return nil
}

// replaced reports whether the server writes into another file already, so that this one does not grow
// any more. It is asked before the file is read.
func (f *Follower) replaced() bool {
	if f.moved != nil {
		return true
	}
	info, err := os.Stat(f.bookmark.Path)
	return err == nil && fileOf(info) != f.bookmark.File && info.Size() > 0
}

// leave goes on with the next file, when this one is read. It reports whether there is one.
func (f *Follower) leave() (bool, error) {
	if found, err := f.forward(f.bookmark.File, false); err != nil || found || f.moved == nil {
		return found, err
	}
	f.bookmark, f.moved = *f.moved, nil
	return true, f.Close()
}

// drain reads the file as far as it is written and the budget reaches.
func (f *Follower) drain(o Options, final bool, budget Budget, add func(e *Entry, marked bool)) error {
	info, err := f.file.Stat()
	if err != nil {
		return err
	}
	b := &f.bookmark
	b.wrote(info.ModTime())
	var behind int64
	if final {
		behind = b.behind()
	}
	if waiting := info.Size() - b.Resume.Offset; waiting+behind > budget.Backlog {
		kept := max(min(f.source.left, budget.Backlog)-behind, 0)
		if err := f.skip(info.Size() - min(kept, waiting)); err != nil {
			return fmt.Errorf("skip in slow log: %w", err)
		}
	}
	if err := f.source.begin(f.file, b, info.Size()); err != nil {
		return fmt.Errorf("read slow log: %w", err)
	}
	r := Follow(&f.source, b.Resume, o)
	switch {
	case final:
		r.End()
	case time.Since(info.ModTime()) > settledAfter:
		r.Settle()
	}
	err = f.entries(r, add)
	if f.done.Unread > 0 {
		f.done.Unread += behind
	}
	return err
}

// skip leaves out what stands before an offset.
func (f *Follower) skip(to int64) error {
	b := &f.bookmark
	if to <= b.Resume.Offset {
		return nil
	}
	f.done.Skipped += uint64(to - b.Resume.Offset)
	return b.jump(f.file, to)
}

// behind is how many bytes wait in the logs behind the file.
func (b *Bookmark) behind() (bytes int64) {
	logs, _ := b.later(b.File)
	for _, s := range logs {
		if s.plain() == s.name {
			bytes += s.size
		}
	}
	return bytes
}

// settledAfter is how long a log has not been written when its last entry counts as whole: a server
// writes an entry within moments.
const settledAfter = time.Second

// entries hands on what r has.
func (f *Follower) entries(r *Reader, add func(e *Entry, marked bool)) error {
	for {
		e, err := r.Next()
		if err == nil {
			f.done.Entries++
			if e.Micros != 0 {
				f.done.Last = e.Time()
			}
			add(e, f.marked(e))
			continue
		}
		f.done.Damaged += uint64(len(r.Skips()))
		if errors.Is(err, errSlice) && f.source.more() {
			continue
		}
		if errors.Is(err, io.EOF) || errors.Is(err, errSlice) {
			err = nil
		}
		return errors.Join(err, f.rest(r))
	}
}

// rest notes how far r came, whatever ended it.
func (f *Follower) rest(r *Reader) error {
	at, err := r.Resume()
	if err != nil {
		return err
	}
	s, b := &f.source, &f.bookmark
	f.done.Bytes += s.read
	f.done.Unread = s.end - s.pos
	b.Resume = at
	if s.read > 0 {
		b.place(s.pos, s.last)
	}
	return nil
}

// marked reports whether an entry had been written before the last Mark.
func (f *Follower) marked(e *Entry) bool {
	s := &f.bookmark.Seen
	return !s.Passed && (f.bookmark.File != s.File || e.Offset < s.Size)
}

// openLog opens a log, and nothing that only looks like one: to open a pipe would wait for its writer.
func openLog(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a plain file", path)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}
