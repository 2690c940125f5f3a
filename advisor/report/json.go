package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// JSON returns the report as JSON, indented, and ended by a newline.
func (r *Report) JSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return nil, fmt.Errorf("encode report: %w", err)
	}
	return b.Bytes(), nil
}

// Read decodes a report that JSON wrote. One of a later schema is refused.
func Read(from io.Reader) (*Report, error) {
	var r Report
	if err := json.NewDecoder(from).Decode(&r); err != nil {
		return nil, fmt.Errorf("read report: %w", err)
	}
	if r.Schema < 1 || r.Schema > SchemaVersion {
		return nil, fmt.Errorf("read report: its schema is %d and this program knows 1 to %d", r.Schema, SchemaVersion)
	}
	return &r, nil
}
