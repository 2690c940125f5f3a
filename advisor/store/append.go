package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
)

const (
	// maxAhead is how far a sample may lie in the future: one from next year
	// would make the database refuse all of this year. The scraper's own limit.
	maxAhead = 10 * time.Minute

	maxLabels     = 32
	maxLabelName  = 128
	maxLabelValue = 1024 // a digest's text is at most 120 runes, 480 bytes

	// maxReported is how many refused samples an error of Append names.
	maxReported = 5
)

// Sample is one value of one of the advisor's own series at one time.
type Sample struct {
	// Name is the metric's name in the classic alphabet, plimsoll_*.
	Name string
	// Labels are the series' other labels, at most 32; a value is valid UTF-8
	// of at most 1,024 bytes. A label with an empty value is as good as none.
	Labels map[string]string
	// Time is when Value was true, to the millisecond; at most a day ago, at
	// most 10 minutes ahead.
	Time time.Time
	// Value is any float, NaN included.
	Value float64
}

// Ended returns the end of m's series at a time: queries do not see the series
// from then on, instead of seeing its last value for five minutes more.
func (m Sample) Ended(at time.Time) Sample {
	m.Time, m.Value = at, math.Float64frombits(value.StaleNaN)
	return m
}

// Append stores the samples in one transaction. A sample that cannot be stored
// does not keep the others back: the error then says how many were refused, and
// why the first few. It is ErrNoRoom, and nothing is stored, while the disk is
// too full.
func (s *Store) Append(ctx context.Context, samples []Sample) error {
	if err := s.checkRoom(); err != nil {
		return err
	}
	return s.append(ctx, samples)
}

func (s *Store) append(ctx context.Context, samples []Sample) error {
	app := s.db.AppenderV2(ctx)
	var refused []error
	for _, m := range samples {
		if err := s.appendOne(app, m); err != nil {
			refused = append(refused, err)
		}
	}
	if err := app.Commit(); err != nil {
		return fmt.Errorf("append %d samples: %w", len(samples), err)
	}
	return refusal(refused, len(samples))
}

func (s *Store) appendOne(app storage.AppenderV2, m Sample) error {
	lset, err := m.labels()
	if err != nil {
		return err
	}
	if ahead := m.Time.Sub(s.now()); ahead > maxAhead {
		return fmt.Errorf("%s: time is %s ahead of this host's clock, at most %s is accepted", m.Name, ahead, maxAhead)
	}
	_, err = app.Append(0, lset, 0, m.Time.UnixMilli(), m.Value, nil, nil, storage.AOptions{})
	if err != nil {
		return fmt.Errorf("%s: %w", m.Name, err)
	}
	return nil
}

// labels checks what the database does not: it would store invalid UTF-8, and
// every answer with that series would then be one that no client can read.
func (m Sample) labels() (labels.Labels, error) {
	if !model.LegacyValidation.IsValidMetricName(m.Name) {
		return labels.Labels{}, fmt.Errorf("%.64q is no metric name", m.Name)
	}
	if m.Time.IsZero() {
		return labels.Labels{}, fmt.Errorf("%s: sample has no time", m.Name)
	}
	if len(m.Labels) > maxLabels {
		return labels.Labels{}, fmt.Errorf("%s: %d labels, at most %d are accepted", m.Name, len(m.Labels), maxLabels)
	}
	b := labels.NewBuilder(labels.EmptyLabels())
	for name, value := range m.Labels {
		if err := checkLabel(name, value); err != nil {
			return labels.Labels{}, fmt.Errorf("%s: %w", m.Name, err)
		}
		b.Set(name, value)
	}
	return b.Set(model.MetricNameLabel, m.Name).Labels(), nil
}

func checkLabel(name, value string) error {
	switch {
	case len(name) > maxLabelName || !model.LegacyValidation.IsValidLabelName(name) || name == model.MetricNameLabel:
		return fmt.Errorf("%.64q is no label name", name)
	case !utf8.ValidString(value):
		return fmt.Errorf("label %s: %.64q is not UTF-8", name, value)
	case len(value) > maxLabelValue:
		return fmt.Errorf("label %s: value has %d bytes, at most %d are accepted", name, len(value), maxLabelValue)
	}
	return nil
}

func refusal(refused []error, all int) error {
	if len(refused) == 0 {
		return nil
	}
	shown := refused[:min(len(refused), maxReported)]
	return fmt.Errorf("append: %d of %d samples refused: %w", len(refused), all, errors.Join(shown...))
}
