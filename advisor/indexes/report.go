package indexes

import (
	"fmt"
	"io"
	"slices"

	"plimsoll/advisor/layout"
	"plimsoll/rules/index"
)

// SchemaVersion is the version of the JSON form. It grows when a field changes its meaning or goes; new
// fields do not change it.
const SchemaVersion = 1

// Report is the advice for one workload.
type Report struct {
	Schema int `json:"schema"`
	// Version is that of the program.
	Version string `json:"version"`
	// Notes say what limits the advice, in whole sentences.
	Notes []string `json:"notes"`
	index.Report
}

// New analyses facts.
func New(f *Facts, o index.Options, version string) *Report {
	o.Server = f.Server
	r := &Report{Schema: SchemaVersion, Version: version, Notes: f.Notes, Report: index.Advise(f.Workload, o)}
	if r.Advice == nil {
		r.Advice = []index.Advised{}
	}
	if r.NotAnalysed == nil {
		r.NotAnalysed = []index.NotAnalysed{}
	}
	if r.Notes == nil {
		r.Notes = []string{}
	}
	return r
}

// Has reports whether there is advice of one of these kinds.
func (r *Report) Has(kinds ...index.Kind) bool {
	return slices.ContainsFunc(r.Advice, func(a index.Advised) bool { return slices.Contains(kinds, a.Kind) })
}

// JSON writes the report in the form of docs/index.schema.json.
func (r *Report) JSON(to io.Writer) error {
	body, err := layout.JSON(r)
	if err != nil {
		return fmt.Errorf("encode the advice: %w", err)
	}
	if _, err := to.Write(body); err != nil {
		return fmt.Errorf("write the advice: %w", err)
	}
	return nil
}
