package phpfpm

import (
	"plimsoll/collectors"
	"plimsoll/collectors/snapshot"
)

// pool reads one pool.
func (r *round) pool(m Master, c PoolConfig, workers []Worker, queues *Queues) {
	server, queue := socketOf(c, queues)
	p := snapshot.FPMPool{
		Name: collectors.Printable(c.Name), Server: collectors.Printable(server), Queue: queue, Version: versionOf(r.proc, m.PID), Contained: m.Contained,
		Started: startOf(r.boot, m.StartTicks), Workers: len(workers),
	}
	if c.Listen != "" {
		p.Config = &c.FPMConfig
	}
	r.worked(&p, workers)
	if sum, known := residentBytes(r.proc, workers); known {
		p.ResidentBytes = &sum
	}
	if c.Listen != "" && queues != nil && queue == nil {
		r.hiddenQueue(&p)
	}
	if c.Listen != "" && !m.Contained {
		r.status(&p, c)
	}
	r.out.Pools = append(r.out.Pools, p)
}

// keyOf tells pools apart: two masters can have one of a name.
func keyOf(p *snapshot.FPMPool) string { return p.Name + " " + p.Server }

// worked adds what the workers did since the last round, and what waited for them.
func (r *round) worked(p *snapshot.FPMPool, workers []Worker) {
	key := keyOf(p)
	next := work{}
	if total := r.collector.kept.Pools[key]; total != nil {
		next = *total
	}
	r.kept[key] = &next
	if next.look(p.Queue); next.Queue.Looks > 0 {
		p.QueueLooks = new(next.Queue)
	}
	now, err := readWork(r.proc, workers)
	if err != nil {
		r.gap(p.Name, "processor time of workers is not known: "+err.Error(), "mount /proc without hidepid, or give the agent its gid= (docs/privileges.md)")
		return
	}
	next.add(now)
	cpu, queue := float64(next.CPU)/1e9, float64(next.RunQueue)/1e9
	p.CPUSeconds, p.RunQueueSeconds = &cpu, &queue
}

// socketOf returns where a pool listens, by the name that its socket has where that is found, as
// plimsoll-probe tells it too; and what waits there, nil if that is not known.
func socketOf(c PoolConfig, queues *Queues) (string, *snapshot.ListenQueue) {
	if c.Listen == "" || queues == nil {
		return c.Listen, nil
	}
	if q, name, found := queues.Of(c.Listen); found {
		return name, &q
	}
	return c.Listen, nil
}

// hiddenQueue says why it is not known what waits in front of a pool.
func (r *round) hiddenQueue(p *snapshot.FPMPool) {
	reason := "no socket listens at " + p.Server + ": how many connections wait is not known"
	if p.Contained {
		reason = "the queue of a unix socket does not show outside of its container"
	}
	r.gap(p.Name, reason, "")
}
