package rules

import (
	"fmt"
	"strconv"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// eachLag judges the lag of every channel. A channel of which none is known yet
// is not one without lag.
func (c Case) eachLag(judge func(Subject, *fleet.Server, snapshot.Channel, fleet.Lag) (*Finding, *NotReady)) Result {
	var out Result
	for _, s := range c.Fleet.Servers {
		if n := c.replicationUnready(s); n != nil {
			out.add(nil, n)
			continue
		}
		for _, channel := range s.Latest.Replication.Channels {
			about := aboutChannel(s, channel.Name)
			lag, known := lagOf(s, channel.Name)
			switch n := c.tooShort(about, "lag", lag.Window); {
			case !known:
				out.add(nil, &NotReady{Subject: about, Reason: "lag was not read yet", ReadyAt: c.Fleet.Now.Add(c.Rule.MinWindow)})
			case n != nil:
				out.add(nil, n)
			default:
				out.add(judge(about, s, channel, lag))
			}
		}
	}
	return out
}

func unknownLag(about Subject, lag fleet.Lag) *NotReady {
	why := "no second of late had a figure"
	if lag.Unknown != "" {
		why = printable(lag.Unknown)
	}
	return &NotReady{Subject: about, Reason: "lag is not known: " + why}
}

func lagOf(s *fleet.Server, channel string) (fleet.Lag, bool) {
	for _, lag := range s.Lag {
		if lag.Channel == channel {
			return lag, true
		}
	}
	return fleet.Lag{}, false
}

func aboutChannel(s *fleet.Server, channel string) Subject {
	about := aboutServer(s)
	about.Kind = OfChannel
	if channel != "" {
		about.Part += "/" + channel
	}
	return about
}

func lagDetail(lag fleet.Lag) []Evidence {
	out := []Evidence{{What: "total lag, largest", Value: *lag.Max, Unit: Seconds, Source: positionsSource, Window: lag.Window}}
	if lag.TransportP99 != nil {
		out = append(out, Evidence{
			What: "of it before the replica received the transaction, 99th percentile", Value: *lag.TransportP99,
			Unit: Seconds, Source: "received positions of the replica, each second", Window: lag.Window,
		})
	}
	return out
}

// inTransport reports whether most of the lag arises before the replica has the
// transaction: its applier is then not the cause.
func inTransport(lag fleet.Lag) bool {
	return lag.TransportP99 != nil && lag.P99 != nil && *lag.TransportP99 > *lag.P99/2
}

// wantedAppliers is how many threads apply where there are fewer: more than most
// sites' writes can use at a time, and few enough for any host.
//
// MySQL's own default since 8.0.27.
const wantedAppliers = 4

// remedyLag makes the applier parallel: one thread cannot keep up with many that
// write on the source.
func (f *Finding) remedyLag(s *fleet.Server, lag fleet.Lag) {
	if inTransport(lag) {
		f.Remedy = []Step{{
			Kind: Advice, Text: "Look at the network between source and replica, and at the source's disk: transactions arrive late.",
			Note: "slave_compressed_protocol (MySQL: SOURCE_COMPRESSION_ALGORITHMS) helps on a thin line.",
		}}
		f.Risks = []string{"Compression costs processor time on both sides."}
		return
	}
	f.Risks = []string{"Parallel appliers may deadlock with each other and try again; transactions still commit in the source's order."}
	if n, known := appliers(s); known && n >= wantedAppliers {
		f.Remedy = []Step{{
			Kind: Advice, Text: fmt.Sprintf("It applies with %d threads already: look at large transactions (mysql/large-transaction), tables without a primary key, locks that readers hold, and its disk.", n),
		}}
		return
	}
	f.parallelAppliers(s)
}

// appliers is how many threads apply at most.
func appliers(s *fleet.Server) (int, bool) {
	for _, name := range []string{"replica_parallel_workers", "slave_parallel_workers", "slave_parallel_threads"} {
		if text, known := s.Setting(name); known {
			n, err := strconv.Atoi(text)
			return n, err == nil
		}
	}
	return 0, false
}

// parallelAppliers sets the variables between a stop and a start of the applier,
// without which servers refuse them.
func (f *Finding) parallelAppliers(s *fleet.Server) {
	var variables [][2]string
	switch {
	case !mysqlFamily(s):
		variables = [][2]string{{"slave_parallel_threads", "4"}, {"slave_parallel_mode", "'optimistic'"}}
	case !atLeast(s, 8, 0, 26):
		variables = [][2]string{
			{"slave_parallel_type", "'LOGICAL_CLOCK'"}, {"slave_preserve_commit_order", "ON"}, {"slave_parallel_workers", "4"},
		}
	default:
		variables = [][2]string{{"replica_preserve_commit_order", "ON"}, {"replica_parallel_workers", "4"}}
	}
	stop, start := replicaSQL(s, "STOP", "SQL_THREAD", ""), replicaSQL(s, "START", "SQL_THREAD", "")
	if !mysqlFamily(s) {
		stop, start = "STOP ALL "+replicaNoun(s)+"S", "START ALL "+replicaNoun(s)+"S"
	}
	set, undo := "", ""
	f.Remedy = []Step{{Kind: SQL, Target: called(s), Note: "Replication stands still for a moment."}}
	for _, v := range variables {
		steps := setVariable(s, v[0], v[1], "")
		set += steps[0].Text + " "
		undo += restoreVariable(s, v[0])
		f.Remedy = mergeFile(f.Remedy, steps[1:])
	}
	f.Remedy[0].Text = stop + "; " + set + start + ";"
	back := Step{Kind: SQL, Target: called(s), Text: stop + "; " + undo + start + ";"}
	if len(f.Remedy) > 1 {
		back.Note = "And take the lines out of the option file."
	}
	if undo != "" {
		f.Rollback = []Step{back}
	}
}
