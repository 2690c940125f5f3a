package sqltext

import (
	"strings"
	"testing"
	"time"
)

// TestHostileTextsTakeLinearTime feeds texts of half a megabyte whose folding, searching or counting would
// take minutes if any of it were quadratic.
func TestHostileTextsTakeLinearTime(t *testing.T) {
	const size = 1 << 19
	distinct := func(prefix, suffix string) string {
		var b strings.Builder
		for i := 0; b.Len() < size; i++ {
			b.WriteString(prefix)
			for n := i; n > 0; n /= 26 {
				b.WriteByte(byte('a' + n%26))
			}
			b.WriteString(suffix)
		}
		return b.String()
	}
	repeated := func(s string) string { return strings.Repeat(s, size/len(s)) }
	for name, text := range map[string]string{
		"nested IN":        repeated("a IN ("),
		"closed nested IN": strings.Repeat("a IN (b,", size/16) + strings.Repeat(")", size/16),
		"nested UNION":     repeated("(SELECT 1 UNION SELECT 2 UNION "),
		"branches":         repeated("SELECT 1 UNION ALL "),
		"unlike branches":  distinct("SELECT ", " UNION "),
		"rows":             "INSERT INTO t VALUES " + repeated("(1, f(2)), "),
		"nested rows":      repeated("VALUES ((1, f(2)), "),
		"commas":           "SELECT a " + repeated(", "),
		"signs":            "SELECT a, " + repeated("- "),
		"dollars":          distinct("$", "$ "),
		"quotes":           repeated("' "),
		"backslashes":      "'" + repeated(`\'`),
		"backticks":        repeated("``"),
		"comments":         repeated("/* */"),
		"open comments":    repeated("/*! "),
		"origins":          repeated("/*route=a,route=b*/"),
		"origin":           "/*" + repeated("route=a,") + "*/",
		"open rows":        repeated("(1,2),(3,"),
		"rows of rows":     "VALUES " + repeated("(1), (2, 3), "),
		"open values":      repeated("(1,'a',"),
		"numbers":          repeated("(1.5e5."),
		"families":         "SELECT 1 FROM " + distinct("t_1_", ", "),
		"tables":           "SELECT 1 FROM " + distinct("t", ", "),
		"WITH":             repeated("WITH x ( "),
		"dots":             repeated("a."),
		"called":           repeated("a.b("),
		"strings":          repeated("'a' "),
	} {
		start := time.Now()
		st := Parse(text)
		HasPrefixOf(text, text)
		digestBytes(text)
		ParseFamily(text)
		new(Digester).Sum([]byte(text))
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s: %s took %v", name, st.Fingerprint, took)
		}
	}
}
