package slowlog

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// Bookmark is where a Follower is in which file. Kept over a restart, it finds the place again, in the
// same file or in what rotation made of it.
type Bookmark struct {
	// Path is the name that the server writes to; File is the file that is read, which may have another
	// name by now. It is zero before the first.
	Path string `json:"path"`
	File FileID `json:"file"`
	// Resume is where to go on. The log was read up to At, perhaps into half an entry, and Before is made of
	// the bytes in front of that: a file of other content is another one, whatever its number, and one of
	// the same content is the same log.
	Resume Resume `json:"resume"`
	At     int64  `json:"at"`
	Before string `json:"before"`
	// Vague says that these bytes are a banner, with which other logs of the server begin too: then only
	// File tells.
	Vague bool `json:"vague,omitempty"`
	// Written is when File had been written last, as it was looked at, and never earlier than before: logs
	// that were written later come behind it. Of those that were written at the same moment, Left came
	// before. Without a file, it is when that was so.
	Written time.Time `json:"written,omitzero"`
	Left    []FileID  `json:"left,omitempty"`
	Seen    Seen      `json:"seen"`
}

// FileID tells files apart while they exist.
type FileID struct {
	Device uint64 `json:"device"`
	Inode  uint64 `json:"inode"`
}

// Seen is what had been written at some moment: Size bytes of File, and all files before it.
type Seen struct {
	File FileID `json:"file"`
	Size int64  `json:"size"`
	// Passed says that a file behind it is read.
	Passed bool `json:"passed,omitempty"`
}

func fileOf(info os.FileInfo) FileID {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return FileID{}
	}
	return FileID{Device: uint64(stat.Dev), Inode: stat.Ino}
}

// bookmarkAt is the end of a file, or its beginning if it does not exist yet.
func bookmarkAt(path string) (Bookmark, error) {
	b := Bookmark{Path: path, Written: time.Now(), Seen: Seen{Passed: true}}
	file, err := openLog(path)
	if errors.Is(err, fs.ErrNotExist) {
		return b, nil
	}
	if err != nil {
		return b, fmt.Errorf("open slow log: %w", err)
	}
	info, err := file.Stat()
	if err == nil {
		b.File, b.Written, b.Left = fileOf(info), info.ModTime(), writtenAt(path, info.ModTime())
		err = b.jump(file, info.Size())
	}
	return b, errors.Join(err, file.Close())
}

// jump goes on at an offset, wherever in an entry that is.
func (b *Bookmark) jump(file *os.File, offset int64) error {
	b.Resume = behind(offset)
	before, err := bytesBefore(file, offset)
	b.place(offset, before)
	return err
}

// place notes what stands before the offset up to which the log was read.
func (b *Bookmark) place(offset int64, before []byte) {
	b.At, b.Before = offset, sumOf(before)
	b.Vague = len(before) < summed && !bytes.Contains(before, []byte(timeLine)) && !bytes.Contains(before, []byte(accountLine))
}

// behind is a place in the middle of a log: the next entry is the first one with a header at the
// beginning of a line. The line end before it is looked at too.
func behind(offset int64) Resume {
	if offset == 0 {
		return Resume{}
	}
	offset--
	return Resume{Offset: offset, Line: 1, Skipping: &Skip{Offset: offset, Line: 1}, Cut: true}
}

// isIn reports whether file holds what was read.
func (b *Bookmark) isIn(file *os.File) bool {
	info, err := file.Stat()
	if err != nil || info.Size() < b.At || b.Resume.Offset > b.At || b.Resume.Offset < 0 {
		return false
	}
	if (b.At == 0 || b.Vague) && fileOf(info) != b.File {
		return false
	}
	before, err := bytesBefore(file, b.At)
	return err == nil && sumOf(before) == b.Before
}

