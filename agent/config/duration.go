package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// parseDuration reads what Go reads (90s, 1m30s, 500ms), and says of what
// people write instead how it is written here.
func parseDuration(text string) (time.Duration, error) {
	if v, err := time.ParseDuration(text); err == nil && strings.Trim(text, "+-0.") != "" {
		return v, nil
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return 0, fmt.Errorf("%q has no unit; write %ss", text, text)
	}
	if days, err := strconv.Atoi(strings.TrimSuffix(text, "d")); err == nil {
		return 0, fmt.Errorf("%q: days are not a unit; write %dh", text, 24*days)
	}
	return 0, fmt.Errorf("%.64q is not a duration; write 15s, 5m or 1h", text)
}

// short is d without its zero units: 24h, not 24h0m0s.
func short(d time.Duration) string {
	s := d.String()
	s = strings.TrimSuffix(s, "0s")
	if strings.HasSuffix(s, "h0m") {
		return strings.TrimSuffix(s, "0m")
	}
	if s == "" || strings.HasSuffix(s, "m") || strings.HasSuffix(s, "h") {
		return s
	}
	return d.String()
}
