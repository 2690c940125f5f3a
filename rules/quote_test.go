package rules

import (
	"strings"
	"testing"

	"plimsoll/collectors/snapshot"
)

func TestNamesAreQuotedForWhereTheyGo(t *testing.T) {
	cases := []struct{ got, want string }{
		{quoteName("orders"), "`orders`"},
		{quoteName("a`; DROP TABLE b; -- "), "`a``; DROP TABLE b; -- `"},
		{quoteText("east"), "'east'"},
		{quoteText(`it's \'`), `'it''s \\'''`},
		{shellWord("/var/lib/it's; rm -rf /"), `'/var/lib/it'\''s; rm -rf /'`},
	}
	for _, c := range cases {
		if c.got != c.want {
			t.Errorf("quoted = %s, want %s", c.got, c.want)
		}
	}
}

func TestWhatDoesNotShowIsTakenOutOfAServersWords(t *testing.T) {
	hidden := "a\x00b\nc\td\x1be\x7ff\u0085g\u200bh\u202ei\u2066j\u2028k\u2029l\ufeffm\xffn\u00ado"
	if got := printable(hidden); got != "abcdefghijklmno" {
		t.Errorf("printable = %q, want letters only", got)
	}
	if got := printable("Büroklammern 📎, naïve"); got != "Büroklammern 📎, naïve" {
		t.Errorf("printable changed %q", got)
	}
	for _, quoted := range []string{quoteName(hidden), quoteText(hidden), shellWord(hidden)} {
		if strings.ContainsAny(quoted, "\n\x00\u202e") {
			t.Errorf("quoted = %q, want it without what does not show", quoted)
		}
	}
}

func TestAStatementInASentenceIsShort(t *testing.T) {
	long := snapshot.Redacted("SELECT " + strings.Repeat("x, ", 500))
	if got := []rune(statement(long)); len(got) != statementRunes {
		t.Errorf("a statement of 1,500 characters takes %d, want %d", len(got), statementRunes)
	}
}
