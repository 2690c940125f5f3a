package sqltext

import "strings"

// Kind says what a token is.
type Kind uint8

// The kinds of tokens.
const (
	EOF      Kind = iota // the text has ended
	Word                 // a keyword or a name without quotes; see Token.Keyword
	Name                 // a name in backticks, or in double quotes under ANSI_QUOTES
	String               // a string literal of any spelling, N'…', X'…' and B'…' included
	Number               // a number, 0x… and 0b… included, without a sign
	Param                // a placeholder or a digest text's value: ?
	List                 // a digest text's list: the dots of (...) and of "?, ..."
	Charset              // a digest text's charset introducer: (_charset)
	Variable             // a user variable or the host of an account: @name, @'name', @?
	Op                   // an operator or a mark: = <=> ( ) , . ; @@
	Hint                 // an optimizer hint: /*+ … */
	Comment              // a comment; the inside of /*! … */ is no comment but tokens
)

// Token is one token of a text. Its Text is a part of that text, unchanged, quotes included.
type Token struct {
	Kind Kind
	Text string
	Pos  int // where Text begins, in bytes
}

// Is reports whether t is the operator or the unquoted word s. Words compare without case.
func (t Token) Is(s string) bool {
	switch t.Kind {
	case Op:
		return t.Text == s
	case Word:
		return strings.EqualFold(t.Text, s)
	default:
		return false
	}
}

// Value reports whether t stands for a value: a literal, a placeholder, or a list of them.
func (t Token) Value() bool {
	return t.Kind == String || t.Kind == Number || t.Kind == Param || t.Kind == List
}

// Keyword returns the canonical spelling, in upper case, of a word that MySQL or MariaDB knows:
// DISTINCT for the DistinctRow of a live text and the DISTINCTROW of a digest. It is empty for other
// names. Most keywords may also be the name of a table or column.
func (t Token) Keyword() string {
	if t.Kind != Word {
		return ""
	}
	if w := words.find(t.Text); w != nil {
		return w.canonical
	}
	return ""
}

// Ident returns the name that a Word or Name token stands for, without quotes.
func (t Token) Ident() string {
	if t.Kind == Word {
		return t.Text
	}
	if t.Kind != Name || len(t.Text) == 0 {
		return ""
	}
	q := t.Text[:1]
	s := strings.TrimSuffix(t.Text[1:], q)
	return strings.ReplaceAll(s, q+q, q)
}
