package snapshot

import (
	"strings"
	"testing"
)

const (
	u1 = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
	u2 = "ffffffff-71ca-11e1-9e33-c80aa9429562"
)

func parseSet(t *testing.T, text string) GTIDSet {
	t.Helper()
	set, err := ParseGTIDSet(text)
	if err != nil {
		t.Fatalf("ParseGTIDSet(%q): %v", text, err)
	}
	return set
}

func TestASetContainsWhatWasExecutedBefore(t *testing.T) {
	for name, c := range map[string]struct {
		outer, inner string
		want         bool
		missing      uint64
	}{
		"everything contains nothing":   {outer: "", inner: "", want: true},
		"nothing lacks something":       {outer: "", inner: u1 + ":1-5", missing: 5},
		"a longer range":                {outer: u1 + ":1-9", inner: u1 + ":1-5", want: true},
		"one transaction behind":        {outer: u1 + ":1-9", inner: u1 + ":1-10", missing: 1},
		"a hole":                        {outer: u1 + ":1-3:5-9", inner: u1 + ":1-9", missing: 1},
		"two holes in one range":        {outer: u1 + ":1-3:5-6:8", inner: u1 + ":2-9", missing: 3},
		"a hole in the inner one":       {outer: u1 + ":1-9", inner: u1 + ":1-3:5-9", want: true},
		"touching ranges join":          {outer: u1 + ":1-3:4-9", inner: u1 + ":2-7", want: true},
		"ranges in any order":           {outer: u1 + ":6-9:1-7", inner: u1 + ":1-9", want: true},
		"another source":                {outer: u1 + ":1-9", inner: u2 + ":1", missing: 1},
		"two sources, a line break":     {outer: u1 + ":1-9,\n" + u2 + ":1-4", inner: u2 + ":4", want: true},
		"upper case":                    {outer: strings.ToUpper(u1) + ":1-9", inner: u1 + ":1", want: true},
		"a tag is another sequence":     {outer: u1 + ":1-9", inner: u1 + ":nightly:1", missing: 1},
		"tags after numbers":            {outer: u1 + ":1-9:nightly:1-3:weekly:7", inner: u1 + ":Nightly:2-3", want: true},
		"number after a tag is the tag": {outer: u1 + ":nightly:1-3", inner: u1 + ":1", missing: 1},
		"a later one of a domain":       {outer: "0-1-100", inner: "0-1-99", want: true},
		"an earlier one of a domain":    {outer: "0-1-98", inner: "0-1-100", missing: 2},
		"a domain after a failover":     {outer: "0-2-100", inner: "0-1-100", want: true},
		"another domain":                {outer: "0-1-100", inner: "0-1-5,1-1-3", missing: 3},
		"two domains":                   {outer: "1-1-3,0-1-100", inner: "0-1-5,1-1-3", want: true},
	} {
		t.Run(name, func(t *testing.T) {
			outer, inner := parseSet(t, c.outer), parseSet(t, c.inner)
			if got := outer.Contains(inner); got != c.want {
				t.Errorf("Contains = %v, want %v", got, c.want)
			}
			if got := outer.Missing(inner); got != c.missing {
				t.Errorf("Missing = %d, want %d", got, c.missing)
			}
			if equal := outer.Equal(inner); equal != (outer.Contains(inner) && inner.Contains(outer)) {
				t.Errorf("Equal = %v, but each contains the other: %v", equal, !equal)
			}
		})
	}
}

func TestMalformedSetsAreRefused(t *testing.T) {
	for _, text := range []string{
		"x", "0-1", "0-1-2-3", "0-1-x", "4294967296-1-1", "0-1-18446744073709551616",
		u1, u1 + ":", u1 + ":0", u1 + ":5-1", u1 + ":1-", u1 + ":9223372036854775808",
		"3e11fa47:1-5", u1 + ":1-5,0-1-100", u1 + ":" + strings.Repeat("a", 33) + ":1",
		strings.Repeat(" ", maxGTIDText+1),
	} {
		if set, err := ParseGTIDSet(text); err == nil {
			t.Errorf("ParseGTIDSet(%.80q) = %+v, want an error", text, set)
		}
	}
}

func FuzzParseGTIDSet(f *testing.F) {
	for _, seed := range []string{
		"", "0-1-100,1-2-7", u1 + ":1-5:7,\n" + u2 + ":1", u1 + ":1-9:nightly:1-3", u1 + ":9223372036854775807",
		u1 + ":1-9223372036854775807:2", "0-0-0", ",,,",
	} {
		f.Add(seed, "0-1-5")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		left, errLeft := ParseGTIDSet(a)
		right, errRight := ParseGTIDSet(b)
		if errLeft != nil || errRight != nil {
			return
		}
		if !left.Contains(left) || !left.Equal(left) || left.Missing(left) != 0 {
			t.Errorf("%q does not contain itself", a)
		}
		if !left.Contains(GTIDSet{}) {
			t.Errorf("%q does not contain the empty set", a)
		}
		if left.Contains(right) && left.Missing(right) != 0 {
			t.Errorf("%q contains %q but lacks %d", a, b, left.Missing(right))
		}
	})
}
