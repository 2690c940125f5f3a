package sqltext

import (
	"crypto/rand"
	"encoding/binary"
	"math/bits"
)

// skeletonKey makes the hash of skeletons unpredictable, so that nobody can write two statements that
// are taken for one. It is not hash/maphash: the pieces between literals are so short that its call
// takes longer than they do.
type skeletonKey struct{ hash, word, end uint64 }

func newSkeletonKey() skeletonKey {
	var b [24]byte
	_, _ = rand.Read(b[:]) // it never fails
	return skeletonKey{
		hash: binary.LittleEndian.Uint64(b[:]),
		word: binary.LittleEndian.Uint64(b[8:]),
		end:  binary.LittleEndian.Uint64(b[16:]),
	}
}

// fold is the step of the hash: it multiplies, and mixes both halves of the product. It is wyhash's,
// which Go's maps use too where a processor has nothing better: https://github.com/wangyi-fudan/wyhash
func fold(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return high ^ low
}

// special are the bytes that may begin what is left out, or what has to be read to know that. They
// weigh so much that the sum of eight bytes tells whether one is there, and how many backticks.
var special = func() (t [256]uint8) {
	for _, c := range []byte("'\"0123456789(-/#@$\\") {
		t[c] = heavy
	}
	t['`'] = 1
	return t
}()

const heavy = 16

// skipPlain skips what is not special, and hashes what it can of it in words of eight bytes. It skips
// most names in backticks too: of them it only counts the backticks.
func (s *skeleton) skipPlain() {
	src, pos, begin, hash, ticks := s.src, s.pos, s.begin, s.hash, s.ticks
	for {
		for pos+8 <= len(src) {
			b := src[pos : pos+8]
			sum := special[b[0]] + special[b[1]] + special[b[2]] + special[b[3]] +
				special[b[4]] + special[b[5]] + special[b[6]] + special[b[7]]
			if sum >= heavy {
				break
			}
			ticks += sum
			hash = fold(hash^s.key.hash, load(src[begin:begin+8])^s.key.word)
			begin += 8
			pos += 8
		}
		for pos < len(src) && special[src[pos]] < heavy {
			ticks += special[src[pos]]
			pos++
		}
		if pos == 0 || pos >= len(src) || class[src[pos]] != digit || class[src[pos-1]] < digit {
			break
		}
		for pos < len(src) && class[src[pos]] >= digit { // the digit belongs to a word
			pos++
		}
	}
	s.pos, s.begin, s.hash, s.ticks = pos, begin, hash, ticks
}

// inName reports whether a name in backticks has begun and not ended.
func (s *skeleton) inName() bool { return s.ticks%2 == 1 }

// leaveOut hashes the bytes before start and a mark for those from there to here.
func (s *skeleton) leaveOut(start int, mark uint64) {
	for ; start-s.begin >= 8; s.begin += 8 {
		s.hash = fold(s.hash^s.key.hash, load(s.src[s.begin:s.begin+8])^s.key.word)
	}
	n := start - s.begin
	rest := upTo8(s.src, s.begin) & (1<<(8*n&63) - 1)
	s.hash = fold(s.hash^s.key.hash, (mark<<60|uint64(n)<<56|rest)^s.key.end)
	s.begin = s.pos
}

// load returns the first eight bytes of s, the first one lowest.
func load(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// upTo8 returns the eight bytes of s from i on, and zeros behind its end.
func upTo8(s string, i int) (w uint64) {
	if i+8 <= len(s) {
		return load(s[i : i+8])
	}
	if len(s) >= 8 {
		return load(s[len(s)-8:]) >> (8 * (i + 8 - len(s)))
	}
	for n := len(s) - 1; n >= i; n-- {
		w = w<<8 | uint64(s[n])
	}
	return w
}

// Constants for eight bytes at once.
const (
	eachByte = 0x0101010101010101
	highBits = 0x80 * eachByte
)

// bytesIn sets the high bit of each byte of w that is from first to last. It is right up to the first
// byte that is no ASCII, and its other bits mean nothing.
func bytesIn(w uint64, first, last byte) uint64 {
	return (w + eachByte*uint64(0x80-first)) ^ (w + eachByte*uint64(0x7f-last))
}
