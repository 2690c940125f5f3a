package mysql

import (
	"sync"

	"plimsoll/collectors/sqltext"
)

// ownStatements remembers what this package runs, so that its digests are left
// out of what is reported of the customer's. Someone else's statement of the
// same text is left out with ours.
type ownStatements struct {
	mu    sync.Mutex
	texts map[string]string // by fingerprint
}

func newOwnStatements() *ownStatements {
	o := &ownStatements{texts: map[string]string{}}
	for _, query := range sessionStatements() {
		o.add(query)
	}
	return o
}

// add remembers a statement before it runs.
func (o *ownStatements) add(query string) {
	fingerprint := sqltext.Fingerprint(query)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.texts[fingerprint] = query
}

// has reports whether a statement is ours, or what the server left of one.
func (o *ownStatements) has(statement sqltext.Statement) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !statement.Truncated {
		return o.texts[statement.Fingerprint] != ""
	}
	for _, query := range o.texts {
		if sqltext.HasPrefixOf(query, statement.Text) {
			return true
		}
	}
	return false
}
