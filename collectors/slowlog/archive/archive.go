// Package archive opens slow logs as people keep them: plain files, rotated ones that were compressed
// with gzip or zstd, and standard input. What a source is compressed with shows in its first bytes, not
// in its name.
//
// It is apart from package slowlog because the agent, which reads growing logs only, shall not link a
// decompressor.
package archive

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// File is an open source. Read gives what it holds, decompressed.
type File struct {
	// Name is as it was given to Open.
	Name string
	// Size is how many bytes the source has, compressed as it is; 0 if that is not known, as of a pipe.
	Size int64

	file   *os.File
	read   atomic.Int64
	text   io.Reader
	finish func()
}

// Stdin is the name of standard input.
const Stdin = "-"

// peeked is how many bytes tell the compression.
const peeked = 4

// Open opens a source by its path, or standard input. It fails for a directory, and for a file that is
// compressed in one of both formats and broken at its beginning.
func Open(name string) (*File, error) {
	f := &File{Name: name, finish: func() {}}
	if err := f.open(); err != nil {
		return nil, err
	}
	if err := f.decompress(); err != nil {
		if !isReading(err) { // that names the file
			err = fmt.Errorf("%s: %w", name, err)
		}
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (f *File) open() error {
	if f.Name == Stdin {
		f.file = os.Stdin
		return nil
	}
	file, err := os.Open(f.Name)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a directory: name the logs in it", f.Name)
	}
	if err != nil {
		return errors.Join(err, file.Close())
	}
	f.file = file
	if info.Mode().IsRegular() {
		f.Size = info.Size()
	}
	return nil
}

// maxWindow bounds the memory that a zstd file can ask for. It is what zstd itself reads without being
// told to take more.
const maxWindow = 128 << 20

// decompress sets what to read from.
func (f *File) decompress() error {
	in := bufio.NewReaderSize(counter{f}, 64<<10)
	begin, err := in.Peek(peeked)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	switch {
	case len(begin) >= 2 && string(begin[:2]) == "\x1f\x8b":
		if f.text, err = gzip.NewReader(in); errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return broken(err)
	case string(begin) == "\x28\xb5\x2f\xfd":
		z, err := zstd.NewReader(in, zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return broken(err)
		}
		f.text, f.finish = z, z.Close
		return nil
	default:
		f.text = in
		return nil
	}
}

// counter counts what is read of a file.
type counter struct{ *File }

func (c counter) Read(b []byte) (int, error) {
	n, err := c.file.Read(b)
	c.read.Add(int64(n))
	return n, err
}

// Read reads what the source holds. A compressed one that was cut off gives io.ErrUnexpectedEOF behind
// its last good part.
func (f *File) Read(b []byte) (int, error) {
	n, err := f.text.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = broken(err)
	}
	return n, err
}

// broken says what is wrong with a compressed file, unless it is that it cannot be read.
func broken(err error) error {
	switch {
	case err == nil || isReading(err):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the compressed file was cut off: %w", err)
	default:
		return fmt.Errorf("the compressed file is damaged: %w", err)
	}
}

// isReading reports whether a file cannot be read, whatever it holds.
func isReading(err error) bool {
	var reading *fs.PathError
	return errors.As(err, &reading)
}

// Consumed is how many bytes of Size were read so far. It may be called while another goroutine reads.
func (f *File) Consumed() int64 { return f.read.Load() }

// Close closes the source. Standard input stays open.
func (f *File) Close() error {
	f.finish()
	if f.Name == Stdin {
		return nil
	}
	return f.file.Close()
}
