package metric

import (
	"cmp"
	"time"
)

// ScrapeInterval is how often series are meant to be scraped. Dashboards draw no
// finer.
const ScrapeInterval = 15 * time.Second

// Every returns how often the figures of a job change, as the agent runs it by
// default, and no less than ScrapeInterval.
func Every(job string) time.Duration { return cmp.Or(Slow()[job], ScrapeInterval) }

// Slow are the jobs that run more rarely than series are scraped.
func Slow() map[string]time.Duration {
	return map[string]time.Duration{
		"advisor":         time.Minute,
		"mysql/binlog":    time.Minute,
		"mysql/deadlocks": time.Minute,
		"mysql/digests":   time.Minute,
		"mysql/latency":   time.Minute,
		"mysql/settings":  time.Minute,
		"mysql/use":       5 * time.Minute,
		"mysql/schema":    time.Hour,
	}
}
