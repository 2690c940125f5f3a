package host

import (
	"strconv"
	"strings"

	"plimsoll/collectors/snapshot"
)

// tcp reads the totals of TCP in our network namespace. Overflows of listen
// queues are in netstat, the rest in snmp.
func (r *reading) tcp() {
	text, err := r.file("net/snmp")
	if err != nil {
		r.gap("", "TCP retransmits are unknown: "+err.Error(), "")
		return
	}
	snmp := parseNetstat(text, "Tcp")
	sent, again, now := snmp["OutSegs"], snmp["RetransSegs"], snmp["CurrEstab"]
	if sent == nil || again == nil || now == nil {
		r.gap("", "TCP retransmits are unknown: /proc/net/snmp lacks OutSegs, RetransSegs or CurrEstab", "")
		return
	}
	r.machine.TCP = &snapshot.TCP{SegmentsSent: *sent, SegmentsRetrans: *again, EstablishedNow: *now}
	r.listenQueues()
}

func (r *reading) listenQueues() {
	text, err := r.file("net/netstat")
	ext := parseNetstat(text, "TcpExt")
	r.machine.TCP.ListenOverflows, r.machine.TCP.ListenDrops = ext["ListenOverflows"], ext["ListenDrops"]
	if err != nil || ext["ListenOverflows"] == nil || ext["ListenDrops"] == nil {
		r.gap("", "overflows of listen queues are unknown: /proc/net/netstat does not show them", "")
	}
}

// parseNetstat reads one protocol of /proc/net/snmp or /proc/net/netstat, where
// a line of names is followed by a line of values:
//
//	Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens
//	Tcp: 1 200 120000 -1 48
//
// Names without a value, and negative values, are left out.
func parseNetstat(text, protocol string) map[string]*uint64 {
	values := map[string]*uint64{}
	var names []string
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, protocol+": ")
		if !ok {
			continue
		}
		words := strings.Fields(rest)
		if names == nil {
			names = words
			continue
		}
		for i := range min(len(names), len(words)) {
			if n, err := strconv.ParseUint(words[i], 10, 64); err == nil {
				values[names[i]] = &n
			}
		}
		names = nil
	}
	return values
}
