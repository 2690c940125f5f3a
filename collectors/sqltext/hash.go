package sqltext

import "encoding/hex"

// FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// hashText hashes a text as it is.
func hashText(s string) uint64 {
	h := uint64(fnvOffset)
	for i := 0; i < len(s); i++ {
		h = (h ^ uint64(s[i])) * fnvPrime
	}
	return h
}

// hashWord hashes a word twice in one pass: with its ASCII letters in upper case, and as it is.
func hashWord(s string) (folded, exact uint64) {
	folded, exact = fnvOffset, fnvOffset
	for i := 0; i < len(s); i++ {
		c := s[i]
		exact = (exact ^ uint64(c)) * fnvPrime
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		folded = (folded ^ uint64(c)) * fnvPrime
	}
	return folded, exact
}

// mix adds a token to the hash of those before it. The shift brings the high bits, which a
// multiplication alone would never move down, into the next round.
func mix(h, token uint64) uint64 {
	h = (h ^ token) * 0x9fb21c651e98df25
	return h ^ h>>29
}

// finish spreads the last tokens over all bits (MurmurHash3's fmix64).
func finish(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// name writes a fingerprint: the prefix and 16 hexadecimal digits.
func name(prefix string, h uint64) string {
	var b [8]byte
	for i := range b {
		b[i] = byte(h >> (56 - 8*i))
	}
	var room [32]byte
	return string(hex.AppendEncode(append(room[:0], prefix...), b[:]))
}
