package slowlog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sys/unix"
)

// rotations rotates a log in the past, a minute each time, as logrotate does: numbers count up.
type rotations struct {
	*loggingServer
	rotate rotation
	now    time.Time
}

func newRotations(s *loggingServer, rotate rotation) *rotations {
	r := &rotations{s, rotate, time.Now().Add(-10 * time.Hour)}
	r.quiet()
	return r
}

// again rotates, and writes n entries into a log of their own.
func (r *rotations) again(n int) {
	r.now = r.now.Add(time.Minute)
	r.quiet()
	for i := 9; i > 0; i-- {
		err := os.Rename(r.numbered(i), r.numbered(i+1))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			r.t.Error(err)
		}
	}
	r.rotate(r.loggingServer)
	r.now = r.now.Add(time.Minute)
	r.log(n)
}

func (r *rotations) log(n int) {
	r.loggingServer.log(n)
	r.quiet()
}

func (r *rotations) numbered(i int) string { return fmt.Sprintf("%s.%d", r.path, i) }

// quiet makes the log look as if it had been written last at its time.
func (r *rotations) quiet() { r.must(os.Chtimes(r.path, r.now, r.now)) }

// renamed is logrotate's way with "create" and FLUSH SLOW LOGS, where nobody writes or reads meanwhile.
func renamed(s *loggingServer) {
	s.must(os.Rename(s.path, s.path+".1"))
	s.open()
}

// copied is its way with "copytruncate".
func copied(s *loggingServer) {
	info, err := os.Stat(s.path)
	s.must(err)
	text, err := os.ReadFile(s.path)
	s.must(err)
	s.must(os.WriteFile(s.path+".1", text, 0o600))
	s.must(os.Chtimes(s.path+".1", info.ModTime(), info.ModTime()))
	s.must(os.Truncate(s.path, 0))
}

// wantAll holds what was read against what was written.
func (r *logReader) wantAll(s *loggingServer) {
	r.t.Helper()
	r.want("all", selects(0, s.next))
	if r.done.Damaged != 0 || r.done.Lost != nil || r.done.Skipped != 0 {
		r.t.Errorf("progress = %+v, want nothing damaged, lost or skipped", r.done)
	}
}

func TestLogsThatWereRotatedBetweenTwoReadsAreAllRead(t *testing.T) {
	for name, rotate := range map[string]rotation{"renamed": renamed, "copied and truncated": copied} {
		for _, restarts := range []bool{false, true} {
			for _, tail := range []int{0, 2} {
				t.Run(fmt.Sprintf("%s, restarts %v, %d unread", name, restarts, tail), func(t *testing.T) {
					s := newRotations(newLoggingServer(t), rotate)
					r := newLogReader(t, s.path)
					for round := range 4 {
						s.log(3)
						r.more(plenty)
						s.log(tail)
						for i := range round + 1 {
							s.again(i + 1)
						}
						if restarts {
							r.restart()
						}
						r.more(plenty)
						r.more(plenty)
					}
					r.wantAll(s.loggingServer)
				})
			}
		}
	}
}

func TestRotatedLogsAreReadWithinBudgetsAndOverRestarts(t *testing.T) {
	s := newRotations(newLoggingServer(t), renamed)
	r := newLogReader(t, s.path)
	s.log(20)
	r.more(plenty)
	for range 4 {
		s.again(20)
	}
	all := size(t, s.path) * 4
	for read := int64(0); read < 2*all; read += 1000 {
		done := r.more(Budget{Bytes: 1000, Backlog: plenty.Backlog})
		if left := all - int64(r.done.Bytes); done.Unread < left-2000 || done.Unread > left+10_000 {
			t.Fatalf("%d bytes are said to wait, want some %d", done.Unread, left)
		}
		r.restart()
	}
	r.more(plenty)
	r.wantAll(s.loggingServer)
}

