package rules

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Words writes a figure for people, with three significant digits at most: the
// one way in which rules and reports write numbers.
func Words(value float64, unit Unit) string {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return "not known"
	}
	switch unit {
	case Seconds:
		return duration(value)
	case Bytes:
		return scaled(value, 1024, " B", " KiB", " MiB", " GiB", " TiB")
	case Ratio:
		return digits(value*100) + " %"
	case PerSecond:
		return rate(value)
	case CoreSeconds:
		return digits(value) + " core-s/s"
	case RowsPerCall:
		return rows(value) + " a call"
	case Rows:
		return rows(value)
	default:
		return count(value)
	}
}

func rows(n float64) string {
	if n == 1 {
		return "1 row"
	}
	return count(n) + " rows"
}

func count(n float64) string { return scaled(n, 1000, "", "k", "M", "G") }

// duration writes seconds in the largest unit that gives at least one of it.
func duration(s float64) string {
	switch abs := math.Abs(s); {
	case abs == 0:
		return "0 s"
	case abs < 1e-3:
		return digits(s*1e6) + " µs"
	case abs < 1:
		return digits(s*1e3) + " ms"
	case abs < 120:
		return digits(s) + " s"
	case abs < 2*time.Hour.Seconds():
		return digits(s/60) + " min"
	case abs < 48*time.Hour.Seconds():
		return digits(s/3600) + " h"
	}
	return digits(s/86400) + " days"
}

// rate writes what is rare by the minute or the hour: nobody reads 0.0167/s.
func rate(v float64) string {
	switch abs := math.Abs(v); {
	case abs == 0 || abs >= 0.1:
		return scaled(v, 1000, "/s", "k/s", "M/s", "G/s")
	case abs*60 >= 0.1:
		return digits(v*60) + "/min"
	}
	return digits(v*3600) + "/h"
}

func scaled(v, step float64, units ...string) string {
	i := 0
	for math.Abs(v) >= step*0.9995 && i < len(units)-1 {
		v /= step
		i++
	}
	return digits(v) + units[i]
}

// digits writes three significant digits and no exponent.
func digits(v float64) string {
	if v == 0 {
		return "0"
	}
	exponent := int(math.Floor(math.Log10(math.Abs(v))))
	places := max(2-exponent, 0)
	rounded := math.Round(v*math.Pow10(places)) / math.Pow10(places)
	if exponent >= 3 {
		return fmt.Sprintf("%.0f", rounded)
	}
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}
