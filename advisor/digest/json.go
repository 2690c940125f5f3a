package digest

import (
	"encoding/json"
	"fmt"
	"io"

	"plimsoll/advisor/layout"
)

// JSON returns the digest as docs/digest.schema.json says.
func (d *Digest) JSON() ([]byte, error) {
	raw, err := layout.JSON(d)
	if err != nil {
		return nil, fmt.Errorf("encode digest: %w", err)
	}
	return raw, nil
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