// What waits is counted over all logs: of too much, the oldest is left out.
func TestAStormIsSkippedOverRotations(t *testing.T) {
	s := newRotations(newLoggingServer(t), renamed)
	r := newLogReader(t, s.path)
	for range 3 {
		s.log(300)
		s.again(0)
	}
	s.log(300)
	one := size(t, s.path)
	done := r.more(Budget{Bytes: one + one/2, Backlog: one + one/2})
	if least := uint64(2*one + one/2 - 2000); done.Skipped < least || done.Skipped > least+4000 || done.Damaged != 0 || done.Lost != nil {
		t.Errorf("progress = %+v, want %d bytes skipped, and nothing called damaged or lost", done, least)
	}
	r.more(plenty)
	r.want("the last ones", selects(s.next-len(r.read), s.next))
	if len(r.read) < 440 || len(r.read) > 460 {
		t.Errorf("%d entries were read, want those of one log and a half", len(r.read))
	}
}

func TestRotatedLogsKeepTheirMark(t *testing.T) {
	s := newRotations(newLoggingServer(t), renamed)
	r := newLogReader(t, s.path)
	s.log(2)
	s.again(2)
	r.Mark()
	s.log(1)
	s.again(2)
	s.again(2)
	if r.CaughtUp() {
		t.Error("four entries were not read, and it is not behind")
	}
	r.more(plenty)
	r.wantAll(s.loggingServer)
	if diff := cmp.Diff(selects(0, 4), r.marked); diff != "" || !r.CaughtUp() {
		t.Errorf("caught up %v, marked (-want +got):\n%s", r.CaughtUp(), diff)
	}
}

func TestALogIsReadToItsLastRotationWhenTheServerWritesAnother(t *testing.T) {
	s, other := newRotations(newLoggingServer(t), renamed), newLoggingServer(t)
	r := newLogReader(t, s.path)
	s.log(2)
	s.again(2)
	s.again(2)
	if err := r.Watch(other.path); err != nil {
		t.Fatal(err)
	}
	other.next = s.next
	other.log(2)
	other.quiet()
	r.more(plenty)
	r.wantAll(other)
}

// Of a log that was truncated before any of it was read, nothing tells but that there is a copy.
func TestACopyOfALogThatWasNotReadIsRead(t *testing.T) {
	for name, banner := range map[string]bool{"with a banner": true, "empty": false} {
		t.Run(name, func(t *testing.T) {
			s := newRotations(newLoggingServer(t), copied)
			if !banner {
				s.must(os.Truncate(s.path, 0))
				s.quiet()
			}
			r := newLogReader(t, s.path)
			r.more(plenty)
			s.log(3)
			s.again(4)
			s.again(5)
			r.more(plenty)
			r.wantAll(s.loggingServer)
		})
	}
}

// The clock of files has ticks: what is written within one has one time.
func TestLogsThatWereWrittenAtOneMomentAreReadOnce(t *testing.T) {
	for name, rotate := range map[string]rotation{"renamed": renamed, "copied and truncated": copied} {
		t.Run(name, func(t *testing.T) {
			s := newRotations(newLoggingServer(t), rotate)
			again := func(times, n int) {
				moment := s.now.Add(time.Minute)
				for range times {
					s.again(n)
					s.now = moment
					s.quiet()
					s.must(os.Chtimes(s.numbered(1), moment, moment))
				}
			}
			s.log(2)
			again(3, 1)
			r := newLogReader(t, s.path)
			r.more(plenty)
			for times := range 4 {
				s.log(2)
				again(times, 2)
				s.again(2)
				r.more(plenty)
				r.restart()
			}
			r.want("what was written since", selects(5, s.next))
		})
	}
}

func TestAClockThatIsSetBackMakesNothingCountTwice(t *testing.T) {
	for name, rotate := range map[string]rotation{"renamed": renamed, "copied and truncated": copied} {
		t.Run(name, func(t *testing.T) {
			s := newRotations(newLoggingServer(t), rotate)
			r := newLogReader(t, s.path)
			s.log(1)
			r.more(plenty)
			for range mostSiblings + 5 {
				s.log(1)
				s.now = s.now.Add(-time.Hour)
				s.again(1)
				r.more(plenty)
				r.restart()
			}
			r.wantAll(s.loggingServer)
			if n := len(r.Bookmark().Left); n > mostSiblings {
				t.Errorf("the bookmark names %d files that were left, want %d at most", n, mostSiblings)
			}
		})
	}
}

