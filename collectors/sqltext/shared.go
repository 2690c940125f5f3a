package sqltext

import "sync"

// Shared is what the Digesters of several goroutines know together: a statement that one of them has read need
// not be read by the others. It is safe for concurrent use.
type Shared struct {
	options Options
	key     skeletonKey

	mu         sync.Mutex
	sums       map[uint64]Sum // by the hash of the skeleton, as statements
	statements map[uint64]Statement
}

// mostShared is how many skeletons are known together; later ones are not.
const mostShared = 2 * manySeen

// NewShared returns a Shared of which nothing is known yet.
func NewShared(o Options) *Shared {
	return &Shared{options: o, key: newSkeletonKey(), sums: map[uint64]Sum{}, statements: map[uint64]Statement{}}
}

// Digester returns a Digester for one goroutine. It shares what it knows as long as its Options stay as they are.
func (s *Shared) Digester() Digester { return Digester{Options: s.options, shared: s} }

func (s *Shared) sum(skeleton uint64) (Sum, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum, ok := s.sums[skeleton]
	return sum, ok
}

func (s *Shared) addSum(skeleton uint64, sum Sum) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.sums) < mostShared {
		s.sums[skeleton] = sum
	}
}

func (s *Shared) statement(skeleton uint64) (Statement, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, ok := s.statements[skeleton]
	return st, ok
}

func (s *Shared) addStatement(skeleton uint64, st Statement) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.statements) < mostShared {
		s.statements[skeleton] = st
	}
}
