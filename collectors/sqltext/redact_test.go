package sqltext

import "testing"

func TestClipCutsAtRunes(t *testing.T) {
	for _, c := range []struct {
		text  string
		runes int
		want  string
	}{
		{"SELECT", 6, "SELECT"},
		{"SELECT", 5, "SELE…"},
		{"ä€😀x", 4, "ä€😀x"},
		{"ä€😀x", 3, "ä€…"},
		{"SELECT", 1, "…"},
		{"S", 1, "S"},
		{"SELECT", 0, ""},
		{"", 3, ""},
	} {
		if got := Clip(c.text, c.runes); got != c.want {
			t.Errorf("Clip(%q, %d) = %q, want %q", c.text, c.runes, got, c.want)
		}
	}
}

func TestAClippedTextIsTakenForCutOff(t *testing.T) {
	st := Parse(Clip("SELECT * FROM orders WHERE customer_id = ?", 30))
	if want := "SELECT * FROM orders WHERE cu ..."; st.Text != want || !st.Truncated {
		t.Errorf("got %q, truncated %t, want %q", st.Text, st.Truncated, want)
	}
	if !HasPrefixOf("select * from orders where customer_id = 5", st.Text) {
		t.Errorf("%q is not taken for the beginning of its statement", st.Text)
	}
}

func TestRedactMessageTakesEverythingBetweenQuotes(t *testing.T) {
	for message, want := range map[string]string{
		"Error 'Duplicate entry '5-secret' for key 'PRIMARY'' on query. Default database: 'shop'. Query: 'INSERT INTO t VALUES ('secret')'": "Error ?",
		"You have an error in your SQL syntax near ''secret' at line 1":                                                                     "You have an error in your SQL syntax near ? at line ?",
		"Could not find first log file name in binary log index file":                                                                       "Could not find first log file name in binary log index file",
		"Got fatal error 1236 from source":                                                                                                  "Got fatal error ? from source",
		"bad \x00\xff\u202e byte":                                                                                                           "bad \uFFFD\uFFFD\uFFFD byte",
	} {
		if got := RedactMessage(message); got != want {
			t.Errorf("RedactMessage(%q) = %q, want %q", message, got, want)
		}
	}
}

func TestNamesAreShownWithoutControlCharacters(t *testing.T) {
	const sql = "SELECT `a\x00b\n`, c\xff\u202ed FROM t"
	const want = "SELECT a\uFFFDb\uFFFD, c\uFFFD\uFFFDd FROM t"
	if got := Redact(sql); got != want {
		t.Errorf("Redact(%q) = %q, want %q", sql, got, want)
	}
}
