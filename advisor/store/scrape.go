package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/scrape"
	"github.com/prometheus/prometheus/storage"
)

// Scrape fetches /metrics of every target of d at its interval and stores the
// series, until ctx ends; it returns when the last scrape has ended, which for a
// target that hangs is its timeout. Series that a target no longer shows, and all
// of one that does not answer, end at once. Only one Scrape runs on a store at a
// time.
func (s *Store) Scrape(ctx context.Context, d *Discovery) error {
	m, err := s.newScraper(d)
	if err != nil {
		return err
	}
	defer m.UnregisterMetrics()
	sets := make(chan map[string][]*targetgroup.Group)
	var ended sync.WaitGroup
	ended.Go(func() { _ = m.Run(sets) }) // always nil
	defer ended.Wait()
	defer s.setScraper(nil)
	defer m.Stop()
	for {
		pools, changed := d.pools()
		select {
		case sets <- pools:
		case <-ctx.Done():
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}

// reloadEvery is how often the scraper takes over a changed list.
const reloadEvery = time.Second

func (s *Store) newScraper(d *Discovery) (*scrape.Manager, error) {
	reg := s.reg
	if reg == nil {
		reg = prometheus.NewRegistry() // Prometheus' scraper insists on one
	}
	m, err := scrape.NewManager(&scrape.Options{
		HTTPClientOptions:        clientOptions(d.dialer),
		DiscoveryReloadInterval:  model.Duration(reloadEvery),
		DiscoveryReloadOnStartup: true,
	}, quiet(s.log), nil, nil, sink{s}, reg)
	if err != nil {
		return nil, fmt.Errorf("scrape: %w", err)
	}
	if err := m.ApplyConfig(d.config); err != nil {
		return nil, fmt.Errorf("scrape: %w", err)
	}
	if !s.setScraper(m) {
		m.UnregisterMetrics()
		return nil, errors.New("BUG: scrape: the store is being scraped already")
	}
	return m, nil
}

// setScraper reports whether m became the scraper; nil always does.
func (s *Store) setScraper(m *scrape.Manager) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m != nil && s.scraper != nil {
		return false
	}
	s.scraper = m
	return true
}

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

// Health is how the last scrape of a target went.
type Health struct {
	// Target is its name, as [Target.String] gives it.
	Target string
	// At is when the last scrape began; zero before the first one.
	At time.Time
	// Took is how long it took.
	Took time.Duration
	// Err is why it failed; nil if it succeeded or has not been.
	Err error
}

// Health returns how the scrape of each target went, by the target's name. It
// is empty while nothing is scraped.
func (s *Store) Health() map[string]Health {
	all := map[string]Health{}
	for _, t := range s.activeTargets() {
		name := t.GetValue(model.InstanceLabel)
		all[name] = Health{Target: name, At: t.LastScrape(), Took: t.LastScrapeDuration(), Err: t.LastError()}
	}
	return all
}

// sink is what the scraper appends to. While the store is paused it swallows
// samples: the scraper would log a refusal for each target on each round, and
// the store has already said once why.
type sink struct{ s *Store }

func (k sink) AppenderV2(ctx context.Context) storage.AppenderV2 {
	if k.s.checkRoom() != nil {
		return discard{}
	}
	return k.s.db.AppenderV2(ctx)
}

type discard struct{}

func (discard) Append(storage.SeriesRef, labels.Labels, int64, int64, float64, *histogram.Histogram, *histogram.FloatHistogram, storage.AOptions) (storage.SeriesRef, error) {
	return 0, nil
}
func (discard) Commit() error   { return nil }
func (discard) Rollback() error { return nil }
