package digest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"

	"plimsoll/advisor/layout"
)

// JSON writes the digest as docs/digest.schema.json says. It writes while it encodes, because that of ten
// thousand statements has more bytes than all that is known of them.
func (d *Digest) JSON(to io.Writer) error {
	frame := *d
	frame.Queries = []Query{}
	raw, err := layout.JSON(&frame)
	if err != nil {
		return fmt.Errorf("encode digest: %w", err)
	}
	if len(d.Queries) == 0 {
		_, err = to.Write(raw)
		return err
	}
	const list = `"queries": []` // which no text can look like, because its quotes are escaped
	begin := bytes.Index(raw, []byte(list)) + len(list) - len("]")
	if _, err = to.Write(raw[:begin]); err == nil {
		err = writeQueries(to, d.Queries)
	}
	if err == nil {
		_, err = to.Write(append([]byte("\n  "), raw[begin:]...))
	}
	return err
}

// partSize is how many statements a processor encodes before they are written.
const partSize = 128

// writeQueries writes the elements of the list of statements, encoded on all processors.
func writeQueries(to io.Writer, left []Query) error {
	parts := make([][]byte, runtime.GOMAXPROCS(0))
	errs := make([]error, len(parts))
	skip := len(",") // there is none in front of the first one
	for len(left) > 0 {
		now := left[:min(len(left), len(parts)*partSize)]
		left = left[len(now):]
		each(len(parts), func(i int) {
			from, end := len(now)*i/len(parts), len(now)*(i+1)/len(parts)
			parts[i], errs[i] = appendQueries(parts[i][:0], now[from:end])
		})
		if err := errors.Join(errs...); err != nil {
			return fmt.Errorf("encode queries of digest: %w", err)
		}
		for _, part := range parts {
			skipped := min(skip, len(part)) // a part is empty if there are more processors than statements
			skip -= skipped
			if _, err := to.Write(part[skipped:]); err != nil {
				return err
			}
		}
	}
	return nil
}

// appendQueries appends statements, each behind a comma and a line end.
func appendQueries(to []byte, list []Query) ([]byte, error) {
	for i := range list {
		var err error
		if to, err = list[i].appendTo(append(to, ",\n    "...), 2); err != nil {
			return to, err
		}
	}
	return to, nil
}

// Read decodes what JSON wrote. One of a later schema is refused.
func Read(from io.Reader) (*Digest, error) {
	var d Digest
	if err := json.NewDecoder(from).Decode(&d); err != nil {
		return nil, fmt.Errorf("read digest: it is no whole JSON: %w", err)
	}
	if d.Schema < 1 || d.Schema > SchemaVersion {
		return nil, fmt.Errorf("read digest: its schema is %d and this program knows 1 to %d", d.Schema, SchemaVersion)
	}
	return &d, nil
}
