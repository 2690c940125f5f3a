package mysql

import "sync"

// ownStatements remembers what this package runs, so that its digests are left
// out of what is reported of the customer's.
type ownStatements struct {
	mu    sync.Mutex
	texts map[string]bool
}

func newOwnStatements() *ownStatements { return &ownStatements{texts: map[string]bool{}} }

func (o *ownStatements) add(query string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.texts[query] = true
}
