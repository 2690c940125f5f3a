package slowlog

import (
	"math"
	"math/bits"
)

// Sketch counts durations in buckets that grow with the duration, so that quantiles of any number of
// calls take little memory and two sketches add up exactly.
//
// A power of two is cut into 64 buckets: up to 127 µs each holds one number, above it a 64th of the
// lower bound. A quantile is the middle of its bucket, so it is at most 1/128, below 0.8 %, off the
// one of the calls themselves. This is HdrHistogram's layout; DDSketch (Masson, Rim, Lee, VLDB 2019)
// has the same guarantee with a logarithm a call.
//
// Buckets stand in pages of 16, and only pages that were counted in have memory: 64 bytes each, a line
// of a processor's cache, of which there are at most 180. Most statements need a few.
type Sketch struct {
	place [sketchPages]uint8 // the index of a page, plus 1; 0 if there is none
	pages [][pageBuckets]uint32
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
	s.count(s.page(bucket/pageBuckets), bucket, calls)
	s.calls = plus(s.calls, calls)
}

// count counts calls in a bucket of a page.
func (s *Sketch) count(page *[pageBuckets]uint32, bucket int, calls uint64) {
	n := &page[bucket%pageBuckets]
	sum := plus(uint64(*n), calls)
	*n = uint32(sum) //nolint:gosec // the rest is in above
	if sum > math.MaxUint32 {
		s.carry(bucket, sum>>32)
	}
}

// carry counts what a bucket cannot hold.
func (s *Sketch) carry(bucket int, times uint64) {
	if s.above == nil {
		s.above = map[int]uint64{}
	}
	s.above[bucket] = plus(s.above[bucket], times)
}

// in returns the calls in a bucket whose page has n.
func (s *Sketch) in(bucket int, n uint32) uint64 {
	above := s.above[bucket]
	if above > math.MaxUint32 {
		return math.MaxUint64
	}
	return above<<32 | uint64(n)
}

func (s *Sketch) page(i int) *[pageBuckets]uint32 {
	if s.place[i] == 0 {
		s.pages = append(s.pages, [pageBuckets]uint32{})
		s.place[i] = uint8(len(s.pages)) // at most sketchPages, which fits
	}
	return &s.pages[s.place[i]-1]
}

// merge adds the calls of o.
func (s *Sketch) merge(o *Sketch) {
	for i, place := range o.place {
		if place == 0 {
			continue
		}
		page := s.page(i)
		for j, n := range o.pages[place-1] {
			s.count(page, i*pageBuckets+j, uint64(n))
		}
	}
	for bucket, times := range o.above {
		s.carry(bucket, times)
	}
	s.calls = plus(s.calls, o.calls)
}

// Quantile returns the duration in microseconds that a share q of the calls, from 0 to 1, does not
// exceed: of n calls the one of rank ⌈q·n⌉, at most 0.8 % off. It is NaN without calls.
func (s *Sketch) Quantile(q float64) float64 {
	if s.calls == 0 {
		return math.NaN()
	}
	rank := uint64(math.Ceil(min(max(q, 0), 1) * float64(s.calls)))
	rank = min(max(rank, 1), s.calls)
	for i, place := range s.place {
		if place == 0 {
			continue
		}
		for j, n := range s.pages[place-1] {
			bucket := i*pageBuckets + j
			calls := s.in(bucket, n)
			if calls >= rank {
				return middle(bucket)
			}
			rank -= calls
		}
	}
	return middle(sketchPages*pageBuckets - 1) // sums of a hostile log that reached their limit
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
