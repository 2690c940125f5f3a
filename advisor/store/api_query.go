package store

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

var errTruncated = errors.New("results truncated due to limit")

// query answers /api/v1/query: one moment.
func (s *Store) query(r *http.Request) (reply, error) {
	at, err := timeParam(r, "time", s.now())
	if err != nil {
		return reply{}, err
	}
	return s.run(r, func(ctx context.Context, o promql.QueryOpts, expr string) (promql.Query, error) {
		return s.engine.NewInstantQuery(ctx, s.db, o, expr, at)
	})
}

// queryRange answers /api/v1/query_range: a moment every step.
func (s *Store) queryRange(r *http.Request) (reply, error) {
	start, end, step, err := rangeParams(r)
	if err != nil {
		return reply{}, err
	}
	return s.run(r, func(ctx context.Context, o promql.QueryOpts, expr string) (promql.Query, error) {
		return s.engine.NewRangeQuery(ctx, s.db, o, expr, start, end, step)
	})
}

func rangeParams(r *http.Request) (start, end time.Time, step time.Duration, err error) {
	fail := func(err error) (time.Time, time.Time, time.Duration, error) {
		return time.Time{}, time.Time{}, 0, err
	}
	for _, name := range []string{"start", "end", "step"} {
		if r.Form.Get(name) == "" {
			return fail(badParam(name, errors.New("it is missing")))
		}
	}
	if start, err = timeParam(r, "start", start); err != nil {
		return fail(err)
	}
	if end, err = timeParam(r, "end", end); err != nil {
		return fail(err)
	}
	if step, err = durationParam(r, "step"); err != nil {
		return fail(err)
	}
	switch {
	case end.Before(start):
		return fail(badParam("end", errors.New("end timestamp must not be before start time")))
	case step < time.Millisecond:
		return fail(badParam("step", errors.New("zero or negative query resolution step widths are not accepted. Try a positive integer")))
	case end.Sub(start)/step > maxPoints:
		return fail(badData("exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"))
	}
	return start, end, step, nil
}

// run makes a query, executes it and keeps to the request's timeout and limit.
func (s *Store) run(r *http.Request, prepare func(context.Context, promql.QueryOpts, string) (promql.Query, error)) (reply, error) {
	limit, err := limitParam(r, "limit")
	if err != nil {
		return reply{}, err
	}
	timeout, err := durationParam(r, "timeout")
	if err != nil {
		return reply{}, err
	}
	back, err := durationParam(r, "lookback_delta")
	if err != nil {
		return reply{}, err
	}
	ctx := r.Context()
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	expr := r.Form.Get("query")
	q, err := prepare(ctx, promql.NewPrometheusQueryOpts(false, back), expr)
	if ctx.Err() != nil {
		return reply{}, ctx.Err()
	}
	if err != nil {
		return reply{}, badParam("query", err)
	}
	defer q.Close()
	res := q.Exec(ctx)
	if res.Err != nil {
		return reply{}, res.Err
	}
	value, cut := truncate(res.Value, limit)
	if cut {
		res.Warnings.Add(errTruncated)
	}
	// Encoded here, because Close gives the points' memory to the next query.
	data, err := encodeValue(value)
	return reply{data: data, notes: res.Warnings, query: expr}, err
}

// truncate cuts a value to at most limit series, if limit is not 0.
func truncate(v parser.Value, limit int) (parser.Value, bool) {
	switch v := v.(type) {
	case promql.Vector:
		if limit > 0 && len(v) > limit {
			return v[:limit], true
		}
	case promql.Matrix:
		if limit > 0 && len(v) > limit {
			return v[:limit], true
		}
	}
	return v, false
}
