package rules

import (
	"strings"
	"testing"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// What SET PERSIST keeps, SET GLOBAL undoes only until the next start.
func TestWhatWasKeptForTheNextStartIsUndoneThereToo(t *testing.T) {
	mysql := primary(aMySQL("8.4.3"))
	pool := primary(misses(400, 0.0005))
	format := primary(binlog(func(b *snapshot.Binlog) { b.Format = "STATEMENT" }))
	for name, c := range map[string]struct {
		on   *fleet.Fleet
		rule Rule
	}{
		"max_connections":         {site(mysql, primary(pastLimit)), connections()},
		"innodb_buffer_pool_size": {site(lone, mysql, pool), bufferPool()},
		"binlog_format":           {site(mysql, format, alike), failoverReadiness()},
	} {
		t.Run(name, func(t *testing.T) {
			f := found(t, c.on, c.rule)
			for _, undo := range f.Rollback {
				if !strings.HasPrefix(undo.Text, "SET PERSIST "+name+" = ") {
					t.Errorf("undo = %q, and what was done is %q", undo.Text, steps(f.Remedy, SQL))
				}
			}
		})
	}
	for name, c := range map[string]struct {
		on   *fleet.Fleet
		rule Rule
	}{
		"max_connections":         {site(primary(pastLimit)), connections()},
		"innodb_buffer_pool_size": {site(lone, pool), bufferPool()},
		"binlog_format":           {site(format), failoverReadiness()},
	} {
		t.Run("MariaDB/"+name, func(t *testing.T) {
			f := found(t, c.on, c.rule)
			for _, undo := range f.Rollback {
				if !strings.HasPrefix(undo.Text, "SET GLOBAL "+name+" = ") || !strings.Contains(undo.Note, "option file") {
					t.Errorf("undo = %q (%q), want a word about the option file", undo.Text, undo.Note)
				}
			}
		})
	}
}
