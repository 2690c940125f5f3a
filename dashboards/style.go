package dashboards

import (
	"hash/fnv"
	"strings"
	"time"

	"plimsoll/collectors/metric"
)

// Colours by meaning, the same on every page. They are Grafana's palette names,
// which it darkens or lightens with the theme.
const (
	colourNeutral = "blue"
	colourGood    = "green"
	colourWarn    = "orange"
	colourBad     = "red"
	colourIdle    = "#808080"
	colourCPU     = "green"
	colourDisk    = "purple"
	colourNetwork = "blue"
	colourLock    = "dark-red"
	colourMemory  = "yellow"
	colourLimit   = "#808080"
)

// expand replaces the words that queries are written with, so that every page
// filters alike:
//
//	{CLUSTER …}  the clusters chosen
//	{HOST …}     the hosts chosen in them
//	{SERVER …}   the database servers chosen on those
//	{POOL …}     the PHP-FPM pools chosen on those hosts
//	[RATE]       the window of a rate, wide enough for the scrape interval
//	[RANGE]      the time range of the page
func expand(expr string) string {
	const cluster = `{cluster=~"$cluster"`
	const host = cluster + `,host=~"$host"`
	const server = host + `,server=~"$server"`
	return strings.NewReplacer(
		"{CLUSTER", cluster, "{HOST", host, "{SERVER", server, "{POOL", host+`,pool=~"$pool"`,
		"[RATE]", "[$__rate_interval]", "[RANGE]", "[$__range]",
		"\n", " ", "\t", "",
	).Replace(expr)
}

// panelID makes an id of names, so that it stays when panels are added or moved.
// Grafana wants a small positive number; a test finds two alike.
func panelID(names ...string) uint32 {
	h := fnv.New32a()
	for _, name := range names {
		h.Write([]byte(name + "\x00"))
	}
	return h.Sum32()>>8 + 1
}

// description joins the three sentences of a panel.
func (p panel) description() string {
	text := p.shows + " " + p.bad + " " + p.act
	if p.limits.rule != "" {
		text += " (" + string(p.limits.rule) + ")"
	}
	return text
}

// interval is the shortest step that makes sense for a panel: the longest of
// the intervals at which its series change, and at least that of scrapes. With
// less, a rate has no second sample.
func (p panel) interval(every map[string]time.Duration) time.Duration {
	longest := metric.ScrapeInterval
	for _, q := range p.queries {
		for _, name := range metricNames(q.expr, every) {
			longest = max(longest, every[name])
		}
	}
	return longest
}

// metricNames returns the series named in expr that are known.
func metricNames(expr string, known map[string]time.Duration) []string {
	var names []string
	for _, word := range strings.FieldsFunc(expr, notInName) {
		for _, suffix := range []string{"", "_bucket", "_sum", "_count"} {
			if name, ok := strings.CutSuffix(word, suffix); ok && known[name] > 0 {
				names = append(names, name)
			}
		}
	}
	return names
}

func notInName(c rune) bool {
	return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != ':'
}

// everyMetric returns how often each series changes.
func everyMetric() map[string]time.Duration {
	every := map[string]time.Duration{}
	for _, m := range metric.Table() {
		every[m.Name] = metric.Every(m.Job)
	}
	return every
}

// with puts word where expr has a percent sign.
func with(expr, word string) string { return strings.ReplaceAll(expr, "%", word) }
