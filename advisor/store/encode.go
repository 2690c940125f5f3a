package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/util/annotations"
)

var errTooLarge = errors.New("answer is larger than 64 MiB; ask for fewer series, a shorter range or a larger step")

// marshalled makes a reply of anything that encoding/json can write. It must be
// called before the database's querier is closed: labels may live in mapped
// files that Close unmaps.
func marshalled(v any, notes annotations.Annotations) (reply, error) {
	data, err := json.Marshal(v)
	if err == nil && len(data) > maxAnswer {
		err = errTooLarge
	}
	return reply{data: data, notes: notes}, err
}

// encode writes an answer as Prometheus' API does.
func encode(r reply) []byte {
	b := append([]byte(`{"status":"success","data":`), r.data...)
	warnings, infos := r.notes.AsStrings(r.query, maxNotes, maxNotes)
	b = appendStrings(b, `,"warnings":`, warnings)
	b = appendStrings(b, `,"infos":`, infos)
	return append(b, '}')
}

func appendStrings(b []byte, field string, list []string) []byte {
	if len(list) == 0 {
		return b
	}
	b = append(b, field...)
	for i, s := range list {
		b = append(b, "[,"[min(i, 1)])
		b = appendString(b, s)
	}
	return append(b, ']')
}

// encodeValue writes the outcome of a query as the data of an answer. It is
// written by hand because encoding/json knows neither Prometheus' way of
// numbers (strings, so that NaN and Inf fit) nor when to stop.
func encodeValue(v parser.Value) (json.RawMessage, error) {
	b := append([]byte(`{"resultType":"`), v.Type()...)
	b = append(b, `","result":`...)
	switch v := v.(type) {
	case promql.Vector:
		b = append(b, '[')
		for i, s := range v {
			if len(b) > maxAnswer {
				return nil, errTooLarge
			}
			b = appendSample(comma(b, i), s)
		}
		b = append(b, ']')
	case promql.Matrix:
		b = append(b, '[')
		for i, s := range v {
			if len(b) > maxAnswer {
				return nil, errTooLarge
			}
			b = appendSeries(comma(b, i), s)
		}
		b = append(b, ']')
	case promql.Scalar:
		b = appendPoint(b, promql.FPoint{T: v.T, F: v.V})
	case promql.String:
		b = appendTime(append(b, '['), v.T)
		b = append(appendString(append(b, ','), v.V), ']')
	default:
		return nil, fmt.Errorf("BUG: query yields a %T", v)
	}
	return append(b, '}'), nil
}

func comma(b []byte, i int) []byte {
	if i > 0 {
		return append(b, ',')
	}
	return b
}

func appendSample(b []byte, s promql.Sample) []byte {
	b = appendLabels(append(b, `{"metric":`...), s.Metric)
	if s.H != nil {
		b = appendHPoint(append(b, `,"histogram":`...), promql.HPoint{T: s.T, H: s.H})
	} else {
		b = appendPoint(append(b, `,"value":`...), promql.FPoint{T: s.T, F: s.F})
	}
	return append(b, '}')
}

func appendSeries(b []byte, s promql.Series) []byte {
	b = appendLabels(append(b, `{"metric":`...), s.Metric)
	if len(s.Floats) > 0 {
		b = append(b, `,"values":[`...)
		for i, p := range s.Floats {
			b = appendPoint(comma(b, i), p)
		}
		b = append(b, ']')
	}
	if len(s.Histograms) > 0 {
		b = append(b, `,"histograms":[`...)
		for i, p := range s.Histograms {
			b = appendHPoint(comma(b, i), p)
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

func appendLabels(b []byte, l labels.Labels) []byte {
	b = append(b, '{')
	i := 0
	l.Range(func(l labels.Label) {
		b = appendString(comma(b, i), l.Name)
		b = appendString(append(b, ':'), l.Value)
		i++
	})
	return append(b, '}')
}

// appendPoint writes [1435781451.781,"1.5"].
func appendPoint(b []byte, p promql.FPoint) []byte {
	b = appendTime(append(b, '['), p.T)
	b = appendFloat(append(b, ','), p.F)
	return append(b, ']')
}

func appendHPoint(b []byte, p promql.HPoint) []byte {
	b = appendTime(append(b, '['), p.T)
	b = appendHistogram(append(b, ','), p.H)
	return append(b, ']')
}

// appendHistogram writes a native histogram. The first figure of a bucket says
// which of its bounds belong to it: 0 the upper, 1 the lower, 2 none, 3 both.
// Empty buckets are left out.
func appendHistogram(b []byte, h *histogram.FloatHistogram) []byte {
	b = appendFloat(append(b, `{"count":`...), h.Count)
	b = appendFloat(append(b, `,"sum":`...), h.Sum)
	n := 0
	for it := h.AllBucketIterator(); it.Next(); {
		k := it.At()
		if k.Count == 0 {
			continue
		}
		if n == 0 {
			b = append(b, `,"buckets":[`...)
		}
		b = append(comma(b, n), '[', bounds(k), ',')
		b = appendFloat(b, k.Lower)
		b = appendFloat(append(b, ','), k.Upper)
		b = append(appendFloat(append(b, ','), k.Count), ']')
		n++
	}
	if n > 0 {
		b = append(b, ']')
	}
	return append(b, '}')
}

func bounds(k histogram.Bucket[float64]) byte {
	switch {
	case k.LowerInclusive && k.UpperInclusive:
		return '3'
	case k.LowerInclusive:
		return '1'
	case k.UpperInclusive:
		return '0'
	}
	return '2'
}

// appendTime writes milliseconds as seconds with up to three decimals.
func appendTime(b []byte, ms int64) []byte {
	if ms < 0 {
		b, ms = append(b, '-'), -ms
	}
	b = strconv.AppendInt(b, ms/1000, 10)
	if f := ms % 1000; f != 0 {
		b = append(b, '.', byte('0'+f/100), byte('0'+f/10%10), byte('0'+f%10))
	}
	return b
}

// appendFloat writes a number in quotes, as JavaScript would write it.
func appendFloat(b []byte, f float64) []byte {
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	b = strconv.AppendFloat(append(b, '"'), f, format, -1, 64)
	return append(b, '"')
}

// appendString writes a JSON string. Most labels are plain ASCII and need no
// second look.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(s) // a string always marshals
			return append(b, quoted...)
		}
	}
	b = append(append(b, '"'), s...)
	return append(b, '"')
}
