package report

import (
	"slices"
	"strconv"
	"strings"
)

// barUnits is the width of a bar in its own units; a page stretches it.
const barUnits = 1000

// X returns where s begins, in units of the bar.
func (s segment) X() string { return units(s.From) }

// Width returns how long s is, in units of the bar.
func (s segment) Width() string { return units(s.Ratio) }

func units(ratio float64) string { return strconv.FormatFloat(ratio*barUnits, 'f', 1, 64) }

// Class returns the name of the colour of s.
func (s segment) Class() string {
	if s.Mark == hidden {
		return "mh"
	}
	return "m" + strconv.Itoa(s.Mark)
}

// Class returns the name of the colour of s.
func (s statement) Class() string { return segment{Mark: s.Mark}.Class() }

// Label says all of a bar in words, for those who do not see it.
func (b loadBar) Label() string {
	parts := make([]string, 0, len(b.Segments))
	for _, s := range b.Segments {
		parts = append(parts, s.Label)
	}
	return b.Server + ": " + b.Load + "; " + strings.Join(parts, "; ")
}

// drawRanges draws gains beside the largest.
func drawRanges(fs []finding) {
	largest := 0.0
	for _, f := range fs {
		if f.gain != nil {
			largest = max(largest, f.gain.Hi)
		}
	}
	for i, f := range fs {
		if f.gain != nil {
			lo, hi := ratio(f.gain.Lo, largest), ratio(f.gain.Hi, largest)
			fs[i].Range = &segment{From: lo, Ratio: max(hi-lo, 0)}
		}
	}
}

// Parts says what a bar is made of, statements by their numbers.
func (b loadBar) Parts() string {
	parts := make([]string, 0, len(b.Segments))
	for _, s := range b.Segments {
		parts = append(parts, s.Name+": "+s.Seconds)
	}
	return strings.Join(parts, ", ")
}

// Rest returns one segment of each kind that is no single statement's, for the
// legend.
func (l load) Rest() []segment {
	var out []segment
	for _, s := range []segment{{Mark: other, Label: othersLabel}, {Mark: hidden, Label: hiddenLabel}} {
		drawn := slices.ContainsFunc(l.Bars, func(b loadBar) bool {
			return slices.ContainsFunc(b.Segments, func(d segment) bool { return d.Mark == s.Mark })
		})
		if drawn {
			out = append(out, s)
		}
	}
	return out
}

// Caption says what the figures are. Pages have a legend in colours below.
func (php) Caption() string { return phpCaption }

// Routes are the applications of which requests are known.
func (p php) Routes() []phpApp {
	return slices.DeleteFunc(slices.Clone(p.Apps), func(a phpApp) bool { return len(a.Routes) == 0 })
}

// RoutesCaption says what the figures of requests are.
func (php) RoutesCaption() string { return routesCaption }

// Number returns the place of a route from its index.
func (phpRoute) Number(i int) int { return i + 1 }

// Caption says what the figures of a load are.
func (l load) Caption() string { return loadCaption }

// SeenWidth returns the length of a host's meter, of 100.
func (h hostRow) SeenWidth() string { return strconv.FormatFloat(100*h.SeenRatio, 'f', 1, 64) }
