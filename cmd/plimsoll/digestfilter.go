package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"plimsoll/collectors/slowlog"
	"plimsoll/collectors/sqltext"
)

func filterKeys() []string {
	return []string{"database", "user", "host", "fingerprint", "class", "min-time"}
}

// statementClasses are the values of --filter class=.
func statementClasses() []sqltext.Class {
	return []sqltext.Class{
		sqltext.Select, sqltext.LockingSelect, sqltext.DML, sqltext.DDL, sqltext.Transaction, sqltext.Call, sqltext.Other, slowlog.Admin,
	}
}

// callFilter says which calls are kept.
type callFilter struct {
	values       map[string][]string // by key of --filter
	least        uint64              // µs
	since, until int64               // µs since 1970; 0 if not asked for
}

// newCallFilter reads --filter, --since and --until.
func newCallFilter(filters []string, since, until string, now time.Time) (*callFilter, error) {
	f := &callFilter{values: map[string][]string{}}
	for _, filter := range filters {
		if err := f.add(filter); err != nil {
			return nil, fmt.Errorf("--filter %q: %w", filter, err)
		}
	}
	var err error
	if f.since, err = parseWhen(since, now); err != nil {
		return nil, fmt.Errorf("--since %q: %w", since, err)
	}
	if f.until, err = parseWhen(until, now); err != nil {
		return nil, fmt.Errorf("--until %q: %w", until, err)
	}
	if f.since != 0 && f.until != 0 && f.since >= f.until {
		return nil, fmt.Errorf("--since %s is not before --until %s", since, until)
	}
	return f, nil
}

func (f *callFilter) add(filter string) error {
	key, value, ok := strings.Cut(filter, "=")
	switch {
	case !ok || value == "":
		return fmt.Errorf("write it as KEY=VALUE, such as database=shop")
	case !slices.Contains(filterKeys(), key):
		return fmt.Errorf("allowed keys are %s", listed(filterKeys()))
	case key == "class" && !slices.Contains(statementClasses(), sqltext.Class(value)):
		return fmt.Errorf("allowed classes are %s", listed(statementClasses()))
	case key == "fingerprint" && !strings.HasPrefix(value, "fp1"):
		return fmt.Errorf("write a fingerprint as fp1:0123456789abcdef")
	case key == "min-time":
		least, err := time.ParseDuration(value)
		if err != nil || least < 0 {
			return fmt.Errorf("write a duration, such as 100ms or 2s")
		}
		f.least = uint64(least.Microseconds())
		return nil
	}
	f.values[key] = append(f.values[key], value)
	return nil
}

// parseWhen reads a time, or how long before now it is, in microseconds since 1970. No text is 0.
func parseWhen(text string, now time.Time) (int64, error) {
	if text == "" {
		return 0, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago).UnixMicro(), nil
	}
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.Parse(form, text); err == nil {
			return t.UnixMicro(), nil
		}
	}
	return 0, fmt.Errorf("write a time as 2026-11-20, '2026-11-20 14:30' or 2026-11-20T14:30:00+01:00, or how long ago as 24h")
}

// entries returns what keeps single calls; nil if all are kept.
func (f *callFilter) entries() func(*slowlog.Entry) bool {
	database, user, host := f.values["database"], f.values["user"], f.values["host"]
	if len(database)+len(user)+len(host) == 0 && f.least == 0 && f.since == 0 && f.until == 0 {
		return nil
	}
	return func(e *slowlog.Entry) bool {
		return e.Duration >= f.least && f.inTime(e.Micros) && has(database, e.Database) && has(user, e.User) && has(host, e.Host)
	}
}

// inTime reports whether a call was between --since and --until: one whose time is not known is not.
func (f *callFilter) inTime(micros int64) bool {
	if f.since == 0 && f.until == 0 {
		return true
	}
	return micros != 0 && micros >= f.since && (f.until == 0 || micros < f.until)
}

// has reports whether name is one of those that are wanted; if none is, all are.
func has(wanted []string, name []byte) bool {
	return len(wanted) == 0 || slices.ContainsFunc(wanted, func(w string) bool { return w == string(name) })
}

// classes returns what keeps statements; nil if all are kept.
func (f *callFilter) classes() func(*slowlog.Class) bool {
	fingerprints, kinds := f.values["fingerprint"], f.values["class"]
	if len(fingerprints)+len(kinds) == 0 {
		return nil
	}
	return func(c *slowlog.Class) bool {
		return has(fingerprints, []byte(c.Fingerprint)) && has(kinds, []byte(c.Kind))
	}
}

// completeFilter completes the keys of --filter, and the classes.
func completeFilter(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	if strings.HasPrefix(typed, "class=") {
		var out []string
		for _, class := range statementClasses() {
			out = append(out, "class="+string(class))
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	}
	var out []string
	for _, key := range filterKeys() {
		out = append(out, key+"=")
	}
	return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}
