package agent

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"plimsoll/collectors/snapshot"
)

const (
	stateFile   = "state.json"
	stateFormat = 1
)

// stored is the content of the state file.
type stored struct {
	Format int `json:"format"`
	// Machine tells a folder that was copied with a cloned host.
	Machine string                `json:"machine"`
	AgentID string                `json:"agent_id"`
	Seq     uint64                `json:"seq"`
	Events  []snapshot.Event      `json:"events"`
	Keepers map[string]savedState `json:"keepers,omitempty"`

	// events is Events in JSON, as long as they have not changed.
	events json.RawMessage
}

type savedState struct {
	Saved time.Time       `json:"saved"`
	State json.RawMessage `json:"state"`
}

func newStored(host string) stored {
	return stored{
		Format: stateFormat, Machine: machine(host), AgentID: newID(),
		Keepers: map[string]savedState{},
	}
}

// machine identifies the host to its own state, and to nobody else.
func machine(host string) string {
	id, _ := os.ReadFile("/etc/machine-id") // A host without one is told by its name alone.
	sum := sha256.Sum256([]byte("plimsoll-agent\n" + strings.TrimSpace(string(id)) + "\n" + host))
	return hex.EncodeToString(sum[:8])
}

func newID() string {
	var id [8]byte
	_, _ = rand.Read(id[:]) // Never fails since Go 1.24.
	return hex.EncodeToString(id[:])
}

// append numbers events and keeps the newest.
func (s *stored) append(events []snapshot.Event) {
	for _, e := range events {
		s.Seq++
		e.Seq = s.Seq
		s.Events = append(s.Events, e)
		s.events = nil
	}
	if excess := len(s.Events) - snapshot.MaxEvents; excess > 0 {
		s.Events = slices.Delete(s.Events, 0, excess)
	}
}

// forget drops the states of jobs that have not run since.
func (s *stored) forget(since time.Time) {
	maps.DeleteFunc(s.Keepers, func(_ string, k savedState) bool { return k.Saved.Before(since) })
}

// encode returns s in JSON. States are JSON already and can be megabytes, so
// they are copied and not encoded a second time.
func (s *stored) encode() []byte {
	if s.events == nil {
		s.events = must(json.Marshal(append([]snapshot.Event{}, s.Events...)))
	}
	head := *s
	head.Events, head.Keepers = nil, nil
	out := bytes.TrimSuffix(must(json.Marshal(head)), []byte(`"events":null}`))
	out = append(append(out, `"events":`...), s.events...)
	out = append(out, `,"keepers":{`...)
	for i, key := range slices.Sorted(maps.Keys(s.Keepers)) {
		if i > 0 {
			out = append(out, ',')
		}
		k := s.Keepers[key]
		out = append(append(out, must(json.Marshal(key))...), `:{"saved":`...)
		out = append(append(out, must(json.Marshal(k.Saved))...), `,"state":`...)
		out = append(append(out, k.State...), '}')
	}
	return append(out, "}}"...)
}

func must(text []byte, err error) []byte {
	if err != nil {
		panic("BUG: encode state: " + err.Error())
	}
	return text
}

// The file is {"crc32c":"…","state":…}: a flipped bit in a number would
// otherwise read as a total.
const (
	envelopeHead = `{"crc32c":"`
	envelopeMid  = `","state":`
	envelopeTail = "}\n"
	sumLength    = 8
)

func sum(body []byte) string {
	return fmt.Sprintf("%08x", crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
}

// writeState replaces the state in dir whole, and returns when it is on disk.
func writeState(dir string, body []byte) error {
	file := filepath.Join(dir, stateFile)
	fresh := file + ".tmp"
	err := writeSynced(fresh, []byte(envelopeHead+sum(body)+envelopeMid), body, []byte(envelopeTail))
	if err != nil {
		_ = os.Remove(fresh) // On a full disk it would hold the last of the room.
		return err
	}
	if err := os.Rename(fresh, file); err != nil {
		return err
	}
	return syncFolder(dir)
}

func writeSynced(file string, pieces ...[]byte) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	for _, piece := range pieces {
		if _, err := f.Write(piece); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return errors.Join(f.Sync(), f.Close())
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// The reasons why totals start anew.
var (
	errMissing = errors.New("there is no state file")
	errDamaged = errors.New("the state file is damaged")
	errForeign = errors.New("the state file belongs to another host")
)

// readState returns the state in dir, or one of the reasons to start anew. What
// cannot be used is put aside, for whoever wants to know what happened to it.
// Any other error is about the file's permissions or its disk: those are
// repaired, and the totals are not lost.
func readState(dir, host string) (*stored, error) {
	file := filepath.Join(dir, stateFile)
	s, err := parseState(file, host)
	if errors.Is(err, errDamaged) || errors.Is(err, errForeign) {
		kept, asideErr := setAside(file)
		if asideErr != nil {
			return nil, fmt.Errorf("put %s aside: %w", file, asideErr)
		}
		return nil, fmt.Errorf("%w and is kept as %s", err, kept)
	}
	return s, err
}

func parseState(file, host string) (*stored, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errMissing
	}
	if err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	body, ok := unwrap(text)
	if !ok {
		return nil, errDamaged
	}
	s := newStored(host)
	if err := json.Unmarshal(body, &s); err != nil || s.Format != stateFormat || s.AgentID == "" || s.Keepers == nil {
		return nil, errDamaged
	}
	if s.Machine != machine(host) {
		return nil, errForeign
	}
	return &s, nil
}

// unwrap takes the envelope off and checks it.
func unwrap(text []byte) (body []byte, ok bool) {
	rest, head := bytes.CutPrefix(text, []byte(envelopeHead))
	rest, tail := bytes.CutSuffix(rest, []byte(envelopeTail))
	if !head || !tail || len(rest) < sumLength {
		return nil, false
	}
	want := string(rest[:sumLength])
	body, mid := bytes.CutPrefix(rest[sumLength:], []byte(envelopeMid))
	return body, mid && sum(body) == want
}

// setAside renames file to the name that it returns, and keeps one such file at
// most.
func setAside(file string) (string, error) {
	older, err := filepath.Glob(file + ".corrupt-*")
	if err != nil {
		return "", err
	}
	for _, name := range older {
		if err := os.Remove(name); err != nil {
			return "", err
		}
	}
	name := file + ".corrupt-" + strconv.FormatInt(time.Now().Unix(), 10)
	return name, os.Rename(file, name)
}

// folderLock keeps a second agent out of a state folder.
type folderLock struct{ file *os.File }

// lockPatience is how long a new agent waits for the one that it replaces.
const lockPatience = 2 * time.Second

func lockFolder(dir string) (*folderLock, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("make state folder: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock state folder: %w", err)
	}
	for deadline := time.Now().Add(lockPatience); ; time.Sleep(100 * time.Millisecond) {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return &folderLock{file}, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) || time.Now().After(deadline) {
			break
		}
	}
	_ = file.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("state folder %s is in use by another agent; give each agent a state of its own", dir)
	}
	return nil, fmt.Errorf("lock state folder %s: %w", dir, err)
}

func (l *folderLock) release() error { return l.file.Close() }
