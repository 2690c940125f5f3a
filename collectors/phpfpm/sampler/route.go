package sampler

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// routes turns the URLs of one pool into templates: what names one thing or person among many becomes {id}.
//
// Numbers, hashes and the like are known by their looks. A slug without a digit is not, so that a folder with
// very many different names in it is taken for a list of things: all names that come later become {id} there.
type routes struct {
	// children are the names that were seen in a folder; nil once they were too many.
	children map[string]map[string]bool
}

const (
	// maxChildren is how many names a folder may have before they are things: more than the pages of a site
	// that somebody linked by hand.
	maxChildren = 64
	// maxFoldersKnown bounds what is remembered.
	maxFoldersKnown = 1024
	maxSegments     = 8
	maxSegment      = 60
	placeholder     = "{id}"
	// unknownRoute is the route of a request whose parameters could not be read.
	unknownRoute = "unknown"
)

// template returns the route of a URL: its path without what varies. A query is no part of it.
func (r *routes) template(uri string) string {
	if i := strings.Index(uri, "://"); i >= 0 && !strings.HasPrefix(uri, "/") {
		_, rest, _ := strings.Cut(uri[i+3:], "/")
		uri = "/" + rest
	}
	if i := strings.IndexAny(uri, "?#;"); i >= 0 {
		uri = uri[:i]
	}
	out := "/"
	for i, segment := range strings.Split(strings.Trim(path.Clean("/"+uri), "/"), "/") {
		if i == maxSegments {
			return path.Join(out, "…")
		}
		out = path.Join(out, r.name(out, generic(segment)))
	}
	return out
}

// name returns what a name in a folder is called.
func (r *routes) name(dir, segment string) string {
	if segment == "" || strings.Contains(segment, placeholder) {
		return segment
	}
	if r.children == nil {
		r.children = map[string]map[string]bool{}
	}
	known, seen := r.children[dir]
	switch {
	case known[segment]:
		return segment
	case seen && known == nil, !seen && len(r.children) >= maxFoldersKnown:
		return placeholder + extension(segment)
	case len(known) >= maxChildren:
		r.children[dir] = nil
		return placeholder + extension(segment)
	case !seen:
		r.children[dir] = map[string]bool{}
	}
	r.children[dir][segment] = true
	return segment
}

// generic replaces what looks like the name of one thing.
func generic(segment string) string {
	ext := extension(segment)
	stem := strings.TrimSuffix(segment, ext)
	if strings.Contains(segment, "@") {
		return placeholder // A person's address.
	}
	if key, _, ok := strings.Cut(stem, "="); ok {
		return generic(key) + "=" + placeholder
	}
	digits := strings.IndexFunc(stem, isDigit) >= 0
	switch {
	case stem == "":
		return segment
	case strings.IndexFunc(stem, isStrange) >= 0, len(stem) > maxSegment, digits && (len(stem) >= 12 || isHex(stem)):
		return placeholder + ext
	case digits:
		return withoutNumbers(stem) + ext
	}
	return segment
}

// withoutNumbers replaces numbers of three digits and more, and all that stand alone: in blue-shirt-7 but not
// in v1, oauth2 or page12.
func withoutNumbers(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		end := i
		for end < len(s) && isDigit(rune(s[end])) {
			end++
		}
		switch {
		case end == i:
			b.WriteByte(s[i])
			end++
		case end-i >= 3, (i == 0 || !isLetter(s[i-1])) && (end == len(s) || !isLetter(s[end])):
			b.WriteString(placeholder)
		default:
			b.WriteString(s[i:end])
		}
		i = end
	}
	return b.String()
}

// extension returns the end of a file's name, such as .html, if it is one.
func extension(segment string) string {
	ext := path.Ext(segment)
	if len(ext) < 2 || len(ext) > 6 || strings.IndexFunc(ext[1:], func(c rune) bool { return c > 'z' || !isLetter(byte(c)) }) >= 0 {
		return ""
	}
	return ext
}

func isDigit(c rune) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// isStrange is true for what names in a program do not have: escapes, addresses of people, control characters.
func isStrange(c rune) bool {
	return !isDigit(c) && (c > 'z' || !isLetter(byte(c))) && !strings.ContainsRune("-_.~", c) && c != '='
}

// isHex is true for hashes and UUIDs: eight hexadecimal digits and more.
func isHex(s string) bool {
	n := 0
	for _, c := range strings.ToLower(s) {
		switch {
		case isDigit(c) || c >= 'a' && c <= 'f':
			n++
		case c != '-':
			return false
		}
	}
	return n >= 8
}

// methodOf returns an HTTP method, or OTHER for what is none that is known.
func methodOf(text string) string {
	switch text {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE", "BAN", "PROPFIND", "REPORT":
		return text
	}
	return "OTHER"
}

// printable returns a text that can be shown, of at most n bytes and an ellipsis.
func printable(s string, n int) string {
	s = strings.Map(func(c rune) rune {
		if c == utf8.RuneError || !unicode.IsPrint(c) {
			return utf8.RuneError
		}
		return c
	}, s)
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
