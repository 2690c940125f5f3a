package keeper

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"

	"plimsoll/advisor/store"
)

// desk is where one agent's answers are unpacked. What that takes is 40 KiB and
// the answer's length, for answers that are mostly shorter than that, ten a
// minute from each of a thousand agents: it is used again for the next.
type desk struct {
	unpacker gzip.Reader
	plain    bytes.Buffer
	known    fields
}

// maxDesk is how large a desk may stay: what one large answer took is given back.
const maxDesk = 4 << 20

// get decodes the JSON at path, which may be at most limit bytes on the wire and
// room bytes in memory. It returns how much room that took at most.
func (d *desk) get(ctx context.Context, t store.Target, path string, limit, room int64, into any) (http.Header, int64, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, t.URL(path), nil)
	if err != nil {
		return nil, 0, err
	}
	r.Header.Set("Accept-Encoding", "gzip") // by hand, so that both sizes can be bounded
	answer, err := t.Client.Do(r)
	if err != nil {
		return nil, 0, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 200))
		return nil, 0, fmt.Errorf("%s answered %s: %.200q", path, answer.Status, text)
	}
	raw, err := d.unpack(answer, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("unpack %s: %w", path, err)
	}
	took, err := weigh(raw, reflect.TypeOf(into).Elem(), room, d.known)
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read %s: %w", path, err)
	}
	return answer.Header, took, nil
}

// unpack returns what an answer holds, until the next call.
func (d *desk) unpack(answer *http.Response, limit int64) ([]byte, error) {
	if d.plain.Cap() > maxDesk {
		d.plain = bytes.Buffer{}
	}
	d.plain.Reset()
	body := io.Reader(bounded(answer.Body, limit))
	if answer.Header.Get("Content-Encoding") == "gzip" {
		if err := d.unpacker.Reset(body); err != nil {
			return nil, err
		}
		body = &d.unpacker
	}
	_, err := d.plain.ReadFrom(bounded(body, maxUnpacked))
	return d.plain.Bytes(), err
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
