package agent

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
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
