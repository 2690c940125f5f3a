package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// JSON returns the report as JSON, indented, and ended by a newline. It can be
// shown anywhere: what is not printable, such as a mark that turns the direction
// of text, is escaped.
func (r *Report) JSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return nil, fmt.Errorf("encode report: %w", err)
	}
	return escapeUnprintable(b.Bytes()), nil
}

// escapeUnprintable writes what is not printable as \uXXXX. In JSON such stands
// in strings only, the ends of lines apart.
func escapeUnprintable(raw []byte) []byte {
	out := make([]byte, 0, len(raw))
	for _, r := range string(raw) {
		if r == '\n' || unicode.IsPrint(r) {
			out = utf8.AppendRune(out, r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			out = fmt.Appendf(out, `\u%04x`, unit)
		}
	}
	return out
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
