package store

import (
	"context"
	"fmt"
	"testing"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql"
)

// day is a day of samples of ten hosts with 100 digests each, one a minute.
func day(b *testing.B) *Store {
	b.Helper()
	s := open(b)
	for i := range 24 * 60 {
		var all []Sample
		for k := range 1000 {
			all = append(all, Sample{
				Name:   "plimsoll_mysql_digest_seconds_total",
				Labels: map[string]string{"cluster": "shop", "host": fmt.Sprint("db", k%10), "digest": fmt.Sprint(k / 10)},
				Time:   start.Add(time.Duration(i-24*60) * time.Minute),
				Value:  float64(i * k),
			})
		}
		if err := s.Append(b.Context(), all); err != nil {
			b.Fatal(err)
		}
	}
	return s
}

func BenchmarkAppend(b *testing.B) {
	s := open(b)
	all := batch(0)
	i := 0
	for b.Loop() {
		for k := range all {
			all[k].Time = start.Add(time.Duration(i) * time.Millisecond)
		}
		i++
		if err := s.Append(b.Context(), all); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(all))/b.Elapsed().Seconds(), "samples/s")
}

// BenchmarkQuerierOverEngine shows what the wire format costs when the advisor
// asks its own store: the same query by Querier and by the engine alone, over a
// day of 1,000 series.
func BenchmarkQuerierOverEngine(b *testing.B) {
	s := day(b)
	for name, expr := range map[string]string{
		"few results":  `topk(20, sum by (digest) (increase(plimsoll_mysql_digest_seconds_total[24h])))`,
		"many results": `rate(plimsoll_mysql_digest_seconds_total[5m])`,
	} {
		r := promv1.Range{Start: start.Add(-time.Hour), End: start.Add(-time.Minute), Step: time.Minute}
		if name == "few results" {
			r.Start = r.End
		}
		b.Run(name, func(b *testing.B) {
			q := s.Querier()
			var byQuerier, byEngine time.Duration
			for b.Loop() {
				began := time.Now()
				v, _, _, err := q.QueryRange(b.Context(), expr, r)
				if err != nil || v.(model.Matrix).Len() == 0 {
					b.Fatal(v, err)
				}
				byQuerier += time.Since(began)
				began = time.Now()
				evaluate(b, s, expr, r)
				byEngine += time.Since(began)
			}
			b.ReportMetric(byQuerier.Seconds()/byEngine.Seconds(), "querier/engine")
			b.ReportMetric(float64(byQuerier.Milliseconds())/float64(b.N), "ms/query")
		})
	}
}

func evaluate(b *testing.B, s *Store, expr string, r promv1.Range) {
	q, err := s.engine.NewRangeQuery(context.Background(), s.db, promql.NewPrometheusQueryOpts(false, 0), expr, r.Start, r.End, r.Step)
	if err != nil {
		b.Fatal(err)
	}
	defer q.Close()
	if res := q.Exec(b.Context()); res.Err != nil {
		b.Fatal(res.Err)
	}
}
