package mysql

import (
	"fmt"

	"plimsoll/collectors/snapshot"
)

// positionRing keeps the last positions, oldest first.
type positionRing struct {
	items []snapshot.Position
	bytes int
}

// maxPositionBytes bounds the ring's texts: gtid_executed of a server with many
// holes can have any length. It is kept well below the limit of a section.
const maxPositionBytes = 4 << 20

func (r *positionRing) add(p snapshot.Position) {
	if n := len(r.items); n > 0 {
		// A server that writes little repeats itself: share the texts.
		last := r.items[n-1]
		p.GTID = sameText(last.GTID, p.GTID)
		p.Written = sameText(last.Written, p.Written)
		p.Received = sameText(last.Received, p.Received)
		p.File = sameText(last.File, p.File)
	}
	r.items = append(r.items, p)
	r.bytes += textBytes(p)
	for len(r.items) > snapshot.MaxPositions || r.bytes > maxPositionBytes {
		r.bytes -= textBytes(r.items[0])
		r.items[0] = snapshot.Position{}
		r.items = r.items[1:]
	}
}

// view returns the ring as it is now. It stays as it is while more are added.
func (r *positionRing) view() []snapshot.Position {
	return append([]snapshot.Position(nil), r.items...)
}

// gap says that the ring is short because its texts are long.
func (r *positionRing) gap(job, subject string, latest snapshot.Position) (snapshot.Gap, bool) {
	if len(r.items) >= snapshot.MaxPositions || r.bytes+textBytes(latest) <= maxPositionBytes {
		return snapshot.Gap{}, false
	}
	return snapshot.Gap{
		Job: job, Subject: subject,
		Reason: fmt.Sprintf("the server's GTID sets have %d bytes, so only the last %d positions are kept",
			len(latest.GTID)+len(latest.Written)+len(latest.Received), len(r.items)),
		Remedy: "close the holes in gtid_executed by committing empty transactions in their place",
	}, true
}

func textBytes(p snapshot.Position) int {
	n := len(p.GTID) + len(p.Written) + len(p.Received) + len(p.File)
	for _, e := range p.Executed {
		n += len(e.Channel) + len(e.File)
	}
	return n
}

func sameText(old, fresh string) string {
	if old == fresh {
		return old
	}
	return fresh
}
