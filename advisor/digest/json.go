package digest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"plimsoll/advisor/layout"
)

// JSON returns the digest as docs/digest.schema.json says.
func (d *Digest) JSON() ([]byte, error) {
	frame := *d
	frame.Queries = []Query{}
	raw, err := layout.JSON(&frame)
	if err != nil {
		return nil, fmt.Errorf("encode digest: %w", err)
	}
	if len(d.Queries) == 0 {
		return raw, nil
	}
	parts, err := d.queryParts()
	if err != nil {
		return nil, fmt.Errorf("encode queries of digest: %w", err)
	}
	// No text can look like this, because its quotes are escaped.
	before, after, _ := bytes.Cut(raw, []byte(`"queries": []`))
	parts[0] = slices.Concat(before, []byte(`"queries": [`), parts[0][len(","):])
	return slices.Concat(append(parts, []byte("\n  ]"), after)...), nil
}

// partSize is how many statements are encoded at a time.
const partSize = 128

// queryParts encodes the statements, each behind a comma and a line end.
func (d *Digest) queryParts() ([][]byte, error) {
	parts := make([][]byte, (len(d.Queries)+partSize-1)/partSize)
	errs := make([]error, len(parts))
	each(len(parts), func(i int) {
		for q := i * partSize; q < min((i+1)*partSize, len(d.Queries)) && errs[i] == nil; q++ {
			parts[i] = append(parts[i], ",\n    "...)
			parts[i], errs[i] = layout.AppendJSON(parts[i], &d.Queries[q], 2)
		}
	})
	return parts, errors.Join(errs...)
}

// Read decodes what JSON wrote. One of a later schema is refused.
func Read(from io.Reader) (*Digest, error) {
	var d Digest
	if err := json.NewDecoder(from).Decode(&d); err != nil {
		return nil, fmt.Errorf("read digest: %w", err)
	}
	if d.Schema < 1 || d.Schema > SchemaVersion {
		return nil, fmt.Errorf("read digest: its schema is %d and this program knows 1 to %d", d.Schema, SchemaVersion)
	}
	return &d, nil
}
