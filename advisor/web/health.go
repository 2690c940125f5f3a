package web

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// maxUnhealthy is how many targets /healthz names.
const maxUnhealthy = 20

// health answers 503 if the advisor itself does not do its work: no round ends, or
// nothing is stored. Agents that cannot be scraped are named, but do not make it
// unhealthy: restarting it would not help them.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	s.mu.RLock()
	at := s.at
	s.mu.RUnlock()
	if at.IsZero() {
		http.Error(w, "the first round is still under way", http.StatusServiceUnavailable)
		return
	}
	if time.Since(at) > s.Patience {
		http.Error(w, fmt.Sprintf("the last round ended at %s, more than %s ago", at.UTC().Format(time.RFC3339), s.Patience), http.StatusServiceUnavailable)
		return
	}
	if s.Store == nil {
		fmt.Fprintln(w, "ok")
		return
	}
	if err := s.Store.Paused(); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
	fmt.Fprint(w, strings.Join(s.unhealthy(), ""))
}

// unhealthy returns a line for each target whose last scrape failed.
func (s *Server) unhealthy() []string {
	var lines []string
	health := s.Store.Health()
	for _, target := range slices.Sorted(maps.Keys(health)) {
		if err := health[target].Err; err != nil {
			lines = append(lines, fmt.Sprintf("%q cannot be scraped: %.200q\n", target, err.Error()))
		}
	}
	if n := len(lines); n > maxUnhealthy {
		lines = append(lines[:maxUnhealthy], fmt.Sprintf("and %d more\n", n-maxUnhealthy))
	}
	return lines
}
