package sqltext

import (
	"net/url"
	"strings"
)

// Origin is where in a program a statement comes from, as a comment in it says: sqlcommenter's
// /*controller='cart',route='%2Fcart'*/, or /* controller:cart,action:add */ as Marginalia writes.
// It is never part of the fingerprint.
//
// A program may write anything into a comment. So other keys than these are not read (traceparent,
// tracestate, pid, db_host, file …: no two calls share them, or they tell of a host), and of the values
// stays what can be the name of a thing in a program, see [Origin.Route].
type Origin struct {
	Application string `json:"application,omitempty"` // keys application, app, service
	Framework   string `json:"framework,omitempty"`
	Driver      string `json:"driver,omitempty"` // key db_driver
	Controller  string `json:"controller,omitempty"`
	Action      string `json:"action,omitempty"`
	// Route is the pattern or path of the request, without its query. As in all values, words that can
	// be an identifier of a person or a thing (digits other than two behind letters, characters that
	// names do not have, more than 40 bytes) are replaced by ?: /cart/? for /cart/4711.
	Route string `json:"route,omitempty"`
	Job   string `json:"job,omitempty"`
}

// OriginOf returns what the comments of a statement tell of its origin; the zero Origin if nothing.
func OriginOf(sql string) Origin { return Options{}.OriginOf(sql) }

// OriginOf is the function [OriginOf] for a text read with these options.
func (o Options) OriginOf(sql string) Origin {
	var origin Origin
	if !strings.Contains(sql, "/*") {
		return origin
	}
	s := o.Scanner(sql)
	for t := s.Next(); t.Kind != EOF; t = s.Next() {
		if body, ok := strings.CutPrefix(t.Text, "/*"); ok && t.Kind == Comment {
			origin.read(strings.TrimSuffix(body, "*/"))
		}
	}
	return origin
}

// read takes the tags of a comment. The first value of a key stays.
func (o *Origin) read(comment string) {
	if len(comment) > maxComment {
		return
	}
	for tag := range strings.SplitSeq(comment, ",") {
		i := strings.IndexAny(tag, "=:")
		if i < 0 {
			continue
		}
		field := o.field(strings.TrimSpace(tag[:i]))
		if field != nil && *field == "" {
			*field = originValue(strings.TrimSpace(tag[i+1:]))
		}
	}
}

// maxComment and maxValue bound, in bytes, the comments that are read for tags and what stays of a value.
const (
	maxComment = 4096
	maxValue   = 120
)

// field returns where the value of a key belongs; nil for keys that are not read.
func (o *Origin) field(key string) *string {
	switch strings.ToLower(key) {
	case "application", "app", "service":
		return &o.Application
	case "framework":
		return &o.Framework
	case "db_driver":
		return &o.Driver
	case "controller":
		return &o.Controller
	case "action":
		return &o.Action
	case "route":
		return &o.Route
	case "job":
		return &o.Job
	default:
		return nil
	}
}

// originValue takes quotes and escapes off a value, and whatever is not the name of a thing in a program.
func originValue(s string) string {
	s = strings.Trim(s, `'"`)
	if plain, err := url.PathUnescape(s); err == nil {
		s = plain
	}
	if i := strings.IndexAny(s, "?#;&="); i >= 0 {
		s = s[:i]
	}
	if len(s) > maxValue {
		return "?"
	}
	var b strings.Builder
	for len(s) > 0 {
		n := strings.IndexAny(s, `/\:@.`)
		if n < 0 {
			n = len(s)
		}
		if originWord(s[:n]) {
			b.WriteString(s[:n])
		} else {
			b.WriteByte('?')
		}
		if n < len(s) {
			b.WriteByte(s[n])
			n++
		}
		s = s[n:]
	}
	return b.String()
}

// maxOriginWord is the longest word that is taken for a name, in bytes.
const maxOriginWord = 40

// originWord reports whether s can be a word of a program: cart, CartController, V1, oauth2, {id},
// order-items, wp_head; not 4711, 65f3ab, a b.
func originWord(s string) bool {
	letters := strings.TrimRight(s, "0123456789")
	if len(s) > maxOriginWord || len(s)-len(letters) > 2 || letters == "" && s != "" {
		return false
	}
	for i := 0; i < len(letters); i++ {
		c := letters[i]
		if c >= 0x80 || class[c] != letter && !strings.ContainsRune("-{}", rune(c)) {
			return false
		}
	}
	return true
}