func TestALogThatIsMadeAndRotatedBeforeItIsReadIsRead(t *testing.T) {
	s := newLoggingServer(t)
	s.must(os.Remove(s.path))
	r := newLogReader(t, s.path)
	time.Sleep(clockTick)
	s.open()
	s.log(2)
	renamed(s)
	s.log(2)
	s.quiet()
	r.more(plenty)
	r.wantAll(s)
}

// What rotation did not make, or what holds what was read already, is not read.
func TestOtherFilesBesideALogAreNotRead(t *testing.T) {
	s := newRotations(newLoggingServer(t), renamed)
	r := newLogReader(t, s.path)
	s.log(2)
	r.more(plenty)
	other := plainHeader + "SELECT 'of another file';\n"
	for _, suffix := range []string{".bak", "-error.log", "2", ".1~", ".swp", ".txt.gz", ".d"} {
		s.must(os.WriteFile(s.path+suffix, []byte(other), 0o600))
	}
	s.must(os.WriteFile(s.numbered(50), []byte(other), 0o600))
	s.must(os.WriteFile(s.numbered(51)+".gz", []byte("\x1f\x8b"), 0o600))
	for _, name := range []string{s.numbered(50), s.numbered(51) + ".gz"} { // rotated before the one that was read
		s.must(os.Chtimes(name, s.now.Add(-time.Hour), s.now.Add(-time.Hour)))
	}
	s.again(2)
	s.again(2)
	text, err := os.ReadFile(s.path)
	s.must(err)
	s.must(os.WriteFile(s.path+"-20261120", text, 0o600))
	s.must(os.Chtimes(s.path+"-20261120", s.now, s.now)) // what logrotate's "copy" leaves
	r.more(plenty)
	r.wantAll(s.loggingServer)
}

// A copy of the log may be about to become what it was: the log is not read before that is clear.
func TestACopyInTheMakingIsWaitedFor(t *testing.T) {
	s := newRotations(newLoggingServer(t), renamed)
	r := newLogReader(t, s.path)
	s.log(2)
	r.more(plenty)
	s.again(4)
	text, err := os.ReadFile(s.path)
	s.must(err)
	s.must(os.WriteFile(s.path+"-20261120", text[:len(text)/2], 0o600))
	r.more(plenty)
	r.want("the log before", selects(0, 2))
	s.must(os.WriteFile(s.path+"-20261120", text, 0o600))
	s.must(os.Truncate(s.path, 0))
	s.log(2)
	s.quiet()
	r.more(plenty)
	r.wantAll(s.loggingServer)
}

func TestWhatRotationMadeUnreadableIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		spoil    func(s *rotations)
		from, to int // what is lost of it
		lost     func(s *rotations) []Loss
	}{
		"one was compressed": {
			func(s *rotations) { s.compress(2) }, 4, 6,
			func(s *rotations) []Loss { return []Loss{{s.numbered(2) + ".gz", ErrCompressed}} },
		},
		"one is being compressed": {
			func(s *rotations) { s.must(os.WriteFile(s.numbered(2)+".gz", []byte("\x1f\x8b"), 0o600)) }, 0, 0,
			func(*rotations) []Loss { return nil },
		},
		"that which was read was compressed too": {
			func(s *rotations) { s.compress(2); s.compress(3) }, 2, 6,
			func(s *rotations) []Loss {
				return []Loss{{s.numbered(3) + ".gz", ErrCompressed}, {s.numbered(2) + ".gz", ErrCompressed}}
			},
		},
		"that which was read was deleted": {
			func(s *rotations) { s.must(os.Remove(s.numbered(3))) }, 2, 4,
			func(s *rotations) []Loss { return []Loss{{s.path, ErrGone}} },
		},
		"one is closed": {
			func(s *rotations) { s.shut(s.numbered(2), 0) }, 4, 6,
			func(s *rotations) []Loss { return []Loss{{s.numbered(2), fs.ErrPermission}} },
		},
		"the folder cannot be listed": {
			func(s *rotations) { s.shut(filepath.Dir(s.path), 0o711) }, 2, 8,
			func(s *rotations) []Loss { return []Loss{{filepath.Dir(s.path), fs.ErrPermission}} },
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newRotations(newLoggingServer(t), renamed)
			r := newLogReader(t, s.path)
			s.log(2)
			s.again(0)
			r.more(plenty)
			s.log(2)
			s.again(2)
			s.again(2)
			s.again(2)
			r.restart()
			c.spoil(s)
			r.more(plenty)
			r.want("what is left", append(selects(0, c.from), selects(c.to, s.next)...))
			if diff := cmp.Diff(c.lost(s), r.done.Lost, cmpopts.EquateErrors()); diff != "" || r.done.Damaged != 0 {
				t.Errorf("%d damaged, lost (-want +got):\n%s", r.done.Damaged, diff)
			}
			r.restart()
			if done := r.more(plenty); done.Lost != nil || done.Entries != 0 {
				t.Errorf("the next Read = %+v, want nothing", done)
			}
		})
	}
}