// find opens the file that holds what was read: the one that was read, or else the longest copy. It is nil
// if there is none, and renaming while files are being renamed, so that there may be one.
func (b *Bookmark) find() (best *os.File, renaming bool) {
	names := []string{b.Path} // before its siblings: it can become one of them meanwhile
	all, err := settledSiblings(b.Path)
	for _, s := range all[:min(len(all), mostSiblings)] {
		names = append(names, s.name)
	}
	var longest int64
	for _, name := range names {
		file, id, size := b.try(name)
		if file == nil {
			continue
		}
		if best != nil && id != b.File && size <= longest {
			_ = file.Close()
			continue
		}
		if best != nil {
			_ = best.Close()
		}
		best, longest = file, size
		if id == b.File {
			return best, false
		}
	}
	return best, errors.Is(err, errRenamed)
}

// try opens a file if it holds what was read.
func (b *Bookmark) try(name string) (file *os.File, id FileID, size int64) {
	file, err := openLog(name)
	if err != nil {
		return nil, id, 0
	}
	info, err := file.Stat()
	if err != nil || !b.isIn(file) {
		_ = file.Close()
		return nil, id, 0
	}
	return file, fileOf(info), info.Size()
}

// summed is how many bytes tell a place: a few entries, with their times.
const summed = 1024

// bytesBefore are the bytes in front of an offset that tell the place.
func bytesBefore(file *os.File, offset int64) ([]byte, error) {
	text := make([]byte, min(offset, summed))
	if _, err := file.ReadAt(text, offset-int64(len(text))); err != nil {
		return nil, err
	}
	return text, nil
}

// sumOf is a checksum of them; empty at the beginning.
func sumOf(text []byte) string {
	if len(text) == 0 {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// source reads a part of a file, a slice at a time.
type source struct {
	file     *os.File
	pos, end int64
	left     int64 // of the budget
	slice    int64 // left of the slice
	read     uint64
	last     []byte    // the bytes before pos, as bytesBefore has them
	begun    *Bookmark // where reading began
	stop     <-chan struct{}
}

// sliceSize is how much is read between two looks at the clock, and bounds the list of damaged entries.
const sliceSize = 1 << 20

// errSlice says that a slice ends, and not the file.
var errSlice = errors.New("the slice is read")

// begin prepares for reading at b up to end.
func (s *source) begin(file *os.File, b *Bookmark, end int64) (err error) {
	s.file, s.begun, s.pos, s.end, s.slice, s.read = file, b, b.Resume.Offset, end, sliceSize, 0
	s.last, err = bytesBefore(file, s.pos)
	if errors.Is(err, io.EOF) {
		s.end, err = s.pos, nil // It was truncated a moment ago, which the next look at it finds.
	}
	return err
}

// more begins another slice, if there is time and budget for it.
func (s *source) more() bool {
	select {
	case <-s.stop:
		return false
	default:
	}
	s.slice = sliceSize
	return s.left > 0
}

// continues reports whether what stands in front of pos is still what was read. If not, the log was
// truncated since, and what was just read is something else, written meanwhile.
func (s *source) continues() bool {
	before, err := bytesBefore(s.file, s.pos)
	return err == nil && bytes.Equal(before, s.last)
}

// Read implements io.Reader. It ends where the file ended when it was looked at, so that what is called
// its end is known to be one.
func (s *source) Read(to []byte) (int, error) {
	room := min(int64(len(to)), s.end-s.pos, s.left, s.slice)
	switch {
	case s.pos >= s.end:
		return 0, io.EOF
	case room <= 0:
		return 0, errSlice
	}
	n, err := s.file.ReadAt(to[:room], s.pos)
	if !s.continues() || !s.begun.isIn(s.file) {
		s.end = s.pos
		return 0, io.EOF
	}
	s.pos += int64(n)
	s.left -= int64(n)
	s.slice -= int64(n)
	s.read += uint64(n)
	if n > 0 {
		err = nil
		s.last = append(s.last, to[max(n-summed, 0):n]...)
		s.last = append(s.last[:0], s.last[max(len(s.last)-summed, 0):]...)
	}
	return n, err
}
