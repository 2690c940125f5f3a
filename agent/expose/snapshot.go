package expose

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"plimsoll/collectors/snapshot"
)

// Index is the answer to GET /v1/snapshot.
type Index struct {
	Schema   int            `json:"schema"`
	AgentID  string         `json:"agent_id"`
	Sections []IndexSection `json:"sections"`
}

// IndexSection is what there is to fetch at /v1/snapshot/NAME.
type IndexSection struct {
	Name snapshot.Section `json:"name"`
	// ETag is that of the section now; a reader that has it need not fetch.
	ETag string `json:"etag"`
	// Bytes is how large the section was, uncompressed, when it was last
	// fetched; zero if it never was.
	Bytes int `json:"bytes"`
}

func (h *Handler) index(w http.ResponseWriter, _ *http.Request) {
	s := h.source.Snapshot()
	out := Index{Schema: s.Schema, AgentID: s.AgentID}
	for _, name := range snapshot.Sections() {
		out.Sections = append(out.Sections, IndexSection{
			Name: name, ETag: h.etag(name, 0), Bytes: h.bodies.bytes(name),
		})
	}
	body, err := json.Marshal(out)
	if err != nil {
		http.Error(w, "BUG: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	stamp(w)
	_, _ = w.Write(body)
}

func (h *Handler) section(w http.ResponseWriter, r *http.Request) {
	name := snapshot.Section(r.PathValue("section"))
	if !slices.Contains(snapshot.Sections(), name) {
		http.Error(w, fmt.Sprintf("no section %.40q; there are %v", string(name), snapshot.Sections()), http.StatusNotFound)
		return
	}
	after, err := revisionAfter(r, name)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	etag := h.etag(name, after)
	w.Header().Set("ETag", etag)
	w.Header().Set("Vary", "Accept-Encoding")
	if slices.Contains(splitList(r.Header.Get("If-None-Match")), etag) {
		stamp(w)
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body, err := h.body(name, after, etag)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	send(w, r, body)
}

// revisionAfter returns the parameter after: the reader has all texts up to
// that revision. Only digests have texts.
func revisionAfter(r *http.Request, name snapshot.Section) (uint64, error) {
	text := r.URL.Query().Get("after")
	if text == "" || name != snapshot.SectionDigests {
		return 0, nil
	}
	after, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("after=%.40q is not a revision; write the highest rev that you have", text)
	}
	return after, nil
}

// etag is weak: the same section can be sent compressed or not.
func (h *Handler) etag(name snapshot.Section, after uint64) string {
	etag := `W/"` + h.source.Revision(name)
	if after > 0 {
		etag += "-" + strconv.FormatUint(after, 10)
	}
	return etag + `"`
}

func send(w http.ResponseWriter, r *http.Request, b body) {
	w.Header().Set("Content-Type", "application/json")
	if slices.Contains(splitList(r.Header.Get("Accept-Encoding")), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Length", strconv.Itoa(len(b.packed)))
		stamp(w)
		_, _ = w.Write(b.packed)
		return
	}
	stamp(w)
	if plain, err := gzip.NewReader(bytes.NewReader(b.packed)); err == nil {
		_, _ = io.Copy(w, plain)
	}
}

func splitList(header string) []string {
	items := strings.Split(header, ",")
	for i := range items {
		items[i] = strings.TrimSpace(items[i])
	}
	return items
}
