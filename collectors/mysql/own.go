package mysql

import (
	"sync"

	"plimsoll/collectors/sqltext"
)

// SelectNetworking asks a server where it listens; its rows are a name and a
// value. What finds servers asks it before there is a [Server], so that it is
// known here as the agent's own. It works since MySQL 5.6 and MariaDB 10.3.
const SelectNetworking = comment + "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('port', 'skip_networking', 'bind_address')"

// ownStatements remembers what this package runs, so that its digests are left
// out of what is reported of the customer's. Someone else's statement of the
// same text is left out with ours.
type ownStatements struct {
	mu    sync.Mutex
	texts map[string]string // by fingerprint
}

func newOwnStatements() *ownStatements {
	o := &ownStatements{texts: map[string]string{}}
	for _, query := range append(sessionStatements(), SelectNetworking) {
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
