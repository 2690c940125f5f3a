package slowlog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Loss is something of a log that was not read and never will be.
type Loss struct {
	// File is the log, or the name that rotation gave it.
	File string
	// Err is ErrGone, ErrCompressed, ErrTooMany, or why the file cannot be opened.
	Err error
}

// Why something of a log is lost.
var (
	ErrGone       = errors.New("it was emptied or taken away, and no copy of it was found")
	ErrCompressed = errors.New("it was compressed before it was read")
	ErrTooMany    = errors.New("too many logs were rotated since it was read")
)

// mostSiblings bounds the files beside a log that are looked at.
const mostSiblings = 200

// sibling is a file beside a log, or the log itself.
type sibling struct {
	name    string
	id      FileID
	size    int64
	written time.Time
}

// siblings are the files beside a log that rotation may have made of it, such as slow.log.1 and
// slow.log-20261120: those whose names begin as its own does. The last written is the first.
func siblings(path string) (found []sibling, err error) {
	dir, name := filepath.Split(path)
	entries, err := os.ReadDir(filepath.Clean(dir))
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if rest, ok := strings.CutPrefix(e.Name(), name); !ok || rest == "" || !e.Type().IsRegular() {
			continue
		}
		if info, err := e.Info(); err == nil {
			found = append(found, siblingOf(filepath.Join(dir, e.Name()), info))
		}
	}
	slices.SortStableFunc(found, func(a, b sibling) int { return b.written.Compare(a.written) })
	return found, nil
}

func siblingOf(name string, info os.FileInfo) sibling {
	return sibling{name, fileOf(info), info.Size(), info.ModTime()}
}

// errRenamed says that a name stands for another file by now.
var errRenamed = errors.New("it was renamed a moment ago")

// settledSiblings are the siblings, or errRenamed while they are being renamed: who lists a folder
// meanwhile can miss one that has the old name no more, or the new one not yet.
func settledSiblings(path string) ([]sibling, error) {
	same := func(a, b sibling) bool { return a.name == b.name && a.id == b.id }
	last, err := siblings(path)
	for range 3 {
		if err != nil {
			return nil, err
		}
		var found []sibling
		found, err = siblings(path)
		if slices.EqualFunc(last, found, same) {
			return found, err
		}
		last = found
	}
	return nil, errRenamed
}

// later are the logs that were written after the one of the bookmark, the oldest first and the one that
// is written now at the end; without the file that was left. If the folder cannot be listed, that is the
// error, and only the last one is known. While files are being renamed, errRenamed is.
func (b *Bookmark) later(left FileID) ([]sibling, error) {
	log, missing := os.Stat(b.Path) // before its siblings: it can become one of them meanwhile
	all, err := settledSiblings(b.Path)
	if errors.Is(err, errRenamed) {
		return nil, err
	}
	var logs []sibling
	for _, s := range all {
		if s.size > 0 && s.id != left && b.before(s) && s.isRotated(b.Path, all) {
			logs = append(logs, s)
		}
	}
	slices.Reverse(logs)
	if missing == nil && fileOf(log) != left && !slices.ContainsFunc(logs, func(s sibling) bool { return s.id == fileOf(log) }) {
		logs = append(logs, siblingOf(b.Path, log))
	}
	return logs, err
}

// before reports whether a file comes behind the one of the bookmark. The clock of files has ticks of some
// milliseconds, so that several can be of one moment.
func (b *Bookmark) before(s sibling) bool {
	switch {
	case b.Written.IsZero():
		return false // It was kept by an older agent.
	case b.Written.Equal(s.written):
		return s.id != b.File && !slices.Contains(b.Left, s.id) && len(b.Left) < mostSiblings
	default:
		return b.Written.Before(s.written)
	}
}

// wrote notes when the file was written last.
func (b *Bookmark) wrote(at time.Time) {
	if b.Written.Before(at) {
		b.Written, b.Left = at, nil
	}
}

// writtenAt are the files beside a log that were written last at a moment.
func writtenAt(path string, moment time.Time) (files []FileID) {
	all, _ := siblings(path)
	for _, s := range all[:min(len(all), mostSiblings)] {
		if s.written.Equal(moment) {
			files = append(files, s.id)
		}
	}
	return files
}

