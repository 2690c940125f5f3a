package agent

import (
	"slices"
	"time"

	"plimsoll/agent/config"
	"plimsoll/collectors"
	"plimsoll/collectors/host"
	"plimsoll/collectors/mysql"
	"plimsoll/collectors/phpfpm"
)

// Jobs lists everything that an agent reads: the host, its PHP-FPM pools, and what
// each of servers can tell. The configuration changes or leaves out jobs by name.
func Jobs(c *config.Config, servers ...*mysql.Server) []collectors.Job {
	jobs := []collectors.Job{
		{Name: "host", Every: 15 * time.Second, Timeout: 10 * time.Second, Collector: host.New(host.Options{})},
	}
	jobs = append(jobs, phpfpm.Jobs(phpfpm.Options{Probe: c.Probe})...)
	for _, s := range servers {
		jobs = append(jobs, s.Jobs()...)
	}
	return configured(jobs, c)
}

// JobNames lists the names that a configuration may use.
func JobNames() []string {
	names := []string{serversJob}
	nowhere := anyServer()
	defer func() { _ = nowhere.Close() }() // It has no connection.
	for _, job := range Jobs(&config.Config{}, nowhere) {
		names = append(names, job.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// anyServer is a server that is nowhere. It tells its jobs all the same: to open
// one dials nothing.
func anyServer() *mysql.Server {
	s, err := mysql.Open(mysql.Config{Name: "any", Socket: "/", User: "any"})
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return s
}

// configured applies what the configuration says of jobs.
func configured(jobs []collectors.Job, c *config.Config) []collectors.Job {
	var kept []collectors.Job
	for _, job := range jobs {
		change := c.Job(job.Name)
		if change.Disabled {
			continue
		}
		if change.Every != 0 {
			job.Every = change.Every
		}
		if change.Timeout != 0 {
			job.Timeout = change.Timeout
		}
		kept = append(kept, job)
	}
	return kept
}
