package advisor

import (
	"math"
	"testing"
	"time"

	"plimsoll/advisor/store"
)

func TestASeriesThatAStepNoLongerHasIsEnded(t *testing.T) {
	finding := func(severity string) store.Sample {
		return store.Sample{Name: "plimsoll_finding", Labels: map[string]string{"severity": severity, "rule": "a/rule"}, Value: 1}
	}
	at := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	now := samples{at: at, all: []store.Sample{finding("high")}}
	ended := now.ended([]store.Sample{finding("high"), finding("low")})
	if len(ended) != 1 || ended[0].Labels["severity"] != "low" || !ended[0].Time.Equal(at) || !math.IsNaN(ended[0].Value) {
		t.Errorf("ended = %+v, want that of severity low, with no value", ended)
	}
}
