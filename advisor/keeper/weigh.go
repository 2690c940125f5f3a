package keeper

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// weigh returns how many bytes of memory it takes at most to decode raw into a
// value of type t, but for small change a value, and fails once that is more
// than room.
//
// An element of a list takes two bytes of JSON and may take hundreds of memory:
// 64 MiB of "[{},{},{}" would become gigabytes before anyone could look at them.
// What an agent sends is two or three times as large in memory as in JSON.
//
// Raw need not be JSON. What is none has some weight, and is the decoder's to
// refuse, which looks through all of it before it takes any memory. Known is
// added to.
func weigh(raw []byte, t reflect.Type, room int64, known fields) (int64, error) {
	s := scale{raw: raw, room: room, fields: known}
	s.value(t, 0)
	if s.weight > room {
		return s.weight, fmt.Errorf("it would take more than the %d MiB of memory that an agent's snapshot may", maxWeight>>20)
	}
	return s.weight, nil
}

// scale goes through JSON along with the type that it is decoded into; the type
// is nil where the decoder skips a value.
type scale struct {
	raw          []byte
	at           int
	weight, room int64
	fields       fields
}

// fields are the types of each struct's fields by their names in JSON, as far as
// they were wanted.
type fields map[reflect.Type]map[string]reflect.Type

const (
	// grown is how much more than its elements a list takes that grew one by one.
	grown = 2
	// perEntry is what a map takes for an entry beside its key and value: its
	// first makes room for eight.
	perEntry = 256
	// maxDepth is how deep the decoder goes.
	maxDepth = 10_000
)

func (s *scale) value(t reflect.Type, depth int) {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
		s.add(t.Size())
	}
	switch s.next() {
	case '{':
		s.object(t, depth+1)
	case '[':
		s.list(t, depth+1)
	case '"':
		s.add(uintptr(len(s.text())))
	case ',', ':', ']', '}': // no value
		s.at++
	default:
		s.scalar()
	}
}

func (s *scale) object(t reflect.Type, depth int) {
	for s.more('}', depth) {
		if s.next() != '"' {
			s.end() // no JSON
			return
		}
		key := s.text()
		if s.next() == ':' {
			s.at++
		}
		s.value(s.member(t, key), depth)
	}
}

func (s *scale) list(t reflect.Type, depth int) {
	var element reflect.Type
	if t != nil && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) {
		element = t.Elem()
	}
	for s.more(']', depth) {
		if element != nil {
			s.add(grown * element.Size())
		}
		s.value(element, depth)
	}
}

// more goes to the next element of what the bracket at s.at began, or past its
// end.
func (s *scale) more(end byte, depth int) bool {
	if depth > maxDepth {
		s.end()
		return false
	}
	switch s.next() {
	case '{', '[', ',':
		if s.at++; s.next() != end {
			return s.at < len(s.raw)
		}
	}
	s.at++
	return false
}

// member returns the type of an object's member by its key, which can be written
// with escapes, and in other letters than a field's: the decoder takes ROWS, too.
func (s *scale) member(t reflect.Type, key []byte) reflect.Type {
	switch {
	case t == nil:
	case t.Kind() == reflect.Map:
		s.add(t.Key().Size() + t.Elem().Size() + perEntry)
		return t.Elem()
	case t.Kind() == reflect.Struct:
		known := s.fieldsOf(t)
		if of, ok := known[string(key)]; ok {
			return of
		}
		var name string
		if json.Unmarshal(fmt.Appendf(nil, `"%s"`, key), &name) == nil {
			return known[fold(name)]
		}
	}
	return nil
}

// fieldsOf returns the types of a struct's fields by their names in JSON.
func (s *scale) fieldsOf(t reflect.Type) map[string]reflect.Type {
	if s.fields[t] == nil {
		s.fields[t] = map[string]reflect.Type{}
		for _, f := range reflect.VisibleFields(t) {
			if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && f.IsExported() {
				s.fields[t][name], s.fields[t][fold(name)] = f.Type, f.Type
			}
		}
	}
	return s.fields[t]
}

// fold makes names equal that differ in upper and lower case only; some letters
// have two lower cases.
func fold(name string) string { return strings.ToLower(strings.ToUpper(name)) }

// text goes past a string and returns what is between its quotes.
func (s *scale) text() []byte {
	s.at++
	began := s.at
	for s.at < len(s.raw) {
		rest := s.raw[s.at:]
		quote := bytes.IndexByte(rest, '"')
		if quote < 0 {
			break
		}
		escape := bytes.IndexByte(rest[:quote], '\\')
		if escape < 0 {
			s.at += quote + 1
			return s.raw[began : s.at-1]
		}
		s.at += escape + 2
	}
	s.end()
	return nil
}

// scalar goes past a number, true, false or null.
func (s *scale) scalar() {
	for s.at < len(s.raw) {
		switch s.raw[s.at] {
		case ',', ']', '}', ':', ' ', '\t', '\r', '\n':
			return
		}
		s.at++
	}
}

// next goes past white space and returns what follows; 0 at the end.
func (s *scale) next() byte {
	for s.at < len(s.raw) {
		switch c := s.raw[s.at]; c {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return c
		}
	}
	return 0
}

// add goes to the end once there is no more room.
func (s *scale) add(bytes uintptr) {
	if s.weight += int64(bytes); s.weight > s.room {
		s.end()
	}
}

func (s *scale) end() { s.at = len(s.raw) }
