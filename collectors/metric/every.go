package metric

import "time"

// ScrapeInterval is how often series are meant to be scraped. Dashboards draw no
// finer.
const ScrapeInterval = 15 * time.Second

// Every returns how often the figures of a job change, as the agent runs it by
// default. A job that runs more often than scrapes come is not in the list.
func Every(job string) time.Duration {
	switch job {
	case "mysql/digests", "mysql/latency", "mysql/settings", "mysql/binlog", "mysql/deadlocks", "advisor":
		return time.Minute
	case "mysql/use":
		return 5 * time.Minute
	case "mysql/schema":
		return time.Hour
	}
	return ScrapeInterval
}
