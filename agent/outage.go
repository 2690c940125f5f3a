package agent

import "sync"

// outages are the servers that cannot be read now, so that the log tells it
// once of each server, and not by each of its jobs.
type outages struct {
	mu sync.Mutex
	of map[string]bool
}

// begin reports whether it is news that the server cannot be read.
func (o *outages) begin(server string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	news := !o.of[server]
	o.of[server] = true
	return news
}

// end reports whether it is news that the server can be read.
func (o *outages) end(server string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	news := o.of[server]
	delete(o.of, server)
	return news
}