// compress does what gzip does to a rotated log.
func (r *rotations) compress(i int) {
	info, err := os.Stat(r.numbered(i))
	r.must(err)
	packed := r.numbered(i) + ".gz"
	r.must(os.WriteFile(packed, []byte("\x1f\x8b"), 0o600))
	r.must(os.Chtimes(packed, info.ModTime(), info.ModTime()))
	r.must(os.Remove(r.numbered(i)))
}

// shut gives a file or folder a mode with which this test may not read it. Nothing is shut to root, so
// root becomes somebody else, on this thread alone.
func (r *rotations) shut(name string, mode os.FileMode) {
	folder := filepath.Dir(r.path)
	for _, open := range []string{filepath.Dir(folder), folder, r.path, r.numbered(1), r.numbered(2), r.numbered(3)} {
		r.must(os.Chmod(open, 0o755))
	}
	r.must(os.Chmod(name, mode))
	if os.Geteuid() != 0 {
		return
	}
	runtime.LockOSThread()
	_, err := unix.SetfsuidRetUid(65534)
	r.must(err)
	r.t.Cleanup(r.root)
}

// root takes shut back.
func (r *rotations) root() {
	if os.Geteuid() == 0 {
		_, err := unix.SetfsuidRetUid(0)
		r.must(err)
		runtime.UnlockOSThread()
	}
}

func TestALogThatIsClosedForAWhileIsReadAfterwards(t *testing.T) {
	s := newRotations(newLoggingServer(t), renamed)
	r := newLogReader(t, s.path)
	s.log(2)
	s.again(2)
	s.again(2)
	s.again(2)
	s.shut(s.path, 0)
	for range 2 {
		add := func(e *Entry, _ bool) { r.read = append(r.read, string(e.Statement)) }
		if done, err := r.Read(t.Context(), Options{}, plenty, add); !errors.Is(err, fs.ErrPermission) || done.Lost != nil {
			t.Errorf("Read of a closed log = %+v, %v, want %v", done, err, fs.ErrPermission)
		}
	}
	s.root()
	s.must(os.Chmod(s.path, 0o600))
	s.log(1)
	r.more(plenty)
	r.wantAll(s.loggingServer)
}

func TestOnlySoManyRotatedLogsAreRead(t *testing.T) {
	s := newRotations(newLoggingServer(t), renamed)
	r := newLogReader(t, s.path)
	s.log(1)
	r.more(plenty)
	for i := range mostSiblings + 5 {
		s.now = s.now.Add(time.Minute)
		s.quiet()
		s.must(os.Rename(s.path, s.numbered(1000+i)))
		s.open()
		s.log(1)
	}
	r.restart()
	r.more(plenty)
	if diff := cmp.Diff([]Loss{{s.path, ErrTooMany}}, r.done.Lost, cmpopts.EquateErrors()); diff != "" {
		t.Errorf("lost (-want +got):\n%s", diff)
	}
	r.want("the first, and the last ones", append(selects(0, 1), selects(s.next-mostSiblings, s.next)...))
}
