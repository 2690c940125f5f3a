package digest

import "math"

// errorsBetween says by how many standard errors the median or the mean of more lies above that of less,
// whichever is further. Beyond three chance is a poor explanation.
//
// Durations are taken as log-normal, which they mostly resemble: many short ones, and few that are very
// long. Then the logarithm of n calls' median has the standard error σ·√(π/2n), and that of their mean
// √((e^σ²−1)/n), with σ the deviation of the logarithms. The longer the tail, the less a mean tells.
func errorsBetween(less, more *Query) float64 {
	a, b := spread(less.TimeSeconds), spread(more.TimeSeconds)
	m, n := float64(less.Calls), float64(more.Calls)
	median := apart(less.TimeSeconds.P50, more.TimeSeconds.P50) / math.Sqrt(math.Pi/2*(a*a/m+b*b/n))
	mean := apart(less.TimeSeconds.Mean, more.TimeSeconds.Mean) / math.Sqrt(math.Expm1(a*a)/m+math.Expm1(b*b)/n)
	return max(median, mean)
}

// microsecond is the least that logs tell: a duration of 0 is less than one.
const microsecond = 1e-6

// spread estimates σ. The 95th percentile of a normal distribution is 1.645 deviations above the median.
// It is no less than what rounding to buckets makes.
func spread(s Seconds) float64 {
	return max(apart(s.P50, s.P95)/1.645, quantileError)
}

// apart returns the logarithm of how many times greater b is than a.
func apart(a, b float64) float64 {
	return math.Log(max(b, microsecond) / max(a, microsecond))
}
