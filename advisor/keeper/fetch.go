package keeper

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"slices"
	"time"

	"plimsoll/advisor/store"
	"plimsoll/collectors/snapshot"
)

// What an agent may send at most. A larger section is cut by the agent itself;
// one that is not is no agent's.
const (
	maxIndex    = 64 << 10
	maxPacked   = 8 << 20
	maxUnpacked = 64 << 20
)

// index is the answer to GET /v1/snapshot.
type index struct {
	Schema   int    `json:"schema"`
	AgentID  string `json:"agent_id"`
	Sections []struct {
		Name snapshot.Section `json:"name"`
		ETag string           `json:"etag"`
	} `json:"sections"`
}

// section is one section as it was last read.
type section struct {
	etag string
	*snapshot.Snapshot
}

// fetch returns a with what changed since. Neither a nor its snapshot changes.
//
// Sections are kept apart, and the snapshot is put together of them: what a
// section no longer holds, such as a server that was taken out of the agent's
// configuration, is then gone. A section that cannot be read costs a gap, and
// stays as it was; it is asked for again in the next round.
func fetch(ctx context.Context, t store.Target, a agent) (agent, error) {
	var idx index
	asked := time.Now()
	header, err := get(ctx, t, "/v1/snapshot", maxIndex, &idx)
	if err != nil {
		return a, err
	}
	if err := idx.check(); err != nil {
		return a, err
	}
	a.clock = a.clock.add(header.Get("Plimsoll-Time"), asked, time.Now())
	a.ClockOffsetSeconds, a.ClockErrorSeconds = a.clock.best()

	known := a.sections
	if a.Latest == nil || a.Latest.AgentID != idx.AgentID {
		known = nil
	}
	a.sections, a.Err = map[snapshot.Section]section{}, nil
	var gaps []snapshot.Gap
	for name, etag := range idx.known() {
		s := known[name]
		if etag == "" || etag != s.etag {
			fresh, err := fetchSection(ctx, t, name, s.Snapshot, idx.AgentID)
			if ctx.Err() != nil {
				return a, fmt.Errorf("section %s: %w", name, err)
			}
			if err != nil {
				gaps = append(gaps, snapshot.Gap{Job: "advisor", Reason: fmt.Sprintf("section %s could not be fetched: %v", name, err)})
				fresh, etag = s.Snapshot, ""
			}
			s = section{etag, fresh}
		}
		a.sections[name] = s
	}
	a.Latest = idx.join(a.sections, gaps)
	return a, nil
}

func (i index) check() error {
	if i.Schema > snapshot.SchemaVersion {
		return fmt.Errorf("it speaks schema %d and this advisor %d: upgrade the advisor", i.Schema, snapshot.SchemaVersion)
	}
	if !validID(i.AgentID) {
		return errors.New("it names no agent: is this the address of a Plimsoll agent?")
	}
	return nil
}

// known yields the sections that there are, with their ETags, in our order. What
// a newer agent has beyond them we do not judge.
func (i index) known() iter.Seq2[snapshot.Section, string] {
	return func(yield func(snapshot.Section, string) bool) {
		for _, name := range snapshot.Sections() {
			for _, s := range i.Sections {
				if s.Name == name && !yield(name, s.ETag) {
					return
				}
			}
		}
	}
}

// join puts sections together again.
func (i index) join(sections map[snapshot.Section]section, gaps []snapshot.Gap) *snapshot.Snapshot {
	out := &snapshot.Snapshot{Schema: i.Schema, AgentID: i.AgentID}
	for _, name := range snapshot.Sections() {
		if s := sections[name].Snapshot; s != nil {
			out.Merge(s)
		}
	}
	out.Gaps = slices.Concat(out.Gaps, gaps)
	return out
}

func fetchSection(ctx context.Context, t store.Target, name snapshot.Section, known *snapshot.Snapshot, id string) (*snapshot.Snapshot, error) {
	fresh, err := getSection(ctx, t, name, knownTexts(name, known), id)
	if err != nil || name != snapshot.SectionDigests || known == nil {
		return fresh, err
	}
	if revisionsBeganAnew(known, fresh) {
		return getSection(ctx, t, name, 0, id)
	}
	keepTexts(known, fresh)
	return fresh, nil
}

// getSection reads a section, with the texts after a revision.
func getSection(ctx context.Context, t store.Target, name snapshot.Section, after uint64, id string) (*snapshot.Snapshot, error) {
	path := "/v1/snapshot/" + string(name)
	if after > 0 {
		path += fmt.Sprintf("?after=%d", after)
	}
	var fresh snapshot.Snapshot
	if _, err := get(ctx, t, path, maxPacked, &fresh); err != nil {
		return nil, err
	}
	if fresh.AgentID != id {
		return nil, fmt.Errorf("it is of another agent (%.64q)", fresh.AgentID)
	}
	dropNil(&fresh)
	return &fresh, nil
}

// dropNil removes servers without parts: JSON may say null where an agent never
// does.
func dropNil(s *snapshot.Snapshot) {
	maps.DeleteFunc(s.Servers, func(_ string, parts *snapshot.Server) bool { return parts == nil })
}

// get decodes the JSON at path, which may be at most limit bytes on the wire.
func get(ctx context.Context, t store.Target, path string, limit int64, into any) (http.Header, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, t.URL(path), nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept-Encoding", "gzip") // by hand, so that both sizes can be bounded
	answer, err := t.Client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 200))
		return nil, fmt.Errorf("%s answered %s: %.200q", path, answer.Status, text)
	}
	body := io.Reader(bounded(answer.Body, limit))
	if answer.Header.Get("Content-Encoding") == "gzip" {
		if body, err = gzip.NewReader(body); err != nil {
			return nil, fmt.Errorf("unpack %s: %w", path, err)
		}
	}
	if err := json.NewDecoder(bounded(body, maxUnpacked)).Decode(into); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return answer.Header, nil
}

// bounded fails, instead of ending, after n bytes: half an answer is no answer.
func bounded(r io.Reader, n int64) io.Reader { return &boundedReader{r: r, left: n} }

type boundedReader struct {
	r    io.Reader
	left int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errors.New("the answer is larger than an agent's can be")
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.r.Read(p)
	b.left -= int64(n)
	return n, err
}
