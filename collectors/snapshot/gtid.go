package snapshot

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// maxGTIDText bounds what ParseGTIDSet reads. A set that grew holes for years
// has some kilobytes.
const maxGTIDText = 1 << 20

// GTIDSet is what a server had executed, as a set of transactions. The zero
// value is the empty set.
//
// MySQL names each transaction by its source (and a tag, since 8.3) and a
// number, and states all of them: uuid:1-5:7:tag:1-3. MariaDB states the last
// one of each replication domain: 0-1-100,1-2-7. What came before in a domain
// is executed too, whichever server wrote it, so that the server's id does not
// count in comparisons. Sets of the two families have nothing in common.
type GTIDSet struct {
	// ranges holds MySQL's numbers by source or source:tag, in lower case;
	// they are sorted and neither touch nor overlap.
	ranges map[string][]gtidRange
	// domains holds MariaDB's last number by domain.
	domains map[uint64]uint64
}

// gtidRange is first to last, both included.
type gtidRange struct{ first, last uint64 }

// ParseGTIDSet reads gtid_executed, or MariaDB's gtid_current_pos,
// gtid_binlog_pos or gtid_slave_pos. An empty text is the empty set.
func ParseGTIDSet(text string) (GTIDSet, error) {
	var set GTIDSet
	if len(text) > maxGTIDText {
		return set, fmt.Errorf("parse GTID set: %d bytes are more than %d", len(text), maxGTIDText)
	}
	for part := range strings.SplitSeq(text, ",") {
		// MySQL breaks lines after commas.
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		if err := set.add(part); err != nil {
			return GTIDSet{}, fmt.Errorf("parse GTID set: %w", err)
		}
	}
	if len(set.ranges) > 0 && len(set.domains) > 0 {
		return GTIDSet{}, errors.New("parse GTID set: the forms of MySQL and MariaDB are mixed")
	}
	for source, ranges := range set.ranges {
		set.ranges[source] = joinRanges(ranges)
	}
	return set, nil
}

func (s *GTIDSet) add(part string) error {
	if source, rest, found := strings.Cut(part, ":"); found {
		return s.addSource(source, rest)
	}
	return s.addDomain(part)
}

// addDomain reads domain-server-number.
func (s *GTIDSet) addDomain(part string) error {
	var n [3]uint64
	fields := strings.Split(part, "-")
	if len(fields) != len(n) {
		return fmt.Errorf("%.60q is no domain-server-sequence", part)
	}
	for i, bits := range []int{32, 32, 64} {
		var err error
		if n[i], err = parseNumber(fields[i], bits); err != nil {
			return fmt.Errorf("%.60q: %w", part, err)
		}
	}
	if s.domains == nil {
		s.domains = map[uint64]uint64{}
	}
	s.domains[n[0]] = max(s.domains[n[0]], n[2])
	return nil
}

// addSource reads what follows a source's UUID: ranges, and tags that the
// ranges after them belong to.
func (s *GTIDSet) addSource(source, rest string) error {
	if !isUUID(source) {
		return fmt.Errorf("%.60q is no UUID", source)
	}
	if s.ranges == nil {
		s.ranges = map[string][]gtidRange{}
	}
	key := strings.ToLower(source)
	for field := range strings.SplitSeq(rest, ":") {
		field = strings.TrimSpace(field)
		if isTag(field) {
			key = strings.ToLower(source + ":" + field)
			continue
		}
		r, err := parseRange(field)
		if err != nil {
			return err
		}
		s.ranges[key] = append(s.ranges[key], r)
	}
	return nil
}