// isRotated reports whether a file is a whole log with the name that rotation gave it: a number or a
// time behind its own, or "old". Other names belong to other logs, or to copies that somebody made. A
// compressed one is none as long as the file is there of which it is made.
func (s sibling) isRotated(path string, all []sibling) bool {
	plain := s.plain()
	if plain != s.name && slices.ContainsFunc(all, func(o sibling) bool { return o.name == plain }) {
		return false
	}
	rest := strings.TrimPrefix(plain, path)
	return rest == ".old" || rest != "" && strings.ContainsAny(rest[:1], ".-_") &&
		strings.ContainsAny(rest, "0123456789") && strings.Trim(rest, ".-_:T0123456789") == ""
}

// plain is the name without the ending that a compression gives.
func (s sibling) plain() string {
	for _, suffix := range []string{".gz", ".zst", ".xz", ".bz2", ".lz4", ".lzma", ".Z"} {
		if plain, ok := strings.CutSuffix(s.name, suffix); ok {
			return plain
		}
	}
	return s.name
}

// open opens the file that the name stood for.
func (s sibling) open() (*os.File, error) {
	if s.plain() != s.name {
		return nil, ErrCompressed
	}
	file, err := openLog(s.name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errRenamed
	}
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && fileOf(info) != s.id {
		err = errRenamed
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// isCopy reports whether a file holds nothing but the beginning of the log at path.
func isCopy(file *os.File, path string) bool {
	log, err := openLog(path)
	if err != nil {
		return false
	}
	defer func() { _ = log.Close() }() // nothing was written
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return false
	}
	before, err := bytesBefore(file, info.Size())
	var end Bookmark
	end.place(info.Size(), before)
	return err == nil && end.isIn(log)
}

// copying is how long after its last write a copy of the log may still be in the making, with the log
// about to be truncated.
const copying = 10 * time.Second

// overtaken reports whether the log was copied and truncated when next to nothing of it had been read,
// which shows in nothing but a copy.
func (b *Bookmark) overtaken() bool {
	if b.At > 0 && !b.Vague || b.File == (FileID{}) {
		return false
	}
	logs, err := b.later(FileID{})
	return err == nil && len(logs) > 1 && logs[len(logs)-1].id == b.File
}

// forward goes on with the oldest log that was written since, other than left; lost says that what it
// leaves was not found. It reports false if there is none, or if it cannot be told now: the next Read
// looks again.
func (f *Follower) forward(left FileID, lost bool) (bool, error) {
	b := &f.bookmark
	logs, err := b.later(left)
	if errors.Is(err, errRenamed) {
		return false, nil
	}
	var losses []Loss
	if err != nil && b.File != (FileID{}) {
		losses = append(losses, Loss{filepath.Dir(b.Path), err})
	}
	if over := len(logs) - mostSiblings; over > 0 {
		losses = append(losses, Loss{b.Path, ErrTooMany})
		logs = logs[over:]
	}
	for i, next := range logs {
		file, err := next.open()
		switch {
		case errors.Is(err, errRenamed):
			return false, nil
		case err != nil && next.name == b.Path:
			return false, fmt.Errorf("open slow log: %w", err)
		case err != nil:
			losses = append(losses, Loss{next.name, err})
			continue
		case next.name != b.Path && isCopy(file, b.Path):
			if err := file.Close(); err != nil || time.Since(next.written).Abs() < copying {
				return false, err
			}
			continue
		}
		f.lose(lost, losses, logs[i:])
		return true, f.follow(file, next.id)
	}
	return false, nil
}

// lose notes what is not read on the way to the first of logs.
func (f *Follower) lose(lost bool, losses []Loss, logs []sibling) {
	seen := &f.bookmark.Seen
	if lost && len(losses) == 0 {
		losses = []Loss{{f.bookmark.Path, ErrGone}}
	}
	f.done.Lost = append(f.done.Lost, losses...)
	seen.Passed = seen.Passed || lost || !slices.ContainsFunc(logs, func(s sibling) bool { return s.id == seen.File })
}

// follow reads another file from now on: from its beginning, or from where the last one ended if it
// holds that too, as the original of a copy does.
func (f *Follower) follow(file *os.File, id FileID) error {
	b := &f.bookmark
	left := append(slices.Clip(b.Left), b.File)
	next := Bookmark{Path: b.Path, File: id, Written: b.Written, Left: left[max(len(left)-mostSiblings, 0):], Seen: b.Seen}
	if b.At > 0 && b.isIn(file) {
		next.Resume, next.At, next.Before, next.Vague = b.Resume, b.At, b.Before, b.Vague
	}
	err := f.Close()
	f.file, f.bookmark = file, next
	return err
}
