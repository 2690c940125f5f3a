package rules

import (
	"math"
	"testing"
)

func TestFiguresAreWrittenForPeople(t *testing.T) {
	cases := []struct {
		value float64
		unit  Unit
		want  string
	}{
		{0, Seconds, "0 s"},
		{0.0000021, Seconds, "2.1 µs"},
		{0.0123, Seconds, "12.3 ms"},
		{1, Seconds, "1 s"},
		{119, Seconds, "119 s"},
		{120, Seconds, "2 min"},
		{7200, Seconds, "2 h"},
		{86400, Seconds, "24 h"},
		{172800, Seconds, "2 days"},
		{-90, Seconds, "-90 s"},
		{512, Bytes, "512 B"},
		{1536, Bytes, "1.5 KiB"},
		{1 << 30, Bytes, "1 GiB"},
		{1 << 50, Bytes, "1024 TiB"},
		{0.012345, Ratio, "1.23 %"},
		{1, Ratio, "100 %"},
		{0, PerSecond, "0/s"},
		{0.1, PerSecond, "0.1/s"},
		{1.0 / 60, PerSecond, "1/min"},
		{0.0005, PerSecond, "1.8/h"},
		{12345, PerSecond, "12.3k/s"},
		{999.9, PerSecond, "1k/s"},
		{1234567, Rows, "1.23M rows"},
		{1, Rows, "1 row"},
		{1, RowsPerCall, "1 row a call"},
		{20000, RowsPerCall, "20k rows a call"},
		{0.5, CoreSeconds, "0.5 core-s/s"},
		{3, Count, "3"},
		{1500, Count, "1.5k"},
		{math.NaN(), Seconds, "not known"},
		{math.Inf(1), Count, "not known"},
	}
	for _, c := range cases {
		if got := Words(c.value, c.unit); got != c.want {
			t.Errorf("Words(%g, %s) = %q, want %q", c.value, c.unit, got, c.want)
		}
	}
}
