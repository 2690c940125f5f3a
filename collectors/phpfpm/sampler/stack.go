package sampler

import "strings"

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
	functionBytes = 24
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
func readStack(from reader, executor uint64, l layout) ([]frame, error) {
	v := view{from: from}
	var frames []frame
	at := v.uint64(executor + l.frame)
	for range maxFrames {
		if at == 0 || v.err != nil {
			break
		}
		var raw [frameBytes]byte
		v.read(at, raw[:])
		if function := native64(raw[frameFunction:]); function != 0 && v.err == nil {
			f := readFunction(&v, function, native64(raw[frameLine:]), l)
			f.at, f.this = at, native64(raw[frameThis:])
			frames = append(frames, f)
		}
		at = native64(raw[framePrevious:])
	}
	return frames, v.err
}

func readFunction(v *view, function, opline uint64, l layout) frame {
	var raw [functionBytes]byte
	v.read(function, raw[:])
	f := frame{function: "{main}"}
	if name := native64(raw[functionName:]); name != 0 {
		f.function = readName(v, name)
	}
	if class := native64(raw[functionClass:]); class != 0 {
		f.function = readName(v, v.uint64(class+className)) + "::" + f.function
	}
	if raw[functionType] == internalFunction {
		return f
	}
	f.file = string(readString(v, v.uint64(function+l.file), maxPath))
	if opline != 0 {
		var line [4]byte
		v.read(opline+lineNumber, line[:])
		f.line = int(native32(line[:]))
	}
	return f
}

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
