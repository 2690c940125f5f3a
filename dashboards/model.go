package dashboards

import "plimsoll/rules"

// page is one dashboard, in no particular format.
type page struct {
	// name is the end of the uid. It never changes: people keep links.
	name  string
	title string
	about string
	// variables stand behind datasource, cluster and host, which all pages have.
	variables []variable
	rows      []row
}

// variable is one choice at the top of a page.
type variable struct {
	name, label string
	// values is a label_values query, or a list such as "5,10,20".
	values string
	// list is true if values is a list.
	list bool
}

// row asks one question, which its panels answer.
type row struct {
	question string
	// closed rows ask nothing of the server until somebody opens them.
	closed bool
	panels []panel
}

// kind is how a panel is drawn. Only kinds that Grafana has without a plugin.
type kind string

const (
	stat     kind = "stat"           // One figure, as it is now.
	graph    kind = "timeseries"     // Lines over time.
	area     kind = "timeseries/sum" // Lines over time that add up.
	table    kind = "table"          // One row for each set of labels, as it is now or over the range.
	bars     kind = "bargauge"       // A bar for each series, as it is now.
	timeline kind = "state-timeline" // States over time.
)

// panel answers a part of a row's question.
type panel struct {
	// name makes the panel's id, which links, alerts and annotations use. It
	// never changes within a page.
	name  string
	title string
	// shows, bad and act are the three sentences of the description: what it
	// is, when that is bad, and what to do then.
	shows, bad, act string
	kind            kind
	width, height   int
	unit            string
	queries         []query
	// limits colour the panel. Without any it is neutral.
	limits limitSteps
	// states name the values of a timeline, from 0 on.
	states []state
	// columns are the labels of a table that are shown, in order; the queries'
	// values follow them.
	columns []column
	// sortBy is the title of the column that a table is sorted by, the largest
	// first.
	sortBy string
	// full is the highest value that makes sense, such as 1 for a share.
	full float64
}

// query is one PromQL expression, with the words of expand in it.
type query struct {
	expr string
	// legend names the series by labels, such as {{host}}; a table's column by
	// its title.
	legend string
	// unit, limits and colour are the column's or line's own.
	unit   string
	limits limitSteps
	colour string
	// line draws the query as a plain line above an area: a capacity.
	line bool
	// hidden keeps the value out of a table: the query only adds labels.
	hidden bool
}

// column shows a label in a table.
type column struct {
	label, title string
	link         *link
	width        int
}

// link leads to a page of ours, with a variable of it set to a label's value.
type link struct {
	title, page     string
	variable, label string
}

// state is one value of a timeline.
type state struct {
	text, colour string
}

// limitSteps are the values from which on a panel changes its colour.
type limitSteps struct {
	steps []limitStep
	// below is true if small values are the bad ones.
	below bool
	// rule is the rule that the values come from.
	rule rules.ID
}

type limitStep struct {
	at     float64
	colour string
}

// limits are the thresholds of the rules.
type limits map[rules.ID]rules.Threshold

func limitsOf(all []rules.Rule) limits {
	if all == nil {
		all = rules.All()
	}
	l := limits{}
	for _, r := range all {
		l[r.ID] = r.Threshold
	}
	return l
}

// above colours a panel from the threshold of a rule on. A rule that is turned
// off colours nothing.
func (l limits) above(id rules.ID) limitSteps {
	t, on := l[id]
	if !on {
		return limitSteps{rule: id}
	}
	return limitSteps{rule: id, steps: []limitStep{{t.Value, colourBad}}}
}

// below colours a panel up to the threshold of a rule.
func (l limits) below(id rules.ID) limitSteps {
	steps := l.above(id)
	for i := range steps.steps {
		steps.steps[i].colour = colourGood
	}
	steps.below = len(steps.steps) > 0
	return steps
}
