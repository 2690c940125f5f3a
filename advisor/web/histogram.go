package web

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
)

// histograms puts the samples of one histogram together, a metric a label set.
func (g gatherer) histograms(name string) []*dto.Metric {
	byLabels := map[string]*dto.Metric{}
	get := func(in map[string]string) *dto.Histogram {
		pairs := labels(in)
		var key strings.Builder
		for _, p := range pairs {
			key.WriteString(p.GetName() + "\x00" + p.GetValue() + "\x00")
		}
		if byLabels[key.String()] == nil {
			byLabels[key.String()] = &dto.Metric{Label: pairs, Histogram: &dto.Histogram{}}
		}
		return byLabels[key.String()].Histogram
	}
	for _, s := range g {
		switch s.Name {
		case name + "_bucket":
			addBucket(get(s.Labels), s.Labels["le"], s.Value)
		case name + "_count":
			get(s.Labels).SampleCount = new(uint64(s.Value))
		case name + "_sum":
			get(s.Labels).SampleSum = new(s.Value)
		}
	}
	var out []*dto.Metric
	for _, key := range slices.Sorted(maps.Keys(byLabels)) {
		out = append(out, byLabels[key])
	}
	return out
}

func addBucket(h *dto.Histogram, le string, count float64) {
	bound, err := strconv.ParseFloat(le, 64)
	if err != nil || le == "+Inf" {
		return // the format writes it from the count
	}
	h.Bucket = append(h.Bucket, &dto.Bucket{UpperBound: new(bound), CumulativeCount: new(uint64(count))})
}
