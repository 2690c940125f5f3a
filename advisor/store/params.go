package store

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
)

// badData is an error of whoever asks.
func badData(format string, args ...any) error {
	return apiError{"bad_data", fmt.Errorf(format, args...)}
}

func badParam(name string, err error) error {
	return badData("invalid parameter %q: %w", name, err)
}

// maxSeconds keeps times and durations within what time.Duration and the
// database's milliseconds can hold: about 290 years from 1970.
const maxSeconds = math.MaxInt64 / int64(time.Second)

// timeParam reads a time as Unix seconds with a fraction or as RFC 3339; absent
// means fallback.
func timeParam(r *http.Request, name string, fallback time.Time) (time.Time, error) {
	v := r.Form.Get(name)
	if v == "" {
		return fallback, nil
	}
	if f, err := strconv.ParseFloat(v, 64); err == nil {
		if !(math.Abs(f) <= float64(maxSeconds)) { // also NaN
			return time.Time{}, badParam(name, fmt.Errorf("%s is out of range", v))
		}
		return time.UnixMilli(int64(math.Round(f * 1000))), nil
	}
	t, err := time.Parse(time.RFC3339Nano, v)
	if err != nil {
		return time.Time{}, badParam(name, fmt.Errorf("cannot parse %q to a valid timestamp", v))
	}
	return t, nil
}

// spanParams reads start and end; absent means all that is stored.
func spanParams(r *http.Request) (start, end int64, err error) {
	from, err := timeParam(r, "start", time.Unix(-maxSeconds, 0))
	if err != nil {
		return 0, 0, err
	}
	to, err := timeParam(r, "end", time.Unix(maxSeconds, 0))
	return from.UnixMilli(), to.UnixMilli(), err
}

// durationParam reads seconds with a fraction or Prometheus' notation (1h30m);
// absent means zero.
func durationParam(r *http.Request, name string) (time.Duration, error) {
	v := r.Form.Get(name)
	if v == "" {
		return 0, nil
	}
	if f, err := strconv.ParseFloat(v, 64); err == nil {
		if !(math.Abs(f) <= float64(maxSeconds)) {
			return 0, badParam(name, fmt.Errorf("%s is out of range", v))
		}
		return time.Duration(f * float64(time.Second)), nil
	}
	d, err := model.ParseDuration(v)
	if err != nil {
		return 0, badParam(name, fmt.Errorf("cannot parse %q to a valid duration", v))
	}
	return time.Duration(d), nil
}

// limitParam reads how many results are wanted at most; 0 is no limit.
func limitParam(r *http.Request, name string) (int, error) {
	v := r.Form.Get(name)
	if v == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 || n == math.MaxInt {
		return 0, badParam(name, fmt.Errorf("%q is no count", v))
	}
	return n, nil
}

// matchers reads the selectors of match[]. Each needs one matcher that does not
// match the empty string, or it would select everything.
func (s *Store) matchers(r *http.Request) ([][]*labels.Matcher, error) {
	sets, err := s.parser.ParseMetricSelectors(r.Form["match[]"])
	if err != nil {
		return nil, badParam("match[]", err)
	}
	for _, set := range sets {
		if !selective(set) {
			return nil, badParam("match[]", errors.New("match[] must contain at least one non-empty matcher"))
		}
	}
	return sets, nil
}

func selective(set []*labels.Matcher) bool {
	for _, m := range set {
		if !m.Matches("") {
			return true
		}
	}
	return false
}
