package sqltext

import "unsafe"

// Sum is the fingerprint of a statement as a small value that can be compared and be the key of a
// map. It is for those who count many statements and name few.
type Sum struct {
	hash      uint64
	truncated bool
}

// Fingerprint returns the text of the sum, see the function [Fingerprint].
func (s Sum) Fingerprint() string {
	if s.truncated {
		return name("fp1t:", s.hash)
	}
	return name("fp1:", s.hash)
}

// Digester reads many statements, one after the other, in memory that it keeps. The zero value reads
// as MySQL does by default; Options may be set before the first use. It is not safe for concurrent
// use: each goroutine has its own.
type Digester struct {
	Options
	room canonRoom
}

// Sum returns the fingerprint of a statement. It allocates nothing for statements of usual size and
// keeps nothing of sql.
func (d *Digester) Sum(sql []byte) Sum {
	c := d.canonical(unsafe.String(unsafe.SliceData(sql), len(sql)), &d.room, false)
	return c.sum()
}

// Describe returns everything that the tokens of a statement tell: what Sum leaves out. It is for the
// first sight of a sum.
func (d *Digester) Describe(sql []byte) Statement { return d.Parse(string(sql)) }
