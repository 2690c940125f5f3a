package slowlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// loggingServer writes entries that are numbered, as a server does: into the file that it has open,
// whatever its name is by now.
type loggingServer struct {
	t    *testing.T
	path string

	mu   sync.Mutex
	file *os.File
	next int
}

func newLoggingServer(t *testing.T) *loggingServer {
	s := &loggingServer{t: t, path: filepath.Join(t.TempDir(), "slow.log")}
	s.open()
	t.Cleanup(func() { _ = s.file.Close() })
	return s
}

// open is what FLUSH SLOW LOGS does.
func (s *loggingServer) open() {
	s.t.Helper()
	if s.file != nil {
		_ = s.file.Close()
	}
	file, err := os.OpenFile(s.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		s.t.Error(err)
		return
	}
	s.file = file
	s.text(plainBanner)
}

func (s *loggingServer) text(text string) {
	if _, err := s.file.WriteString(text); err != nil {
		s.t.Error(err)
	}
}

// log writes n entries, or all that fit until rotation wants the file.
func (s *loggingServer) log(n int) {
	for range n {
		s.mu.Lock()
		s.text(fmt.Sprintf("%sSELECT %d;\n", plainHeader, s.next))
		s.next++
		s.mu.Unlock()
	}
}

// rotation is how a tool rotates a log that is being written.
type rotation func(s *loggingServer)

// byRenaming is logrotate's way with "create" and FLUSH SLOW LOGS afterwards: between the two there is an
// empty file, and the server goes on writing into the old one.
func byRenaming(s *loggingServer) {
	s.shift()
	s.must(os.Rename(s.path, s.path+".1"))
	s.must(os.WriteFile(s.path, nil, 0o600))
	time.Sleep(time.Millisecond) // for those who write and read meanwhile
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open()
}

// byCopying is logrotate's way with "copytruncate". What is written between the two steps is lost to
// everybody, so nothing is.
func byCopying(s *loggingServer) {
	s.shift()
	s.mu.Lock()
	defer s.mu.Unlock()
	text, err := os.ReadFile(s.path)
	s.must(err)
	s.must(os.WriteFile(s.path+"-20261120", text, 0o600))
	s.must(os.Truncate(s.path, 0))
}

// shift makes room as logrotate does.
func (s *loggingServer) shift() {
	names := []string{s.path + "-20261120"}
	for i := range 9 {
		names = append(names, fmt.Sprintf("%s.%d", s.path, i+1))
	}
	for i := len(names) - 1; i > 0; i-- {
		if err := os.Rename(names[i-1], names[i]); err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.t.Error(err)
		}
	}
}

func (s *loggingServer) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Error(err)
	}
}

// quiet makes the log look as if nothing had been written for a while.
func (s *loggingServer) quiet() {
	old := time.Now().Add(-time.Minute)
	s.must(os.Chtimes(s.path, old, old))
}

var plenty = Budget{Bytes: 1 << 30, Backlog: 1 << 30}

// logReader follows a log and keeps what it read.
type logReader struct {
	*Follower
	t      *testing.T
	read   []string
	marked []string
	done   Progress // in all
}

