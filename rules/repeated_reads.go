package rules

import "fmt"

// minRepeats is how many repeated waits must have been seen: with 30, a share of half is known to within 18
// points.
const minRepeats = 30

// repeatedReads finds statements that a request sends again with the same values.
func repeatedReads() Rule {
	return Rule{
		ID: "phpfpm/repeated-reads", Title: "A request reads the same again and again",
		Phase: Cure, MinWindow: aMinute, Window: aDay,
		Needs: []string{"phpfpm/profile"},
		Threshold: Threshold{
			Value: 0.5, Unit: Ratio,
			Source: "default of this rule: if most calls ask for what the same request has read before, a variable spares them",
		},
		Check: func(c Case) Result {
			return c.eachApp(func(a *app) ([]Finding, *NotReady) { return repeatedReadsIn(c, a), nil })
		},
	}
}

func repeatedReadsIn(c Case, a *app) []Finding {
	var out []Finding
	busy := a.busy()
	for _, r := range a.rows(isStatement) {
		if !r.readsTables() || r.repeats < minRepeats || r.seconds < repeatedShare*busy {
			continue
		}
		if same := float64(r.identical) / float64(r.repeats); same >= c.Rule.Threshold.Value {
			out = append(out, repeatedReadsFinding(c, a, r, same))
		}
	}
	return once(out)
}

func repeatedReadsFinding(c Case, a *app, r appRow, same float64) Finding {
	w := a.window()
	_, margin := sumOf(r)
	about := aboutRoute(a, r.Method, r.Route)
	about.Part += "/" + r.Fingerprint
	f := Found(c.Rule, about,
		c.evidence("of the repeated calls that were seen had the same values", same, sampling, w).within(marginOf(same*(1-same)/float64(r.repeats))),
		Evidence{What: "repeated calls that were seen", Value: float64(r.repeats), Unit: Count, Source: "plimsoll-probe", Window: w}.
			against(minRepeats, "with 30 the share is known to within 18 points"),
		sampledWorkers("workers that wait for it, on average", r.seconds, margin, w),
		Evidence{What: "the statement", Unit: Text, Words: statement(r.text.Text), Source: "plimsoll-probe", Window: w},
		Evidence{What: "sent in", Unit: Text, Words: r.codeSite(), Source: "plimsoll-probe", Window: w},
	)
	f.addDigests(r.Fingerprint)
	f.Gain.WorkerSeconds = Between(r.seconds*same/2, r.seconds*same)
	f.Severity = severityOf(f.Gain.WorkerSeconds, a.busy())
	f.Confidence = c.appConfidence(0.75, a)
	f.Summary = fmt.Sprintf("%s reads the same again and again: %s of the repeated calls from %s had the same values.",
		printable(r.Method+" "+r.Route), Words(same, Ratio), r.codeSite())
	f.Effort = Hours
	f.Remedy = []Step{
		{Kind: Code, Text: "return $this->read[$id] ??= $this->query($id);", Note: "Keep for the rest of the request what was read once."},
		{Kind: Advice, Text: "What is the same for all visitors belongs into Redis or Memcached, or into APCu on each host."},
	}
	f.Risks = []string{"What the same request has written since must be forgotten."}
	f.Verify = Verify{What: "workers that wait for it, on average", Expect: "lower by " + Words(same, Ratio), After: "some hours of traffic"}
	return f
}
