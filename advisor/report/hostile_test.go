package report

import "plimsoll/fixtures/harmless"

// hostile returns a report in which every text is hostile, and every list holds
// two of everything.
func hostile(seed string) *Report {
	r := &Report{}
	harmless.Fill(r, seed, now())
	r.Schema = SchemaVersion
	r.Generated = now()
	return r
}