func newLogReader(t *testing.T, path string) *logReader {
	t.Helper()
	r := &logReader{t: t, Follower: NewFollower(Bookmark{})}
	if err := r.Watch(path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func (r *logReader) more(b Budget) Progress {
	r.t.Helper()
	done, err := r.Read(r.t.Context(), Options{}, b, func(e *Entry, marked bool) {
		r.read = append(r.read, string(e.Statement))
		if marked {
			r.marked = append(r.marked, string(e.Statement))
		}
	})
	if err != nil {
		r.t.Error(err)
	}
	r.done.Bytes += done.Bytes
	r.done.Entries += done.Entries
	r.done.Damaged += done.Damaged
	r.done.Skipped += done.Skipped
	r.done.Lost = append(r.done.Lost, done.Lost...)
	return done
}

// restart is what a restart of the agent does: all that is left is the bookmark.
func (r *logReader) restart() {
	r.t.Helper()
	text, err := json.Marshal(r.Bookmark())
	if err != nil {
		r.t.Fatal(err)
	}
	var kept Bookmark
	if err := json.Unmarshal(text, &kept); err != nil {
		r.t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		r.t.Fatal(err)
	}
	r.Follower = NewFollower(kept)
}

// selects are the statements numbered from one to before the other.
func selects(from, to int) []string {
	var all []string
	for i := from; i < to; i++ {
		all = append(all, fmt.Sprintf("SELECT %d", i))
	}
	return all
}

func (r *logReader) want(what string, want []string) {
	r.t.Helper()
	if diff := cmp.Diff(want, r.read); diff != "" {
		r.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestAFollowedLogBeginsAtItsEnd(t *testing.T) {
	s := newLoggingServer(t)
	s.log(3)
	r := newLogReader(t, s.path)
	s.log(2)
	s.quiet()
	r.more(plenty)
	r.want("what was written since", selects(3, 5))
	if r.done.Damaged != 0 || r.done.Lost != nil {
		t.Errorf("progress = %+v, want nothing damaged and nothing lost", r.done)
	}
}

func TestALogThatIsMadeLaterIsReadFromItsBeginning(t *testing.T) {
	path := filepath.Join(t.TempDir(), "slow.log")
	r := newLogReader(t, path)
	r.Mark()
	if _, err := r.Read(t.Context(), Options{}, plenty, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Read without a file = %v, want %v", err, fs.ErrNotExist)
	}
	s := &loggingServer{t: t, path: path}
	s.open()
	defer s.file.Close()
	s.log(2)
	s.quiet()
	r.more(plenty)
	r.want("the new log", selects(0, 2))
}

func TestHalfAnEntryWaits(t *testing.T) {
	s := newLoggingServer(t)
	r := newLogReader(t, s.path)
	s.log(1)
	s.text(plainHeader + "SELECT 'half\n")
	s.quiet()
	r.more(plenty)
	r.want("half an entry", selects(0, 1))
	r.restart()
	s.text("whole';\n")
	s.quiet()
	r.more(plenty)
	r.want("the other half", append(selects(0, 1), "SELECT 'half\nwhole'"))
	s.log(1) // not quiet: it may be going on
	r.more(plenty)
	r.want("the last one", append(selects(0, 1), "SELECT 'half\nwhole'"))
}

// TestRotationLosesAndDoublesNothing rotates a log under load while it is read, also several times before
// the next read, and holds what was read against what was written.
func TestRotationLosesAndDoublesNothing(t *testing.T) {
	for name, rotate := range map[string]rotation{"renamed": byRenaming, "copied and truncated": byCopying} {
		for times := 1; times <= 3; times++ {
			for _, restarts := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, %d times, restarts %v", name, times, restarts), func(t *testing.T) {
					s := newLoggingServer(t)
					r := newLogReader(t, s.path)
					for round := range 20 / times {
						s.underLoad(r, rotate, round, times)
						if restarts {
							r.restart()
						}
						s.log(1) // A log that is empty is not the server's yet.
						r.more(plenty)
					}
					s.log(1)
					s.quiet()
					r.more(plenty)
					r.wantAll(s)
				})
			}
		}
	}
}

// underLoad rotates so many times while the log is written and read.
func (s *loggingServer) underLoad(r *logReader, rotate rotation, round, times int) {
	var work sync.WaitGroup
	work.Go(func() { s.log(300) })
	work.Go(func() { r.more(plenty) })
	work.Wait()
	s.log(round % 3) // A tail that nobody has read, or none.
	work.Go(func() { s.log(100) })
	work.Go(func() { r.more(plenty); r.more(plenty) })
	rotate(s)
	work.Wait()
	for range times - 1 {
		time.Sleep(clockTick)
		s.log(round % 3)
		time.Sleep(clockTick)
		rotate(s)
	}
}

// clockTick is how far the clock of files is behind.
const clockTick = 10 * time.Millisecond

func TestALogThatIsTakenAwayIsReadToItsEnd(t *testing.T) {
	s := newLoggingServer(t)
	r := newLogReader(t, s.path)
	s.log(2)
	r.more(plenty)
	s.log(2)
	s.must(os.Remove(s.path))
	s.log(2)
	s.open()
	s.log(2)
	s.quiet()
	r.more(plenty)
	r.want("both files", selects(0, 8))
}

func TestWhatIsEmptiedWithoutACopyIsLost(t *testing.T) {
	for name, grown := range map[string]int{"shorter than before": 1, "longer than before": 9} {
		t.Run(name, func(t *testing.T) {
			s := newLoggingServer(t)
			r := newLogReader(t, s.path)
			s.log(3)
			r.more(plenty)
			s.must(os.Truncate(s.path, 0))
			s.log(grown)
			s.quiet()
			r.more(plenty)
			want := append(selects(0, 2), selects(3, 3+grown)...) // The third one was still waiting.
			r.want("what came after", want)
			if diff := cmp.Diff([]Loss{{s.path, ErrGone}}, r.done.Lost, cmpopts.EquateErrors()); diff != "" {
				t.Errorf("lost (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnotherLogBeginsAtItsEndWhenTheFirstIsRead(t *testing.T) {
	first, second := newLoggingServer(t), newLoggingServer(t)
	second.log(5)
	r := newLogReader(t, first.path)
	first.log(2)
	if err := r.Watch(second.path); err != nil {
		t.Fatal(err)
	}
	r.more(plenty)
	second.log(2)
	second.quiet()
	r.more(plenty)
	r.want("the rest of the first and what is new in the second", append(selects(0, 2), selects(5, 7)...))
}

// A storm is read at the pace that the budget allows, and what waits for too long is left out.
func TestAStormIsReadWithinItsBudget(t *testing.T) {
	s := newLoggingServer(t)
	r := newLogReader(t, s.path)
	start := size(t, s.path)
	budget := Budget{Bytes: 16 << 10, Backlog: 64 << 10}
	s.log(300)
	done := r.more(budget)
	if done.Bytes > uint64(budget.Bytes) || done.Unread == 0 || done.Skipped != 0 || done.Last.IsZero() {
		t.Fatalf("progress = %+v, want at most %d bytes, and the rest unread", done, budget.Bytes)
	}
	for range 5 {
		done = r.more(budget)
	}
	if done.Unread != 0 {
		t.Fatalf("progress = %+v, want all read", done)
	}
	s.log(3000)
	done = r.more(budget)
	if done.Skipped == 0 || done.Bytes > uint64(budget.Bytes) || done.Damaged != 0 {
		t.Errorf("progress = %+v, want most of it skipped, and nothing called damaged", done)
	}
	s.quiet()
	r.more(budget)
	if last := r.read[len(r.read)-1]; last != fmt.Sprintf("SELECT %d", s.next-1) {
		t.Errorf("the last entry that was read is %s, want that of the log", last)
	}
	if seen, all := r.done.Bytes+r.done.Skipped, uint64(size(t, s.path)-start); seen < all || seen > all+2000 {
		t.Errorf("%d bytes were read or skipped, want the %d that were written, and little twice", seen, all)
	}
}

func TestReadStopsWhenItsTimeIsOver(t *testing.T) {
	s := newLoggingServer(t)
	r := newLogReader(t, s.path)
	for range 12 {
		s.text(plainHeader + "SELECT '" + strings.Repeat("x", 256<<10) + "';\n")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	done, err := r.Read(ctx, Options{}, plenty, func(*Entry, bool) {})
	if err != nil || done.Unread == 0 || done.Bytes > sliceSize {
		t.Errorf("Read after its time = %+v, %v, want one slice at most", done, err)
	}
	s.quiet()
	r.more(plenty)
	if n := uint64(len(r.read)) + done.Entries; n != 12 {
		t.Errorf("%d entries were read, want 12", n)
	}
}

func TestEntriesThatWereWrittenBeforeAMarkAreMarked(t *testing.T) {
	s := newLoggingServer(t)
	r := newLogReader(t, s.path)
	if !r.CaughtUp() {
		t.Error("a log that begins is behind")
	}
	s.log(2)
	r.Mark()
	if r.CaughtUp() {
		t.Error("two entries were not read, and it is not behind")
	}
	byRenaming(s)
	s.log(2)
	r.restart()
	s.quiet()
	r.more(plenty)
	r.want("all", selects(0, 4))
	if diff := cmp.Diff(selects(0, 2), r.marked); diff != "" || !r.CaughtUp() {
		t.Errorf("caught up %v, marked (-want +got):\n%s", r.CaughtUp(), diff)
	}

	// A copy is the same log.
	r.read, r.marked = nil, nil
	s.log(2)
	r.Mark()
	s.log(2)
	byCopying(s)
	s.log(1)
	s.quiet()
	r.more(plenty)
	r.want("all", selects(4, 9))
	if diff := cmp.Diff(selects(4, 6), r.marked); diff != "" {
		t.Errorf("marked (-want +got):\n%s", diff)
	}
}

func TestOnlyPlainFilesAreLogs(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pipe, t.TempDir(), "/dev/zero"} {
		err := NewFollower(Bookmark{}).Watch(path)
		if err == nil || !strings.Contains(err.Error(), "not a plain file") {
			t.Errorf("Watch(%s) = %v, want that it is no plain file", path, err)
		}
	}
}

// FuzzBookmark holds that no bookmark makes a follower read an entry twice or fail in another way than by
// losing its place.
func FuzzBookmark(f *testing.F) {
	f.Add(uint64(1), uint64(2), int64(100), "0123456789abcdef", true)
	f.Add(uint64(0), uint64(0), int64(-5), "", false)
	f.Fuzz(func(t *testing.T, device, inode uint64, offset int64, before string, skipping bool) {
		s := newLoggingServer(t)
		s.log(20)
		s.quiet()
		b := Bookmark{Path: s.path, File: FileID{device, inode}, Resume: Resume{Offset: offset, Cut: skipping}, Before: before}
		if skipping {
			b.Resume.Skipping = &Skip{Offset: offset}
		}
		r := &logReader{t: t, Follower: NewFollower(b)}
		t.Cleanup(func() { _ = r.Close() })
		r.more(plenty)
		r.more(plenty)
		if len(r.read) > 20 {
			t.Errorf("%d entries were read of 20", len(r.read))
		}
	})
}

func size(t *testing.T, file string) int64 {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}
