package expose

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"plimsoll/collectors/snapshot"
)

// limits are the sizes in bytes of the largest section that is sent.
type limits struct{ packed, unpacked int }

// readable are the limits above which a reader refuses a section.
func readable() limits { return limits{packed: 8 << 20, unpacked: 64 << 20} }

// body is a section in JSON, compressed.
type body struct {
	etag   string
	packed []byte
	bytes  int // unpacked
}

// bodies keeps the last body of each section: several readers of one section
// cost the agent one encoding.
type bodies struct {
	mu   sync.Mutex
	last map[snapshot.Section]body
}

func (b *bodies) bytes(name snapshot.Section) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last[name].bytes
}

// body returns the section under etag. One is made at a time: a section of
// 10,000 digests takes megabytes to make.
func (h *Handler) body(name snapshot.Section, after uint64, etag string) (body, error) {
	h.bodies.mu.Lock()
	defer h.bodies.mu.Unlock()
	if b := h.bodies.last[name]; b.etag == etag {
		return b, nil
	}
	s := h.source.Snapshot().Section(name)
	for _, server := range s.Servers {
		textsAfter(server, after)
	}
	b, err := pack(s, readable())
	if err != nil {
		return body{}, fmt.Errorf("section %s: %w", name, err)
	}
	b.etag = etag
	if h.bodies.last == nil {
		h.bodies.last = map[snapshot.Section]body{}
	}
	h.bodies.last[name] = b
	return b, nil
}

// textsAfter leaves out the texts that the reader has.
func textsAfter(s *snapshot.Server, rev uint64) {
	if rev == 0 || s.Digests == nil {
		return
	}
	d := *s.Digests
	d.Texts = nil
	for _, t := range s.Digests.Texts {
		if t.Rev > rev {
			d.Texts = append(d.Texts, t)
		}
	}
	s.Digests = &d
}

var errTooLarge = errors.New("larger than a reader accepts, and nothing in it can be left out")

// halvings is after how many the attempt to leave out more is given up: what
// makes a section too large is then in none of its lists.
const halvings = 7

// pack encodes s, leaving out the least of it until it is within most.
func pack(s *snapshot.Snapshot, most limits) (body, error) {
	b, err := encode(s)
	budget := most.unpacked
	for range halvings {
		if err != nil || b.within(most) {
			return b, err
		}
		b, err = encode(cut(s, budget))
		budget /= 2
	}
	return body{}, errTooLarge
}

func (b body) within(most limits) bool {
	return len(b.packed) <= most.packed && b.bytes <= most.unpacked
}

func encode(s *snapshot.Snapshot) (body, error) {
	var packed bytes.Buffer
	// Speed over size: on the wire it is a fifth either way.
	zip, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		return body{}, err
	}
	count := &counter{to: zip}
	if err := errors.Join(json.NewEncoder(count).Encode(s), zip.Close()); err != nil {
		return body{}, err
	}
	return body{packed: packed.Bytes(), bytes: count.n}, nil
}

// counter counts what is written through it.
type counter struct {
	to io.Writer
	n  int
}

func (c *counter) Write(p []byte) (int, error) {
	c.n += len(p)
	return c.to.Write(p)
}
