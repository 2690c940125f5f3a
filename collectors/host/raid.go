package host

import (
	"errors"
	"io/fs"
	"regexp"
	"strconv"
	"strings"

	"plimsoll/collectors"
	"plimsoll/collectors/snapshot"
)

// maxArrays bounds the software RAIDs of a host.
const maxArrays = 4

// memberCount matches the members of an array as wanted and active: [2/1].
var memberCount = regexp.MustCompile(`\[(\d+)/(\d+)\]`)

// rebuilding matches the line of a rebuild that runs or waits. A check is none.
var rebuilding = regexp.MustCompile(`\b(?:recovery|resync|reshape)\s*=`)

// arrays reads /proc/mdstat, which is missing where the kernel has no RAID.
func (r *reading) arrays() {
	text, err := r.file("mdstat")
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		r.gap("", "software RAID is unknown: "+err.Error(), "")
		return
	}
	r.machine.Arrays = keep(r, "RAID arrays", parseArrays(text), maxArrays)
}

// parseArrays reads mdstat. Each array has a line that begins with its name and
// indented lines that follow (Linux, drivers/md/md.c, md_seq_show):
//
//	md0 : active raid1 sdb1[1] sda1[0](F)
//	      1046528 blocks super 1.2 [2/1] [U_]
//	      [==>..................]  recovery = 12.6% (131904/1046528) finish=1.2min speed=12000K/sec
func parseArrays(text string) []snapshot.Array {
	var arrays []snapshot.Array
	for line := range strings.Lines(text) {
		if a, ok := parseArray(line); ok {
			arrays = append(arrays, a)
			continue
		}
		if len(arrays) == 0 || !strings.HasPrefix(line, " ") {
			continue
		}
		a := &arrays[len(arrays)-1]
		if m := memberCount.FindStringSubmatch(line); m != nil {
			a.Wanted, a.Active = number(m[1]), number(m[2])
		}
		if rebuilding.MatchString(line) {
			a.Recovering = true
		}
	}
	return arrays
}

// parseArray reads the first line of an array. One that is not started has no
// level and no active member; one without redundancy states no counts, so its
// members are counted here.
func parseArray(line string) (snapshot.Array, bool) {
	name, rest, found := strings.Cut(line, " : ")
	words := strings.Fields(rest)
	if !found || !strings.HasPrefix(name, "md") || len(words) == 0 {
		return snapshot.Array{}, false
	}
	a := snapshot.Array{Name: collectors.Printable(name)}
	for _, word := range words[1:] {
		switch {
		case strings.HasPrefix(word, "("): // (read-only), (auto-read-only)
		case !strings.Contains(word, "["):
			a.Level = collectors.Printable(word)
		case !strings.HasSuffix(word, "(S)"):
			a.Wanted++
			if !strings.HasSuffix(word, "(F)") {
				a.Active++
			}
		}
	}
	if words[0] != "active" {
		a.Active, a.Wanted = 0, max(a.Wanted, 1)
	}
	return a, true
}

// number reads decimal digits. No array has more members than 32 bits count.
func number(digits string) int {
	n, _ := strconv.ParseInt(digits, 10, 32)
	return int(n)
}
