package layout

import (
	"encoding/json"
	"fmt"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// JSON returns v as JSON, indented, and ended by a newline. It can be shown anywhere: what is not
// printable, such as a mark that turns the direction of text, is escaped.
func JSON(v any) ([]byte, error) {
	raw, err := AppendJSON(nil, v, 0)
	if err != nil {
		return nil, err
	}
	return append(raw, '\n'), nil
}

// AppendJSON appends v as JSON that stands so deep in what surrounds it, without a newline behind it.
func AppendJSON(to []byte, v any, depth int) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return to, err
	}
	p := pretty{out: to, depth: depth}
	p.write(raw)
	return p.out, nil
}

// pretty indents compact JSON and escapes what is not printable, in one pass: reports have megabytes.
type pretty struct {
	out   []byte
	depth int
}

func (p *pretty) write(raw []byte) {
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; c {
		case '"':
			i = p.text(raw, i) - 1
		case '{', '[':
			p.out = append(p.out, c)
			if raw[i+1] == c+2 { // in ASCII } is { and 2, and so are the brackets
				i++
				p.out = append(p.out, c+2)
				continue
			}
			p.depth++
			p.line()
		case '}', ']':
			p.depth--
			p.line()
			p.out = append(p.out, c)
		case ',':
			p.out = append(p.out, c)
			p.line()
		case ':':
			p.out = append(p.out, ": "...)
		default:
			p.out = append(p.out, c)
		}
	}
}

// line begins a line.
func (p *pretty) line() {
	p.out = append(p.out, '\n')
	for range p.depth {
		p.out = append(p.out, "  "...)
	}
}

// text writes the string that begins at i, and returns its end.
func (p *pretty) text(raw []byte, i int) (end int) {
	from := i
	for i++; ; {
		switch c := raw[i]; {
		case ' ' <= c && c < 0x7f && c != '"' && c != '\\':
			i++
		case c == '\\':
			i += 2
		case c == '"':
			p.out = append(p.out, raw[from:i+1]...)
			return i + 1
		default:
			r, size := utf8.DecodeRune(raw[i:])
			if !unicode.IsPrint(r) {
				p.out = append(p.out, raw[from:i]...)
				p.escape(r)
				from = i + size
			}
			i += size
		}
	}
}

// escape writes a character as \uXXXX.
func (p *pretty) escape(r rune) {
	for _, unit := range utf16.AppendRune(nil, r) {
		p.out = fmt.Appendf(p.out, `\u%04x`, unit)
	}
}
