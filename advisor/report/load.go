package report

import (
	"cmp"
	"slices"
	"strconv"

	"plimsoll/advisor/layout"
	"plimsoll/rules"
)

// load is where the time of the site's statements goes, in statement seconds a
// second: the mean number of statements under way at any time.
type load struct {
	Bars       []loadBar
	Statements []statement
	// Unknown are servers whose load is not known.
	Unknown []string
}

// loadBar is one server's load.
type loadBar struct {
	Server, Role, Load string
	// Ratio is its length beside the longest bar, 0..1.
	Ratio    float64
	Segments []segment
}

// segment is a part of a bar, from From for Ratio of the longest bar.
type segment struct {
	// Mark is the number of its colour: a statement's in load.Statements, or other or hidden. Sign draws it
	// in text.
	Mark int
	Sign string
	// Name is what it is called in a list of the bar's parts, Label in full.
	Name, Label string
	Seconds     string
	From, Ratio float64
}

// The marks of segments that are no single statement's.
const (
	other  = 0
	hidden = -1
)

// Their labels.
const (
	othersLabel = "all other statements"
	hiddenLabel = "executions that no digest shows"
)

// topStatements is how many statements are told apart: more colours than these
// are not.
const topStatements = 6

// statement is one statement of the site, on all servers together.
type statement struct {
	Mark                    int
	Fingerprint, Schema     string
	Text                    string
	Share, Load, Calls      string
	Mean, Examined, Sent    string
	seconds, calls          float64
	examined, sent, latency float64
}

// lookAtLoad adds up the statements of all servers, and draws the shown ones.
func lookAtLoad(all, shown []Server) load {
	var out load
	out.Statements = statements(all)
	longest := 0.0
	for _, s := range all {
		longest = max(longest, allSeconds(s))
	}
	for _, s := range shown {
		if s.LoadSeconds == nil {
			out.Unknown = append(out.Unknown, serverName(s))
		} else {
			out.Bars = append(out.Bars, bar(s, out.Statements, longest))
		}
	}
	return out
}

// allSeconds returns the load of s with what its digests do not show.
func allSeconds(s Server) float64 {
	if s.LoadSeconds == nil {
		return 0
	}
	if h := s.HiddenRatio; h != nil && *h > 0 && *h < 1 {
		return *s.LoadSeconds / (1 - *h)
	}
	return *s.LoadSeconds
}

// statements adds up the servers' statements and returns those that take most.
func statements(servers []Server) []statement {
	total := 0.0
	var all []statement
	at := map[string]int{}
	for _, s := range servers {
		total += allSeconds(s)
		for _, d := range s.Digests {
			if s.LoadSeconds == nil {
				continue
			}
			i, ok := at[d.Fingerprint]
			if !ok {
				i = len(all)
				at[d.Fingerprint] = i
				all = append(all, newStatement(d))
			}
			all[i].add(d, *s.LoadSeconds)
		}
	}
	slices.SortFunc(all, func(a, b statement) int {
		return cmp.Or(cmp.Compare(b.seconds, a.seconds), cmp.Compare(a.Fingerprint, b.Fingerprint))
	})
	all = all[:min(len(all), topStatements)]
	for i := range all {
		all[i].write(i+1, total)
	}
	return all
}

func newStatement(d Digest) statement {
	text := layout.Clean(string(d.Text))
	if d.Own {
		text = "Plimsoll's own: " + text
	}
	return statement{Fingerprint: layout.Clean(d.Fingerprint), Schema: layout.Clean(d.Schema), Text: text}
}

// Short returns the text of s, cut to what is read at a glance.
func (s statement) Short() string {
	text := s.Text
	if s.Schema != "" {
		text = s.Schema + ": " + text
	}
	return layout.Cut(text, 240)
}

func (s *statement) add(d Digest, load float64) {
	s.seconds += d.ShareRatio * load
	s.calls += d.CallsPerSecond
	s.latency += d.CallsPerSecond * d.MeanSeconds
	s.examined += d.CallsPerSecond * d.ExaminedPerCall
	s.sent += d.CallsPerSecond * d.SentPerCall
}

func (s *statement) write(mark int, total float64) {
	s.Mark = mark
	s.Share = rules.Words(s.seconds/total, rules.Ratio)
	s.Load = rules.Words(s.seconds, rules.Count)
	s.Calls = rules.Words(s.calls, rules.PerSecond)
	s.Mean = rules.Words(s.latency/s.calls, rules.Seconds)
	s.Examined = rules.Words(s.examined/s.calls, rules.Count)
	s.Sent = rules.Words(s.sent/s.calls, rules.Count)
}

func bar(s Server, top []statement, longest float64) loadBar {
	all := allSeconds(s)
	out := loadBar{
		Server: serverName(s), Role: layout.Clean(string(s.Role)), Load: rules.Words(all, rules.Count),
		Ratio: ratio(all, longest),
	}
	rest := *s.LoadSeconds
	for _, t := range top {
		for _, d := range s.Digests {
			if layout.Clean(d.Fingerprint) == t.Fingerprint {
				seconds := min(d.ShareRatio**s.LoadSeconds, rest)
				rest -= seconds
				number := strconv.Itoa(t.Mark)
				out.add(segment{Mark: t.Mark, Sign: number, Name: "statement " + number, Label: t.Text}, seconds, nil, longest)
			}
		}
	}
	out.add(segment{Mark: other, Sign: ".", Name: "others", Label: othersLabel}, rest, nil, longest)
	out.add(segment{Mark: hidden, Sign: "?", Name: "hidden", Label: hiddenLabel}, all-*s.LoadSeconds, nil, longest)
	return out
}

// add appends a segment, if it has any length.
func (b *loadBar) add(s segment, seconds float64, margin *float64, longest float64) {
	if n := len(b.Segments); n > 0 {
		s.From = b.Segments[n-1].From + b.Segments[n-1].Ratio
	}
	s.Ratio = min(ratio(seconds, longest), 1-s.From)
	if s.Ratio <= 0 {
		return
	}
	s.Seconds = sampled(seconds, margin, rules.Count)
	s.Label += ": " + s.Seconds
	b.Segments = append(b.Segments, s)
}

// ratio returns part of whole, 0..1.
func ratio(part, whole float64) float64 {
	if !(whole > 0) || !(part > 0) {
		return 0
	}
	return min(part/whole, 1)
}
