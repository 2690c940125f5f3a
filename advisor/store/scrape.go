package store

import "github.com/prometheus/prometheus/scrape"

// activeTargets returns what is scraped now, in no particular order.
func (s *Store) activeTargets() []*scrape.Target {
	s.mu.Lock()
	m := s.scraper
	s.mu.Unlock()
	if m == nil {
		return nil
	}
	var all []*scrape.Target
	for _, pool := range m.TargetsActive() {
		all = append(all, pool...)
	}
	return all
}
