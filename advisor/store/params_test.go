package store

import (
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"testing"
	"time"
	"unicode/utf8"
)

func FuzzParamsAreRefusedOrInRange(f *testing.F) {
	for _, seed := range []string{"", "0", "-1", "1435781451.781", "1e300", "NaN", "+Inf", "2015-07-01T20:10:51.781Z", "0000-01-01T00:00:00Z", "1h30m", "15", "0.5", "99999999999y", "9223372036854775807"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := &http.Request{Form: url.Values{"p": {s}}}
		if d, err := durationParam(r, "p"); err == nil && math.Abs(d.Seconds()) > float64(maxSeconds) {
			t.Errorf("durationParam(%q) = %s", s, d)
		}
		if n, err := limitParam(r, "p"); err == nil && (n < 0 || n+1 < 0) {
			t.Errorf("limitParam(%q) = %d", s, n)
		}
		at, err := timeParam(r, "p", time.Time{})
		if err == nil && s != "" && at.Before(time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("timeParam(%q) = %s", s, at)
		}
	})
}

func FuzzStringsAndNumbersAreEncodedAsJSON(f *testing.F) {
	f.Add("SELECT \"a\"\n\\ <b> \x00\xff é", 1.5, int64(1435781451781))
	f.Add("", math.Inf(-1), int64(-1))
	f.Add("plain", math.NaN(), int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, s string, v float64, ms int64) {
		if ms == math.MinInt64 {
			return // 290 million years ago
		}
		b := appendString([]byte("["), s)
		b = appendFloat(append(b, ','), v)
		b = append(appendTime(append(b, ','), ms), ']')
		var got []any
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		if utf8.ValidString(s) && got[0] != s {
			t.Errorf("%q came back as %q", s, got[0])
		}
		if want := float64(ms) / 1000; math.Abs(got[2].(float64)-want) > math.Abs(want)*1e-15 {
			t.Errorf("%d ms came back as %v s", ms, got[2])
		}
	})
}