func parseRange(field string) (gtidRange, error) {
	first, last, isRange := strings.Cut(field, "-")
	if !isRange {
		last = first
	}
	// GNO_END of MySQL is the largest signed number.
	from, err := parseNumber(first, 63)
	if err != nil {
		return gtidRange{}, fmt.Errorf("%.60q: %w", field, err)
	}
	to, err := parseNumber(last, 63)
	if err != nil {
		return gtidRange{}, fmt.Errorf("%.60q: %w", field, err)
	}
	if from < 1 || to < from {
		return gtidRange{}, fmt.Errorf("%.60q is no range of transactions", field)
	}
	return gtidRange{from, to}, nil
}

func parseNumber(text string, bits int) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, bits)
	if err != nil {
		return 0, errors.New("not a number that fits")
	}
	return n, nil
}

// isUUID checks for hexadecimal digits in groups of 8, 4, 4, 4 and 12.
func isUUID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i, c := range []byte(text) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		hex := c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
		if dash && c != '-' || !dash && !hex {
			return false
		}
	}
	return true
}

// isTag checks for a letter or underscore, then letters, digits and
// underscores, 32 at most.
func isTag(text string) bool {
	for i, c := range []byte(text) {
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return text != "" && len(text) <= 32
}

// joinRanges sorts ranges and joins those that touch.
func joinRanges(ranges []gtidRange) []gtidRange {
	slices.SortFunc(ranges, func(a, b gtidRange) int { return cmp.Compare(a.first, b.first) })
	joined := ranges[:1]
	for _, r := range ranges[1:] {
		if last := &joined[len(joined)-1]; r.first <= last.last+1 {
			last.last = max(last.last, r.last)
		} else {
			joined = append(joined, r)
		}
	}
	return joined
}

// Empty reports whether s holds no transaction.
func (s GTIDSet) Empty() bool { return len(s.ranges) == 0 && len(s.domains) == 0 }

// Contains reports whether every transaction of other is in s too: whether a
// server at s has executed all that one at other had. Every set contains the
// empty one.
func (s GTIDSet) Contains(other GTIDSet) bool {
	for domain, last := range other.domains {
		if own, found := s.domains[domain]; !found || own < last {
			return false
		}
	}
	for source, ranges := range other.ranges {
		if !containRanges(s.ranges[source], ranges) {
			return false
		}
	}
	return true
}

// containRanges walks both lists once: each range of inner must lie within one
// of outer, because those of outer do not touch.
func containRanges(outer, inner []gtidRange) bool {
	for _, r := range inner {
		for len(outer) > 0 && outer[0].last < r.first {
			outer = outer[1:]
		}
		if len(outer) == 0 || outer[0].first > r.first || outer[0].last < r.last {
			return false
		}
	}
	return true
}

// Equal reports whether s and other hold the same transactions.
func (s GTIDSet) Equal(other GTIDSet) bool {
	return maps.Equal(s.domains, other.domains) && maps.EqualFunc(s.ranges, other.ranges, slices.Equal)
}

// Missing counts the transactions of other that s lacks: how many a replica at
// s is behind a source at other. A MariaDB domain numbers its transactions one
// by one, so that the difference of the last two is their count.
func (s GTIDSet) Missing(other GTIDSet) uint64 {
	var n uint64
	for domain, last := range other.domains {
		if own := s.domains[domain]; own < last {
			n = addLimited(n, last-own)
		}
	}
	for source, ranges := range other.ranges {
		n = addLimited(n, missingRanges(s.ranges[source], ranges))
	}
	return n
}

// missingRanges counts the numbers of inner that outer lacks.
func missingRanges(outer, inner []gtidRange) uint64 {
	var n uint64
	for _, r := range inner {
		size := r.last - r.first + 1
		for len(outer) > 0 && outer[0].last < r.first {
			outer = outer[1:]
		}
		for _, o := range outer {
			if o.first > r.last {
				break
			}
			size -= min(o.last, r.last) - max(o.first, r.first) + 1
		}
		n = addLimited(n, size)
	}
	return n
}

func addLimited(a, b uint64) uint64 {
	if a > math.MaxUint64-b {
		return math.MaxUint64
	}
	return a + b
}
