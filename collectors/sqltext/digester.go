package sqltext

import (
	"bytes"
	"strings"
	"unsafe"
)

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

// Digester reads many statements, one after the other, and remembers what it has seen of them. The
// zero value is ready and reads as MySQL does by default. It takes about a megabyte, and it is not
// safe for concurrent use: each goroutine has its own.
type Digester struct {
	// Options say how texts are to be read. A Digester forgets all when they change.
	Options Options

	options Options // what seen was made with
	key     skeletonKey
	seen    [][2]seen // by the low bits of the skeleton's hash, the last one first
	shared  *Shared   // nil if nothing is shared

	last   []byte  // a copy of the last text whose tokens were made; nil if they are not kept
	lastBy Options // how it was read
	tokens canon   // what was made of it

	printed []byte      // room for a text
	finder  tableFinder // room for tables
}

// seen is the sum of the texts that have a skeleton.
type seen struct {
	skeleton uint64
	sum      Sum
}

// manySeen is how many pairs of skeletons a Digester remembers: a power of two, and some times what a
// busy site has. It has more skeletons than fingerprints, because blanks make a difference.
const manySeen = 1 << 14

// Sum returns the fingerprint of a statement. For a text that differs in its literals only from one
// that it saw it is little more than the search for the literals. It allocates nothing once it has
// met a statement as large, and sql may change afterwards.
func (d *Digester) Sum(sql []byte) Sum { return d.SumOf(d.Shape(sql), sql) }

// Shape identifies what is left of a statement without its literals: texts of one shape, to the same
// Digester, have the same sum and the same [Statement.Text]. It is 0 if that cannot be told.
func (d *Digester) Shape(sql []byte) uint64 {
	text := unsafe.String(unsafe.SliceData(sql), len(sql)) // sql does not change during this call
	text, cut := TrimMark(text)
	if cut || d.Options.MaxDigestLength > 0 {
		return 0
	}
	if d.seen == nil || d.options != d.Options {
		d.forget()
	}
	skeleton, ok := d.Options.skeletonOf(text, d.key)
	if !ok {
		return 0
	}
	return skeleton
}

// forget begins anew, with the options that are now.
func (d *Digester) forget() {
	d.options, d.seen = d.Options, make([][2]seen, manySeen)
	if d.shared != nil && d.shared.options == d.Options {
		d.key = d.shared.key
		return
	}
	d.key, d.shared = newSkeletonKey(), nil
}

// SumOf is Sum for who has the statement's shape already.
func (d *Digester) SumOf(shape uint64, sql []byte) Sum {
	if shape == 0 {
		return d.sum(sql)
	}
	pair := &d.seen[shape%manySeen]
	for i := range pair {
		if pair[i].skeleton == shape {
			return pair[i].sum
		}
	}
	pair[1] = pair[0]
	pair[0] = seen{shape, d.sharedSum(shape, sql)}
	return pair[0].sum
}

// sharedSum is the sum of a text of whose shape this Digester knows nothing.
func (d *Digester) sharedSum(shape uint64, sql []byte) Sum {
	if d.shared == nil {
		return d.sum(sql)
	}
	return d.shared.sums.of(shape, func() Sum { return d.sum(sql) })
}

// Describe returns everything that the tokens of a statement tell: what Sum leaves out. It is for the
// first sight of a sum: directly behind the Sum that met a new text, it need not read that again.
func (d *Digester) Describe(sql []byte) Statement {
	st := d.describe(sql)
	st.Origin = d.Options.OriginOf(string(sql))
	return st
}

// DescribeOf is Describe for who has the statement's shape already. It leaves Origin out, in which texts of one
// shape can differ. Names must not be changed: others may share them.
func (d *Digester) DescribeOf(shape uint64, sql []byte) Statement {
	if shape == 0 || d.shared == nil {
		return d.describe(sql)
	}
	return d.shared.statements.of(shape, func() Statement { return d.describe(sql) })
}

// describe is Describe without the origin.
func (d *Digester) describe(sql []byte) Statement {
	defer d.trim()
	c := d.read(sql)
	d.printed = c.appendText(d.printed[:0])
	st := c.statement(string(d.printed), &d.finder)
	keep(st.Reads)
	keep(st.Writes)
	return st
}

// keep gives names, which are parts of the text that is overwritten by the next one, their own memory.
func keep(names []string) {
	for i, name := range names {
		names[i] = strings.Clone(name)
	}
}

// sum is Sum of a text of which nothing is remembered.
func (d *Digester) sum(sql []byte) Sum {
	defer d.trim()
	return d.read(sql).sum()
}

// read makes the canonical tokens, unless it made these last. They are parts of a copy, so that they
// stay what they are whatever becomes of sql.
func (d *Digester) read(sql []byte) *canon {
	if d.last != nil && d.lastBy == d.Options && bytes.Equal(d.last, sql) {
		return &d.tokens
	}
	d.last, d.lastBy = append(d.last[:0], sql...), d.Options
	d.Options.readInto(&d.tokens, d.lastText(), false)
	return &d.tokens
}

func (d *Digester) lastText() string { return unsafe.String(unsafe.SliceData(d.last), len(d.last)) }

// maxKeptItems and maxKeptText are how many tokens, and bytes of a text, a Digester keeps room for.
const (
	maxKeptItems = 1 << 14
	maxKeptText  = 1 << 18
)

// trim gives back the room that a huge statement took.
func (d *Digester) trim() {
	if cap(d.tokens.items) > maxKeptItems || cap(d.last) > maxKeptText {
		d.tokens, d.last, d.printed, d.finder = canon{}, nil, nil, tableFinder{}
	}
}
