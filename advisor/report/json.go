package report

import (
	"encoding/json"
	"fmt"
	"io"

	"plimsoll/advisor/layout"
)

// JSON returns the report as JSON, indented, and ended by a newline. It can be
// shown anywhere: what is not printable, such as a mark that turns the direction
// of text, is escaped.
func (r *Report) JSON() ([]byte, error) {
	raw, err := layout.JSON(r)
	if err != nil {
		return nil, fmt.Errorf("encode report: %w", err)
	}
	return raw, nil
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
