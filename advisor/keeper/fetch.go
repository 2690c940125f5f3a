package keeper

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

// fetch returns a with what changed since. Neither a nor its snapshot changes.
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

	if a.Latest == nil || a.Latest.AgentID != idx.AgentID {
		a.Latest, a.etags = &snapshot.Snapshot{}, nil
	}
	latest, etags := a.Latest.Clone(), map[snapshot.Section]string{}
	for _, s := range idx.Sections {
		if s.ETag == "" || s.ETag != a.etags[s.Name] {
			if err := fetchSection(ctx, t, s.Name, latest); err != nil {
				return a, fmt.Errorf("section %s: %w", s.Name, err)
			}
		}
		etags[s.Name] = s.ETag
	}
	a.Latest, a.etags, a.Err = latest, etags, nil
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

func fetchSection(ctx context.Context, t store.Target, name snapshot.Section, latest *snapshot.Snapshot) error {
	if !slices.Contains(snapshot.Sections(), name) {
		return nil // of a newer agent; what we do not know we do not judge
	}
	path := "/v1/snapshot/" + string(name)
	if name == snapshot.SectionDigests {
		path += fmt.Sprintf("?after=%d", knownTexts(latest))
	}
	var fresh snapshot.Snapshot
	if _, err := get(ctx, t, path, maxPacked, &fresh); err != nil {
		return err
	}
	if name == snapshot.SectionDigests {
		keepTexts(latest, &fresh)
	}
	latest.Merge(&fresh)
	return nil
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

// knownTexts returns the revision up to which all servers' texts are known.
func knownTexts(s *snapshot.Snapshot) uint64 {
	var rev uint64
	for _, server := range s.Servers {
		if d := server.Digests; d != nil && (rev == 0 || d.Rev < rev) {
			rev = d.Rev
		}
	}
	return rev
}

// keepTexts gives fresh the texts that are known already, as far as its rows
// still need them.
func keepTexts(known, fresh *snapshot.Snapshot) {
	for name, server := range fresh.Servers {
		old := known.Servers[name]
		if server.Digests == nil || old == nil || old.Digests == nil {
			continue
		}
		have := map[string]bool{}
		for _, t := range server.Digests.Texts {
			have[t.Fingerprint] = true
		}
		needed := map[string]bool{}
		for _, row := range server.Digests.Rows {
			needed[row.Fingerprint] = true
		}
		for _, t := range old.Digests.Texts {
			if needed[t.Fingerprint] && !have[t.Fingerprint] {
				server.Digests.Texts = append(server.Digests.Texts, t)
			}
		}
	}
}
