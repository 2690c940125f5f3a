package mysql

import "encoding/binary"

// packer writes numbers and texts one after the other, small numbers short.
// 10,000 digests have half a million numbers, for which JSON takes thirty times
// as long: most of what the agent would cost.
type packer struct{ bytes []byte }

// newPacker has room for n digests of usual size.
func newPacker(n int) *packer { return &packer{make([]byte, 0, 200*n)} }

func (p *packer) uint(n uint64) { p.bytes = binary.AppendUvarint(p.bytes, n) }

func (p *packer) int(n int64) { p.bytes = binary.AppendVarint(p.bytes, n) }

func (p *packer) bool(b bool) {
	if b {
		p.uint(1)
	} else {
		p.uint(0)
	}
}

// flags writes up to 64 of them.
func (p *packer) flags(flags ...bool) {
	var bits uint64
	for i, flag := range flags {
		if flag {
			bits |= 1 << i
		}
	}
	p.uint(bits)
}

func (p *packer) text(s string) {
	p.uint(uint64(len(s)))
	p.bytes = append(p.bytes, s...)
}

// sums writes which sums are not zero, and those.
func (p *packer) sums(s *sums) {
	var present uint64
	for i, n := range s {
		if n != 0 {
			present |= 1 << i
		}
	}
	p.uint(present)
	for _, n := range s {
		if n != 0 {
			p.uint(n)
		}
	}
}

// unpacker reads what packer wrote. It is bad as soon as anything does not fit,
// and reads zeros from then on.
type unpacker struct {
	bytes []byte
	bad   bool
}

// more reports whether there is anything left to read.
func (u *unpacker) more() bool { return !u.bad && len(u.bytes) > 0 }

func (u *unpacker) uint() uint64 {
	n, length := binary.Uvarint(u.bytes)
	u.advance(length)
	return n
}

func (u *unpacker) int() int64 {
	n, length := binary.Varint(u.bytes)
	u.advance(length)
	return n
}

func (u *unpacker) advance(length int) {
	if length <= 0 {
		u.bad, u.bytes = true, nil
		return
	}
	u.bytes = u.bytes[length:]
}

func (u *unpacker) bool() bool { return u.uint() != 0 }

func (u *unpacker) flags(flags ...*bool) {
	bits := u.uint()
	for i, flag := range flags {
		*flag = bits&(1<<i) != 0
	}
}

func (u *unpacker) text() string {
	length := u.uint()
	if length > uint64(len(u.bytes)) {
		u.bad, u.bytes = true, nil
		return ""
	}
	s := string(u.bytes[:length])
	u.bytes = u.bytes[length:]
	return s
}

func (u *unpacker) sums() (s sums) {
	present := u.uint()
	for i := range s {
		if present&(1<<i) != 0 {
			s[i] = u.uint()
		}
	}
	return s
}
