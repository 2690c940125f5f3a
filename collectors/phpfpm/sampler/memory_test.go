package sampler

import (
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// image is memory that a test laid out: what is not there cannot be read.
type image map[uint64][]byte

func (m image) Read(addr uint64, into []byte) error {
	for base, b := range m {
		if addr >= base && addr-base <= uint64(len(b)) && uint64(len(b))-(addr-base) >= uint64(len(into)) {
			copy(into, b[addr-base:])
			return nil
		}
	}
	return errShort
}

// put lays out words and texts one after the other at an address.
func (m image) put(addr uint64, parts ...any) uint64 {
	var b []byte
	for _, p := range parts {
		switch v := p.(type) {
		case int:
			b = binary.NativeEndian.AppendUint64(b, uint64(v))
		case uint64:
			b = binary.NativeEndian.AppendUint64(b, v)
		case uint32:
			b = binary.NativeEndian.AppendUint32(b, v)
		case string:
			b = append(b, v...)
		}
	}
	m[addr] = b
	return addr
}

// text lays out a zend_string.
func (m image) text(addr uint64, s string) uint64 { return m.put(addr, 1, 0, len(s), s) }

func TestParametersOfARequestAreReadByName(t *testing.T) {
	m := image{}
	bucket := func(name, value string, at uint64) []any {
		m.put(at, name+"\x00"+value+"\x00")
		return []any{hashOf(name), uint32(len(name)), at, uint32(len(value)), uint32(0), at + uint64(len(name)) + 1, 0, 0}
	}
	m.put(0x100, 0x10000)
	m.put(0x10000+envOffset+bucketsOffset, 0x20000)
	block := []any{uint32(4), uint32(0), 0}
	block = append(block, bucket("REQUEST_URI", "/product/1", 0x31000)...)
	block = append(block, bucket("REQUEST_METHOD", "POST", 0x32000)...)
	block = append(block, bucket("HTTP_COOKIE", "marked", 0x33000)...) // 11 bytes, as REQUEST_URI
	block = append(block, bucket("SCRIPT_NAME", "/index.php", 0x34000)...)
	m.put(0x20000, append(block, string(make([]byte, bucketsInBlock*bucketBytes)))...)
	delete(m, 0x33000) // Whoever reads a cookie fails.
	m.put(0x33000, "HTTP_COOKIE\x00")

	got, err := readRequest(m, 0x100)
	want := request{method: "POST", uri: "/product/1", script: "/index.php"}
	if diff := cmp.Diff(want, got, parts); err != nil || diff != "" {
		t.Errorf("readRequest: %v (-want +got):\n%s", err, diff)
	}
	if !got.agrees("POST", "/index.php") || got.agrees("GET", "/index.php") || got.agrees("POST", "/other.php") {
		t.Error("agrees does not tell requests apart")
	}
}

// hall is memory in which every address leads to others, as a hostile or half-written process may have it.
type hall struct {
	seed  []byte
	reads int
}

func (h *hall) Read(addr uint64, into []byte) error {
	h.reads++
	for i := range into {
		into[i] = byte(addr>>(8*(i%8))) + byte(i)
		if len(h.seed) > 0 {
			into[i] ^= h.seed[(int(addr%4096)+i)%len(h.seed)]
		}
	}
	return nil
}

func FuzzMemoryIsReadABoundedNumberOfTimes(f *testing.F) {
	f.Add([]byte{1, 2, 3}, uint64(0x1000))
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 1}, uint64(8))
	f.Fuzz(func(t *testing.T, seed []byte, at uint64) {
		h := &hall{seed: seed}
		l, _ := layoutOf(20220829)
		frames, err := readStack(h, at, l, &functions{})
		if err == nil {
			sqlOf(h, frames)
			for _, name := range []string{"PDO::query", "PDOStatement::execute", "mysqli_query", "mysqli_stmt::execute", "mysqli_stmt_execute"} {
				sqlOf(h, []frame{{function: name, at: at, this: at}})
			}
		}
		_, _ = readRequest(h, at)
		_, _ = standardModule(h, at)
		if h.reads > 30*maxFrames+1000+maxModules*20+8*bucketsInBlock*10 {
			t.Errorf("%d reads", h.reads)
		}
	})
}

func TestValuesAreKnownWhereTheyAreInTheText(t *testing.T) {
	const query = "SELECT qty FROM stock WHERE product_id = ?"
	spoken := func(active string) string {
		m := image{}
		own, object := m.text(0x58000, query), uint64(0x70400)
		sent := own
		if active != query {
			sent = m.text(0x59000, active)
		}
		words := make([]any, 0, 60)
		for range (400 - 184) / 8 {
			words = append(words, own) // A statement with the same text is its neighbour.
		}
		words = append(words, own, sent)
		for len(words) < (400+objectFirst)/8 {
			words = append(words, 0)
		}
		m.put(object-400, append(words, own, typeString)...)
		return string(sqlOf(m, []frame{{function: "PDOStatement::execute", at: 0x61000, this: object}}).spoken)
	}
	if got := spoken(query); got != "" {
		t.Errorf("spoken = %q, want nothing: its values go apart", got)
	}
	const emulated = "SELECT qty FROM stock WHERE product_id = '7'"
	if got := spoken(emulated); got != emulated {
		t.Errorf("spoken = %q, want what PDO made of it", got)
	}
}

func TestStackAndStatementAreReadFromTheInnermostCall(t *testing.T) {
	for _, api := range []uint32{20210902, 20220829, 20230831, 20240924, 20250925} {
		l, ok := layoutOf(api)
		if !ok {
			t.Fatalf("no layout for %d", api)
		}
		m := image{}
		name := m.text(0x50000, "query")
		class := m.put(0x51000, 0, m.text(0x52000, "PDO"))
		internal := m.put(0x53000, internalFunction, name, class, string(make([]byte, 200)))
		user := m.put(0x54000, 2, m.text(0x55000, "load\x00/home/x.php:3"), 0,
			string(make([]byte, l.file-24)), m.text(0x56000, "/srv/shop/catalog.php"))
		m.put(0x57000+lineNumber, 42)
		outer := m.put(0x60000, 0x57000, 0, 0, user, 0, 0, 0)
		sql := m.text(0x58000, "SELECT 1 FROM t")
		inner := m.put(0x61000, 0, 0, 0, internal, 0x7000, 0, outer, 0, 0, 0, sql, typeString)
		m.put(0x40000+l.frame, inner)

		frames, err := readStack(m, 0x40000, l, &functions{})
		want := []frame{
			{function: "PDO::query", at: inner, this: 0x7000},
			{function: "load", file: "/srv/shop/catalog.php", line: 42, at: outer},
		}
		if diff := cmp.Diff(want, frames, parts); err != nil || diff != "" {
			t.Errorf("PHP %s: %v (-want +got):\n%s", l.minor, err, diff)
		}
		if got := string(sqlOf(m, frames).text); got != "SELECT 1 FROM t" {
			t.Errorf("PHP %s: the statement is %q", l.minor, got)
		}
	}
}
