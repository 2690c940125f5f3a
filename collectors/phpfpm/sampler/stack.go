package sampler

import (
	"errors"
	"strings"
)

// frame is a call on PHP's stack.
type frame struct {
	// function is a name, with its class as in PDO::query; {main} for a file's own code.
	function string
	// file and line are of the code that runs there; empty for a function of PHP itself.
	file string
	line int
	// at is the call's zend_execute_data, this the object that it is a method of.
	at, this uint64
}

// internal reports whether the function is PHP's own or an extension's.
func (f frame) internal() bool { return f.file == "" }

// Offsets that PHP 8.1 to 8.5 have in common: zend_compile.h, zend_types.h.
const (
	frameLine     = 0  // zend_execute_data.opline
	frameFunction = 24 // .func
	frameThis     = 32 // .This
	framePrevious = 48 // .prev_execute_data
	frameBytes    = 56
	frameArgument = 80 // of the first argument of an internal function; they are 16 bytes apart

	functionType  = 0 // zend_function.type
	functionName  = 8 // .common.function_name
	functionClass = 16
	className     = 8
	lineNumber    = 24 // zend_op.lineno

	stringLength = 16
	stringText   = 24
	zvalType     = 8
	objectFirst  = 40 // zend_object.properties_table[0]

	internalFunction = 1
	typeString       = 6
	typeObject       = 8
	typeReference    = 10
)

const (
	// maxFrames is deeper than the stacks of Magento and Drupal.
	maxFrames = 100
	// maxName is for names of functions and classes, with namespaces.
	maxName = 250
)

// readStack returns the calls of a worker, the innermost first.
func readStack(from reader, executor uint64, l layout, known *functions) ([]frame, error) {
	v, calls := view{from: from}, view{from: &page{from: from}}
	var frames []frame
	at := v.uint64(executor + l.frame)
	for range maxFrames {
		if at == 0 || v.err != nil || calls.err != nil {
			break
		}
		var raw [frameBytes]byte
		calls.read(at, raw[:])
		if function := native64(raw[frameFunction:]); function != 0 && calls.err == nil {
			f := known.read(&v, function, l)
			f.at, f.this = at, native64(raw[frameThis:])
			if opline := native64(raw[frameLine:]); opline != 0 && !f.internal() {
				f.line = int(uint32(v.uint64(opline + lineNumber)))
			}
			frames = append(frames, f)
		}
		at = native64(raw[framePrevious:])
	}
	return frames, errors.Join(v.err, calls.err)
}

// page reads memory a page at a time: PHP's calls lie one behind the other in a stack of their own, which holds
// no texts.
type page struct {
	from reader
	addr uint64
	room [pageBytes]byte
	full bool
}

const pageBytes = 4096

// Read reads the page around what is asked for, unless that lies in two.
func (p *page) Read(addr uint64, into []byte) error {
	base := addr &^ (pageBytes - 1)
	if addr-base+uint64(len(into)) > pageBytes {
		return p.from.Read(addr, into)
	}
	if !p.full || base != p.addr {
		if err := p.from.Read(base, p.room[:]); err != nil {
			return p.from.Read(addr, into)
		}
		p.addr, p.full = base, true
	}
	copy(into, p.room[addr-base:])
	return nil
}

// functions remembers the names of functions that stay where they are: PHP's own, and those in opcache's memory,
// which is only added to until it is emptied as a whole.
type functions struct {
	lasting mapping // opcache's memory
	known   map[uint64]function
}

// function is what was read of a zend_function, and the words by which it is known again.
type function struct {
	frame            frame
	name, class, key uint64
}

// maxFunctions bounds what is remembered; a large application has some ten thousand functions, of which few wait.
const maxFunctions = 1 << 13

func (k *functions) read(v *view, at uint64, l layout) frame {
	head := make([]byte, l.file+8)
	v.read(at, head)
	kind, name, class := head[functionType], native64(head[functionName:]), native64(head[functionClass:])
	file := native64(head[l.file:])
	if kind == internalFunction {
		file = 0
	}
	if f, ok := k.known[at]; ok && f.name == name && f.class == class && f.key == file {
		return f.frame
	}
	f := function{frame: frame{function: "{main}"}, name: name, class: class, key: file}
	if name != 0 {
		f.frame.function = readName(v, name)
	}
	if class != 0 {
		f.frame.function = readName(v, v.uint64(class+className)) + "::" + f.frame.function
	}
	if file != 0 {
		f.frame.file = string(readString(v, file, maxPath))
	}
	if v.err == nil && (kind == internalFunction || k.lasting.holds(at)) {
		k.remember(at, f)
	}
	return f.frame
}

func (k *functions) remember(at uint64, f function) {
	if k.known == nil || len(k.known) >= maxFunctions {
		k.forget()
	}
	k.known[at] = f
}

// forget is called now and then, as opcache may have been emptied.
func (k *functions) forget() { k.known = map[uint64]function{} }

func (m mapping) holds(addr uint64) bool { return addr >= m.addr && addr-m.addr < m.size }

// readName reads the name of a function or class, without what PHP adds to those that have none: the name of an
// anonymous class ends in its file behind a zero, and since 8.4 a closure's in where it stands.
func readName(v *view, at uint64) string {
	name := cstring(readString(v, at, maxName))
	if strings.HasPrefix(name, "{closure:") {
		return "{closure}"
	}
	return name
}

// readString reads a zend_string.
func readString(v *view, at uint64, limit int) []byte {
	return v.text(at+stringText, v.uint64(at+stringLength), limit)
}

// readStringValue reads a zval that holds a string.
func readStringValue(v *view, at uint64, limit int) (text []byte, whole, ok bool) {
	var raw [16]byte
	v.read(at, raw[:])
	if raw[zvalType] == typeReference {
		v.read(native64(raw[:])+8, raw[:])
	}
	if v.err != nil || raw[zvalType] != typeString {
		return nil, false, false
	}
	at = native64(raw[:])
	size := v.uint64(at + stringLength)
	text = readString(v, at, limit)
	return text, size == uint64(len(text)), v.err == nil
}
