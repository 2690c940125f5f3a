package sqltext

import "sync"

// Shared is what the Digesters of several goroutines know together: a statement that one of them has read need
// not be read by the others. It is safe for concurrent use.
type Shared struct {
	options    Options
	key        skeletonKey
	sums       sharedReadings[Sum]
	statements sharedReadings[Statement]
}

// NewShared returns a Shared of which nothing is known yet.
func NewShared(o Options) *Shared { return &Shared{options: o, key: newSkeletonKey()} }

// Digester returns a Digester for one goroutine. It shares what it knows as long as its Options stay as they are.
func (s *Shared) Digester() Digester { return Digester{Options: s.options, shared: s} }

// sharedReadings are what was read of texts, by the hash of their skeleton.
type sharedReadings[T any] struct {
	mu    sync.Mutex
	known map[uint64]T
}

// mostShared is how many skeletons are known together; later ones are not.
const mostShared = 2 * manySeen

// of returns what is known of a skeleton, else what read returns. Two goroutines that meet one at the same time both
// read it, which is no harm.
func (r *sharedReadings[T]) of(skeleton uint64, read func() T) T {
	r.mu.Lock()
	one, ok := r.known[skeleton]
	r.mu.Unlock()
	if ok {
		return one
	}
	one = read()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil {
		r.known = map[uint64]T{}
	}
	if len(r.known) < mostShared {
		r.known[skeleton] = one
	}
	return one
}
