package sqltext

import "strings"

// HasPrefixOf reports whether a truncated text can be the beginning of the statement live: whether
// its canonical tokens begin those of live, the last one perhaps cut itself. A truncated digest
// (fp1t:) so finds the statements that share it; there can be many.
func HasPrefixOf(live, truncated string) bool {
	var liveRoom, cutRoom canonRoom
	whole := Options{}.canonical(live, &liveRoom, false)
	cut := Options{}.canonical(truncated, &cutRoom, true)
	n := len(cut.items)
	if n == 0 || n > len(whole.items) {
		return false
	}
	return equal(cut.items[:n-1], whole.items[:n-1]) && whole.items[n-1].hasPrefix(&cut.items[n-1])
}

// hasPrefix reports whether cut can be what is left of i: the same token, a value that would have
// become a list, or the beginning of a name.
func (i *item) hasPrefix(cut *item) bool {
	if i.hash == cut.hash || i.isValue() && cut.isValue() {
		return true
	}
	return i.named() && cut.named() && len(cut.text) < len(i.text) &&
		strings.EqualFold(i.text[:len(cut.text)], cut.text)
}
