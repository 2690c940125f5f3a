package report

import (
	"bytes"
	"fmt"
	"strings"

	"plimsoll/advisor/ledger"
	"plimsoll/rules"
)

// TextOptions is how Text writes.
type TextOptions struct {
	// Width is the number of columns; 80 if it is zero.
	Width int
	// Colour allows ANSI colours.
	Colour bool
}

// Text returns the report for a terminal.
func (r *Report) Text(TextOptions) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "Plimsoll, %s\n", r.Generated.UTC().Format("2006-01-02 15:04 MST"))
	for _, e := range r.Findings {
		b.WriteByte('\n')
		b.Write(Explain(e))
	}
	for _, n := range r.NotReady {
		fmt.Fprintf(&b, "\nNot ready: %s for %s: %s\n", clean(string(n.Rule)), clean(n.Subject.String()), clean(n.Reason))
	}
	for _, u := range r.Unreachable {
		fmt.Fprintf(&b, "\nUnreachable: %s: %s\n", clean(u.Target), clean(u.Reason))
	}
	for _, g := range r.Gaps {
		fmt.Fprintf(&b, "\nNot seen: %s %s: %s\n", clean(g.Host), clean(g.Subject), clean(g.Reason))
	}
	return b.Bytes()
}

// Explain returns a finding with every figure behind it, as text.
func Explain(e Entry) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "[%s] %s: %s\n", clean(string(e.Severity)), clean(e.Title), clean(e.Subject.String()))
	if e.Status == ledger.StatusAcknowledged && e.Ack != nil {
		fmt.Fprintf(&b, "  acknowledged by %s: %s\n", clean(e.Ack.Who), clean(e.Ack.Why))
	}
	fmt.Fprintf(&b, "  %s\n", clean(e.Summary))
	for _, v := range e.Evidence {
		value := rules.Words(v.Value, v.Unit)
		if v.Unit == rules.Text {
			value = v.Words
		}
		fmt.Fprintf(&b, "  %s: %s (%s)\n", clean(v.What), clean(value), clean(v.Source))
	}
	for _, s := range e.Remedy {
		fmt.Fprintf(&b, "    %s\n", strings.Join(cleanBlock(s.Text), "\n    "))
	}
	return b.Bytes()
}
