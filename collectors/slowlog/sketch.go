package slowlog

import (
	"math"
	"math/bits"
	"slices"
)

// Sketch counts durations in buckets that grow with the duration, so that quantiles of any number of
// calls take little memory and two sketches add up exactly.
//
// A power of two is cut into 64 buckets: up to 127 µs each holds one number, above it a 64th of the
// lower bound. A quantile is the middle of its bucket, so it is at most 1/128, below 0.8 %, off the
// one of the calls themselves. This is HdrHistogram's layout; DDSketch (Masson, Rim, Lee, VLDB 2019)
// has the same guarantee with a logarithm a call.
//
// Most statements of a log are rare. So the buckets of the last calls stand in a list, and only when
// that is full they are counted in pages.
type Sketch struct {
	fewCalls uint8
	few      [27]uint16 // with the rest a line of a processor's cache
	pages    *pages     // nil if there were no more calls
}

// pages count calls in buckets, 16 of which are a page, of 64 bytes. Only pages that were counted in
// have memory: at most 180, and of most statements a few.
type pages struct {
	place [sketchPages]uint8 // the index of a page, plus 1; 0 if there is none
	list  [][pageBuckets]uint32
	above map[int]uint64 // by bucket, how many times 2^32 calls there are more; mostly nil
	calls uint64
}

const (
	bucketBits  = 6
	pageBuckets = 16
	// sketchPages reach up to mostMicros, which is below 2^50.
	sketchPages = (50 - bucketBits + 1) << bucketBits / pageBuckets
)

// add counts a duration in microseconds for a number of calls.
func (s *Sketch) add(micros, calls uint64) {
	bucket := bucketOf(min(micros, mostMicros))
	if calls != 1 {
		s.paged().add(bucket, calls)
		return
	}
	if int(s.fewCalls) == len(s.few) {
		s.settle()
	}
	s.few[s.fewCalls] = uint16(bucket) //nolint:gosec // at most sketchPages * pageBuckets
	s.fewCalls++
}

// settle counts the last calls in pages.
func (s *Sketch) settle() {
	p := s.paged()
	for _, bucket := range s.few[:s.fewCalls] {
		p.add(int(bucket), 1)
	}
	s.fewCalls = 0
}

func (s *Sketch) paged() *pages {
	if s.pages == nil {
		s.pages = &pages{}
	}
	return s.pages
}

// calls returns how many were counted.
func (s *Sketch) calls() uint64 {
	if s.pages == nil {
		return uint64(s.fewCalls)
	}
	return plus(s.pages.calls, uint64(s.fewCalls))
}

// merge adds the calls of o, which must not be used any more.
func (s *Sketch) merge(o *Sketch) {
	if s.pages == nil {
		s.pages, o.pages = o.pages, nil
	}
	if o.pages != nil {
		s.pages.merge(o.pages)
	}
	if int(s.fewCalls)+int(o.fewCalls) > len(s.few) {
		s.settle()
	}
	s.fewCalls += uint8(copy(s.few[s.fewCalls:], o.few[:o.fewCalls])) //nolint:gosec // at most len(s.few)
}

// add counts calls in a bucket.
func (p *pages) add(bucket int, calls uint64) {
	p.count(p.page(bucket/pageBuckets), bucket, calls)
	p.calls = plus(p.calls, calls)
}

// count counts calls in a bucket of a page.
func (p *pages) count(page *[pageBuckets]uint32, bucket int, calls uint64) {
	n := &page[bucket%pageBuckets]
	sum := plus(uint64(*n), calls)
	*n = uint32(sum) //nolint:gosec // the rest is in above
	if sum > math.MaxUint32 {
		p.carry(bucket, sum>>32)
	}
}

// carry counts what a bucket cannot hold.
func (p *pages) carry(bucket int, times uint64) {
	if p.above == nil {
		p.above = map[int]uint64{}
	}
	p.above[bucket] = plus(p.above[bucket], times)
}

// in returns the calls in a bucket whose page has n.
func (p *pages) in(bucket int, n uint32) uint64 {
	above := p.above[bucket]
	if above > math.MaxUint32 {
		return math.MaxUint64
	}
	return above<<32 | uint64(n)
}

func (p *pages) page(i int) *[pageBuckets]uint32 {
	if p.place[i] == 0 {
		p.list = append(p.list, [pageBuckets]uint32{})
		p.place[i] = uint8(len(p.list)) // at most sketchPages, which fits
	}
	return &p.list[p.place[i]-1]
}

// merge adds the calls of o.
func (p *pages) merge(o *pages) {
	for i, place := range o.place {
		if place == 0 {
			continue
		}
		page := p.page(i)
		for j, n := range o.list[place-1] {
			p.count(page, i*pageBuckets+j, uint64(n))
		}
	}
	for bucket, times := range o.above {
		p.carry(bucket, times)
	}
	p.calls = plus(p.calls, o.calls)
}

// Quantile returns the duration in microseconds that a share q of the calls, from 0 to 1, does not
// exceed: of n calls the one of rank ⌈q·n⌉, at most 0.8 % off. It is NaN without calls.
func (s *Sketch) Quantile(q float64) float64 {
	calls := s.calls()
	if calls == 0 {
		return math.NaN()
	}
	rank := uint64(math.Ceil(min(max(q, 0), 1) * float64(calls)))
	rank = min(max(rank, 1), calls)
	if s.pages != nil {
		s.settle()
		return middle(s.pages.ranked(rank))
	}
	few := s.few[:s.fewCalls]
	slices.Sort(few) // their order means nothing
	return middle(int(few[rank-1]))
}

// ranked returns the bucket of the call of a rank, from 1.
func (p *pages) ranked(rank uint64) int {
	for i, place := range p.place {
		if place == 0 {
			continue
		}
		for j, n := range p.list[place-1] {
			bucket := i*pageBuckets + j
			calls := p.in(bucket, n)
			if calls >= rank {
				return bucket
			}
			rank -= calls
		}
	}
	return sketchPages*pageBuckets - 1 // sums of a hostile log that reached their limit
}

// bucketOf returns the bucket of a number: itself up to 127, then the six bits below the highest one,
// behind those of all smaller powers of two.
func bucketOf(n uint64) int {
	shift := max(bits.Len64(n)-bucketBits-1, 0)
	return shift<<bucketBits + int(n>>shift)
}

// middle returns the middle of the numbers in a bucket.
func middle(bucket int) float64 {
	shift := max(bucket>>bucketBits-1, 0)
	low := uint64(bucket-shift<<bucketBits) << shift
	return float64(low) + float64(uint64(1)<<shift-1)/2
}
