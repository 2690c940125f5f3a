package sampler

import (
	"bytes"
	"hash/maphash"
	"strings"

	"plimsoll/collectors/snapshot"
	"plimsoll/collectors/sqltext"
)

// maxSQL is how much of a statement is read. What is longer counts as cut off, and joins what begins as it does.
const maxSQL = 64 << 10

// statement is what a worker waits for.
type statement struct {
	// text is as the program wrote it; empty if there is none.
	text []byte
	// spoken is the text with the values that were sent; empty where they are not known.
	spoken []byte
}

// sqlOf returns the statement that a worker waits for, if the innermost call has one.
func sqlOf(from reader, frames []frame) statement {
	s := statement{text: textOf(from, frames)}
	switch {
	case len(s.text) == 0:
	case strings.HasPrefix(strings.ToLower(frames[0].function), "pdostatement::"):
		s.spoken = emulated(from, frames[0].this)
	default:
		s.spoken = s.text
	}
	if bytes.Equal(s.text, s.spoken) && bytes.ContainsAny(s.text, "?:") {
		s.spoken = nil // Its values go apart from it, or may: a literal can hold these characters too.
	}
	return s
}

// emulated returns the text that a PDOStatement sends: with the values where PDO prepares it itself, as is its
// default. pdo_stmt_t stands before its zend_object, and in it active_query_string after query_string, which is
// the very string that the property queryString has.
func emulated(from reader, object uint64) []byte {
	const before = 400 // It has some 270 bytes.
	v := view{from: from}
	own := v.uint64(object + objectFirst)
	var raw [before]byte
	v.read(object-before, raw[:])
	if v.err != nil || own == 0 {
		return nil
	}
	for at := before - 16; at >= 0; at -= 8 { // Before it there may be another statement with this text.
		if native64(raw[at:]) == own {
			return readString(&v, native64(raw[at+8:]), maxSQL)
		}
	}
	return nil
}

func textOf(from reader, frames []frame) []byte {
	if len(frames) == 0 || !frames[0].internal() {
		return nil
	}
	f := frames[0]
	v := view{from: from}
	argument := func(n uint64) []byte { return statementAt(&v, f.at+frameArgument+16*(n-1)) }
	switch class, method, _ := strings.Cut(strings.ToLower(f.function), "::"); {
	case class == "pdo" || class == "mysqli" || strings.HasPrefix(class, `pdo\`):
		switch method {
		case "query", "exec", "prepare", "real_query", "multi_query", "execute_query":
			return argument(1)
		}
		if class != "mysqli" {
			return controlOf(method)
		}
	case class == "pdostatement" && f.this != 0:
		return statementAt(&v, f.this+objectFirst) // queryString is its first property.
	case class == "mysqli_stmt" && f.this != 0:
		return preparedAt(&v, f.this)
	case class == "mysqli_stmt_execute" || class == "mysqli_stmt_store_result" || class == "mysqli_stmt_fetch":
		return preparedAt(&v, objectAt(&v, f.at+frameArgument))
	case class == "mysqli_query" || class == "mysqli_real_query" || class == "mysqli_multi_query" ||
		class == "mysqli_prepare" || class == "mysqli_execute_query":
		return argument(2)
	}
	return nil
}

// controlOf returns what PDO sends by itself for a method that ends or begins a transaction. That of mysqli depends on
// its arguments.
func controlOf(method string) []byte {
	switch method {
	case "begintransaction":
		return []byte("START TRANSACTION")
	case "commit":
		return []byte("COMMIT")
	case "rollback":
		return []byte("ROLLBACK")
	}
	return nil
}

// statementAt reads a zval that holds a statement, with a mark if it is longer than what is read.
func statementAt(v *view, at uint64) []byte {
	text, whole, ok := readStringValue(v, at, maxSQL)
	if !ok || len(text) == 0 {
		return nil
	}
	if !whole {
		text = append(text, "..."...)
	}
	return text
}

// objectAt reads a zval that holds an object.
func objectAt(v *view, at uint64) uint64 {
	var raw [16]byte
	v.read(at, raw[:])
	if raw[zvalType] == typeReference {
		v.read(native64(raw[:])+8, raw[:])
	}
	if raw[zvalType] != typeObject {
		return 0
	}
	return native64(raw[:])
}

// preparedAt reads the statement of a mysqli_stmt: mysqli_object.ptr, two words before the object itself, is a
// MYSQLI_RESOURCE that begins with a MY_STMT, whose query stands behind two BIND_BUFFERs.
func preparedAt(v *view, object uint64) []byte {
	if object == 0 {
		return nil
	}
	const beforeObject, query = 16, 8 + 32 + 32
	statement := v.uint64(v.uint64(object - beforeObject))
	text := v.uint64(statement + query)
	if v.err != nil || text == 0 {
		return nil
	}
	return []byte(textAt(v.from, text))
}

// digests are the statements that were seen.
type digests struct {
	read  sqltext.Digester
	texts map[string]snapshot.DigestText
	seed  maphash.Seed
}

// maxTexts bounds the texts that are kept; rows whose statement has none show its fingerprint.
const maxTexts = 4000

func newDigests() *digests {
	return &digests{texts: map[string]snapshot.DigestText{}, seed: maphash.MakeSeed()}
}

// add returns a statement's fingerprint, and a hash of what was sent under a key that is this process' own
// and that nobody else can compute: it is compared within one request and then forgotten. It is 0 where the
// values are not known.
func (d *digests) add(s statement) (fingerprint string, literal uint64) {
	sql := s.text
	fingerprint = d.read.Sum(sql).Fingerprint()
	if _, known := d.texts[fingerprint]; !known && len(d.texts) < maxTexts {
		t := d.read.Describe(sql)
		d.texts[fingerprint] = snapshot.DigestText{
			Fingerprint: fingerprint, Text: snapshot.Redacted(t.Text), Class: string(t.Class),
			Reads: t.Reads, Writes: t.Writes, Truncated: t.Truncated,
		}
	}
	if len(s.spoken) == 0 {
		return fingerprint, 0
	}
	return fingerprint, max(maphash.Bytes(d.seed, s.spoken), 1)
}
