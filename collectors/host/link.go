package host

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"plimsoll/collectors"
	"plimsoll/collectors/snapshot"
)

// maxLinks bounds the network cards of a host. Those with the most traffic
// since boot are kept.
const maxLinks = 4

// virtualLink matches interfaces whose traffic stays on the host, or is counted
// on a card as well.
var virtualLink = regexp.MustCompile(`^(lo|veth.*|docker\d+|br-.*|virbr.*|vnet\d+|cali.*|cni.*|flannel.*|cilium.*|lxc.*|ifb\d+|dummy\d+|tap.*|tunl\d+|sit\d+|ip6tnl\d+|gre\d+|gretap\d+|erspan\d+|kube-.*|nodelocaldns)$`)

// links reads /proc/net/dev of our network namespace.
func (r *reading) links() {
	text, err := r.file("net/dev")
	var links []snapshot.Link
	if err == nil {
		links, err = parseLinks(text)
	}
	if err != nil {
		r.gap("", "network cards are unknown: "+err.Error(), "")
		return
	}
	links = slices.DeleteFunc(links, func(l snapshot.Link) bool {
		return virtualLink.MatchString(l.Name) || l.ReceivedBytes+l.SentBytes == 0
	})
	slices.SortFunc(links, func(a, b snapshot.Link) int {
		return cmp.Or(cmp.Compare(b.ReceivedBytes+b.SentBytes, a.ReceivedBytes+a.SentBytes), cmp.Compare(a.Name, b.Name))
	})
	r.machine.Links = keep(r, "network cards", links, maxLinks)
	for i := range r.machine.Links {
		r.speed(&r.machine.Links[i])
	}
}

// speed reads how fast a card is. Virtual cards say -1, 0 or nothing.
func (r *reading) speed(l *snapshot.Link) {
	text, _ := os.ReadFile(filepath.Join(r.sys, "class/net", filepath.Base(l.Name), "speed"))
	megabits, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 32)
	if err != nil || megabits <= 0 {
		r.gap(l.Name, "the card does not state its speed, so that its utilisation is unknown", "")
		return
	}
	bytes := uint64(megabits) * 1e6 / 8
	l.SpeedBytesSecond = &bytes
}

// parseLinks reads the interfaces of /proc/net/dev, two lines of headings and
// then for each interface its eight totals received and eight sent:
//
//	eth0: bytes packets errs drop fifo frame compressed multicast bytes packets errs drop …
func parseLinks(text string) ([]snapshot.Link, error) {
	links := []snapshot.Link{}
	for line := range strings.Lines(text) {
		colon := strings.LastIndexByte(line, ':')
		if colon < 0 {
			continue // A heading.
		}
		totals, err := parseUints(strings.Fields(line[colon+1:]))
		if err == nil && len(totals) < 12 {
			err = errors.New("fewer than 12 totals")
		}
		name := collectors.Printable(strings.TrimSpace(line[:colon]))
		if err != nil {
			return nil, fmt.Errorf("interface %q: %w", name, err)
		}
		links = append(links, snapshot.Link{
			Name:          name,
			ReceivedBytes: totals[0], ReceiveErrors: totals[2], ReceiveDrops: totals[3],
			SentBytes: totals[8], TransmitErrors: totals[10], TransmitDrops: totals[11],
		})
	}
	return links, nil
}

func parseUints(fields []string) ([]uint64, error) {
	numbers := make([]uint64, len(fields))
	for i, field := range fields {
		n, err := strconv.ParseUint(field, 10, 64)
		if err != nil {
			return nil, err
		}
		numbers[i] = n
	}
	return numbers, nil
}
