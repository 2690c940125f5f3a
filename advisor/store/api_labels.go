package store

import (
	"context"
	"net/http"
	"slices"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
)

// selection is what series, labels and label values ask for: series by
// selectors within a time span, and how many results at most (0 is all).
type selection struct {
	sets       [][]*labels.Matcher
	start, end int64
	limit      int
	q          storage.Querier
}

// selected reads a selection and opens its querier, which the caller closes.
func (s *Store) selected(r *http.Request) (sel selection, err error) {
	if sel.sets, err = s.matchers(r); err != nil {
		return sel, err
	}
	if sel.limit, err = limitParam(r, "limit"); err != nil {
		return sel, err
	}
	if sel.start, sel.end, err = spanParams(r); err != nil {
		return sel, err
	}
	sel.q, err = s.db.Querier(sel.start, sel.end)
	return sel, err
}

func (sel selection) close() { _ = sel.q.Close() } // nothing was written

// hint is one more than the limit, so that a cut can be told.
func (sel selection) hint() int {
	if sel.limit == 0 {
		return 0
	}
	return sel.limit + 1
}

// series answers /api/v1/series.
func (s *Store) series(r *http.Request) (reply, error) {
	if len(r.Form["match[]"]) == 0 {
		return reply{}, badData("no match[] parameter provided")
	}
	sel, err := s.selected(r)
	if err != nil {
		return reply{}, err
	}
	defer sel.close()
	hints := &storage.SelectHints{Start: sel.start, End: sel.end, Func: "series", Limit: sel.hint()}
	var sets []storage.SeriesSet
	for _, m := range sel.sets {
		sets = append(sets, sel.q.Select(r.Context(), true, hints, m...))
	}
	return collect(r.Context(), storage.NewMergeSeriesSet(sets, 0, storage.ChainedSeriesMerge), sel.limit)
}

func collect(ctx context.Context, set storage.SeriesSet, limit int) (reply, error) {
	list := []labels.Labels{}
	for set.Next() {
		if err := ctx.Err(); err != nil {
			return reply{}, err
		}
		if limit > 0 && len(list) == limit {
			notes := set.Warnings()
			return marshalled(list, notes.Add(errTruncated))
		}
		list = append(list, set.At().Labels())
	}
	if err := set.Err(); err != nil {
		return reply{}, err
	}
	return marshalled(list, set.Warnings())
}

// labelNames answers /api/v1/labels.
func (s *Store) labelNames(r *http.Request) (reply, error) {
	return s.strings(r, func(sel selection, m []*labels.Matcher) ([]string, annotations.Annotations, error) {
		return sel.q.LabelNames(r.Context(), &storage.LabelHints{Limit: sel.hint()}, m...)
	})
}

// labelValues answers /api/v1/label/<name>/values. A name outside the classic
// alphabet comes escaped with the prefix U__.
func (s *Store) labelValues(r *http.Request) (reply, error) {
	name := model.UnescapeName(r.PathValue("name"), model.ValueEncodingEscaping)
	if !model.UTF8Validation.IsValidLabelName(name) {
		return reply{}, badData("invalid label name: %q", name)
	}
	return s.strings(r, func(sel selection, m []*labels.Matcher) ([]string, annotations.Annotations, error) {
		return sel.q.LabelValues(r.Context(), name, &storage.LabelHints{Limit: sel.hint()}, m...)
	})
}

// strings answers with the sorted union of what get finds for each selector.
func (s *Store) strings(r *http.Request, get func(selection, []*labels.Matcher) ([]string, annotations.Annotations, error)) (reply, error) {
	sel, err := s.selected(r)
	if err != nil {
		return reply{}, err
	}
	defer sel.close()
	sets := sel.sets
	if len(sets) == 0 {
		sets = [][]*labels.Matcher{nil}
	}
	var notes annotations.Annotations
	all := []string{}
	for _, m := range sets {
		some, warnings, err := get(sel, m)
		if err != nil {
			return reply{}, err
		}
		notes.Merge(warnings)
		all = append(all, some...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	if sel.limit > 0 && len(all) > sel.limit {
		all = all[:sel.limit]
		notes.Add(errTruncated)
	}
	return marshalled(all, notes)
}
