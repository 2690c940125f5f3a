package report

import (
	"cmp"

	"plimsoll/advisor/layout"
	"plimsoll/rules"
)

// poolRow is one PHP-FPM pool in words.
type poolRow struct {
	Name, Version, Busy, Max string
	// Running is how many workers run or wait for a processor.
	Running, Requests string
	// Queue is now, Peak its 99th percentile; Full the share of time without a free worker.
	Queue, Peak, Full string
}

// pool is one AppPool with its application.
type pool struct {
	app string
	rules.AppPool
}

func poolsOf(apps []rules.App) []pool {
	var out []pool
	for _, a := range apps {
		for _, p := range a.Pools {
			out = append(out, pool{a.Name, p})
		}
	}
	return out
}

// byBusy puts first what is busiest, and of those where that is not known the one that runs most.
func byBusy(a, b pool) int {
	return cmp.Or(cmp.Compare(valueOf(b.BusyWorkers), valueOf(a.BusyWorkers)), cmp.Compare(valueOf(b.RunningWorkers), valueOf(a.RunningWorkers)))
}

func poolRows(pools []pool) []poolRow {
	var out []poolRow
	for _, p := range pools {
		out = append(out, poolRow{
			Name: placed(p.Host, p.app), Version: cmp.Or(layout.Clean(p.Version), unknown),
			Busy: figure(p.BusyWorkers, rules.Count), Max: figure(number(p.MaxWorkers), rules.Count),
			Running: figure(p.RunningWorkers, rules.Count), Requests: figure(p.RequestsPerSecond, rules.PerSecond),
			Queue: figure(number(p.Queue), rules.Count), Peak: figure(p.PeakQueue, rules.Count), Full: figure(p.SaturatedRatio, rules.Ratio),
		})
	}
	return out
}

func number(n *int) *float64 {
	if n == nil {
		return nil
	}
	return new(float64(*n))
}
