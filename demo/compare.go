package main

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"plimsoll/advisor/report"
	"plimsoll/fixtures/shop"
)

// expected is what the demo must find, and nothing else.
//
//go:embed expected.json
var expected []byte

// expectation is one finding and the sins that it is there for.
type expectation struct {
	// Sins are those each of which brings the finding by itself.
	Sins    []shop.Sin `json:"sins"`
	Rule    string     `json:"rule"`
	Subject string     `json:"subject"`
	// Unless says when the finding stays away although a sin is planted; empty for never.
	Unless string `json:"unless,omitempty"`
}

func (e expectation) finding() string { return e.Rule + " about " + e.Subject }

// planted reports whether one of its sins was not left out.
func (e expectation) planted(without []shop.Sin) bool {
	return slices.ContainsFunc(e.Sins, func(s shop.Sin) bool { return !slices.Contains(without, s) })
}

// compare holds the findings of a report against what was planted.
func compare(path string, without []shop.Sin) (verdict string, err error) {
	var all []expectation
	if err := json.Unmarshal(expected, &all); err != nil {
		return "", fmt.Errorf("BUG: expected.json: %w", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	r, err := report.Read(f)
	if err != nil {
		return "", err
	}
	var got []string
	for _, e := range r.Findings {
		got = append(got, string(e.Rule)+" about "+e.Subject.String())
	}
	missing, surplus := differences(all, got, without)
	if len(missing)+len(surplus) == 0 {
		return fmt.Sprintf("All %d findings are those that were planted, and there is no other.", len(got)), nil
	}
	return fmt.Sprintf("Not found although planted:\n  %s\nFound although not planted:\n  %s",
		strings.Join(missing, "\n  "), strings.Join(surplus, "\n  ")), errors.New("the findings are not those of expected.json")
}

// differences returns what was not found although it is expected, and what was
// found although it is not.
func differences(all []expectation, got []string, without []shop.Sin) (missing, surplus []string) {
	var want, allowed []string
	for _, e := range all {
		if !e.planted(without) {
			continue
		}
		allowed = append(allowed, e.finding())
		if e.Unless == "" {
			want = append(want, e.finding())
		}
	}
	return minus(want, got), minus(got, allowed)
}

func minus(a, b []string) []string {
	var out []string
	for _, s := range a {
		if !slices.Contains(b, s) {
			out = append(out, s)
		}
	}
	return out
}
