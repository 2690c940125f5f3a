package index

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"plimsoll/collectors/snapshot"
)

// Server is the server for which statements are written. The zero value is a MySQL of today.
type Server struct {
	// MariaDB says that it is one.
	MariaDB bool
	// Version is as the server writes it; empty if it is not known, which counts as new.
	Version string
	// Galera says that it is a node of a cluster that applies changes of structure everywhere at once.
	Galera bool
	// LongestTransaction is the age in seconds of its oldest open transaction; nil if not known.
	LongestTransaction *float64
	// Replicas is how many servers apply its changes; nil if not known.
	Replicas *int
}

// atLeast reports whether the version is not below.
func (s Server) atLeast(want ...int) bool {
	number, _, _ := strings.Cut(s.Version, "-")
	have := strings.Split(number, ".")
	for i, w := range want {
		if i >= len(have) {
			return true
		}
		n, err := strconv.Atoi(have[i])
		if err != nil || n != w {
			return err != nil || n > w
		}
	}
	return true
}

// descending reports whether an index can hold a column largest first.
func (s Server) descending() bool {
	if s.MariaDB {
		return s.atLeast(10, 8)
	}
	return s.atLeast(8, 0)
}

// functional reports whether an index can hold an expression.
func (s Server) functional() bool { return !s.MariaDB && s.atLeast(8, 0, 13) }

// hides returns the words that hide an index from the optimizer and show it again; false if the version
// has none.
func (s Server) hides() (hide, show string, ok bool) {
	if s.MariaDB {
		return "IGNORED", "NOT IGNORED", s.atLeast(10, 6)
	}
	return "INVISIBLE", "VISIBLE", s.atLeast(8, 0)
}

// online is how an index is built while the table is read and written.
func (s Server) online(t *snapshot.Table) string {
	switch {
	case !strings.EqualFold(t.Engine, "InnoDB"):
		return ""
	case s.MariaDB && s.atLeast(10, 3):
		return ", ALGORITHM=NOCOPY, LOCK=NONE"
	}
	return ", ALGORITHM=INPLACE, LOCK=NONE"
}

// write fills in the statements of an advice, and what to know before they are run. A name with
// characters that do not show cannot be written as it is, and must not be written as another.
func (s Server) write(a *Advised, t *snapshot.Table) {
	shown := []string{t.Schema, t.Name, a.Index, a.Replaces}
	for _, p := range a.Columns {
		shown = append(shown, p.Column)
	}
	if slices.ContainsFunc(shown, func(name string) bool { return visible(name) != name }) {
		a.Card = []string{"A name holds characters that do not show: write the statement by hand, with the names from information_schema.STATISTICS."}
		return
	}
	switch a.Kind {
	case Add, Extend:
		s.writeAdd(a, t)
	case Drop:
		s.writeDrop(a, t)
	case Analyze:
		a.DDL = "ANALYZE TABLE " + TableName(t)
		if s.MariaDB {
			a.DDL += " PERSISTENT FOR ALL"
			a.Card = []string{"It reads the whole table once, and does not lock it on MariaDB 10.5.4 and later."}
		}
	case Rewrite:
	}
}

func (s Server) writeAdd(a *Advised, t *snapshot.Table) {
	alter := "ALTER TABLE " + TableName(t) + " "
	add, drop := "ADD INDEX "+Quoted(a.Index)+" ("+columnList(a.Columns)+")", "DROP INDEX "+Quoted(a.Index)
	a.Card = s.addCard(a, t)
	if a.Replaces != "" {
		add += ", DROP INDEX " + Quoted(a.Replaces)
		drop = "ADD INDEX " + Quoted(a.Replaces) + " (" + columnList(partsOf(indexOf(t, a.Replaces))) + "), " + drop
		a.Card = append(a.Card, "A statement that was not seen may name "+a.Replaces+" in USE or FORCE INDEX: it fails with error 1176 from then on.")
	}
	a.DDL, a.Rollback = alter+add+s.online(t), alter+drop+s.online(t)
}

func indexOf(t *snapshot.Table, name string) snapshot.Index {
	for _, i := range t.Indexes {
		if i.Name == name {
			return i
		}
	}
	return snapshot.Index{}
}

// addCard says what building an index takes and risks.
func (s Server) addCard(a *Advised, t *snapshot.Table) []string {
	var out []string
	if strings.EqualFold(t.Engine, "InnoDB") {
		out = append(out, "Online: reads and writes go on meanwhile, and are kept in a log of at most innodb_online_alter_log_max_size.")
	} else {
		out = append(out, "Not online: nobody can write to a table of "+visible(t.Engine)+" meanwhile.")
	}
	if a.SizeBytes != nil {
		out = append(out, fmt.Sprintf("Takes about %s of disk, within 15 %%, and up to twice that in innodb_tmpdir or tmpdir while it is built.", megabytes(*a.SizeBytes)))
	}
	lock := "It waits for transactions that are open on the table, and statements wait behind it: it gives up after 5 s, and is then to be tried again."
	if s.LongestTransaction != nil {
		lock += fmt.Sprintf(" The oldest one now is %.0f s old.", *s.LongestTransaction)
	}
	out = append(out, lock)
	if s.Galera {
		return append(out, "Every node stands still for as long as it takes (wsrep_OSU_method = TOI): on a large table use pt-online-schema-change.")
	}
	if s.Replicas == nil || *s.Replicas > 0 {
		out = append(out, "A replica applies it for as long as the primary took, and stands behind meanwhile.")
	}
	if a.BuildSeconds != nil && a.BuildSeconds.Hi > longBuild {
		out = append(out, chunked(t))
	}
	return out
}

// longBuild is from how many seconds on a change is better made in pieces.
const longBuild = 300

// chunked names the tools that copy a table in pieces, and what stands in their way.
func chunked(t *snapshot.Table) string {
	if len(t.ForeignKeys) > 0 {
		return "It may take minutes: pt-online-schema-change copies the table in pieces (gh-ost does not, because it has foreign keys)."
	}
	return "It may take minutes: gh-ost copies the table in pieces, unless it has triggers or foreign keys point to it; pt-online-schema-change does else."
}

func (s Server) writeDrop(a *Advised, t *snapshot.Table) {
	alter := "ALTER TABLE " + TableName(t) + " "
	hide, show, ok := s.hides()
	if !ok {
		a.DDL = alter + "DROP INDEX " + Quoted(a.Index)
		a.Rollback = alter + "ADD INDEX " + Quoted(a.Index) + " (" + columnList(a.Columns) + ")" + s.online(t)
		a.Card = []string{"Try it on a replica first: this version cannot hide an index, only drop it and build it anew."}
		return
	}
	a.DDL = alter + "ALTER INDEX " + Quoted(a.Index) + " " + hide
	a.Rollback = alter + "ALTER INDEX " + Quoted(a.Index) + " " + show
	a.Card = []string{
		"It only hides the index, and can be undone at once. After seven days in which nothing got slower: " + alter + "DROP INDEX " + Quoted(a.Index),
		"A statement that was not seen may name the index in USE or FORCE INDEX: it fails with error 1176 from the moment that it is hidden.",
	}
}

// TableName is a table for a statement to copy.
func TableName(t *snapshot.Table) string {
	if t.Schema == "" {
		return Quoted(t.Name)
	}
	return Quoted(t.Schema) + "." + Quoted(t.Name)
}

// Quoted is an identifier for a statement to copy.
func Quoted(name string) string { return "`" + strings.ReplaceAll(visible(name), "`", "``") + "`" }

// visible takes out what does not show.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

func columnList(key []Part) string {
	var out []string
	for _, p := range key {
		text := Quoted(p.Column)
		if p.Prefix > 0 {
			text += fmt.Sprintf("(%d)", p.Prefix)
		}
		if p.Descending {
			text += " DESC"
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

func megabytes(bytes float64) string {
	if bytes < 1e6 {
		return "1 MB or less"
	}
	return fmt.Sprintf("%.0f MB", bytes/1e6)
}

// maxIndexName is the longest name of an index.
const maxIndexName = 64

// freeName is a name that the table has no index of yet.
func freeName(t *snapshot.Table, key []Part) string {
	var columns []string
	for _, p := range key {
		columns = append(columns, p.Column)
	}
	base := "idx_" + strings.Join(columns, "_")
	for n := 1; ; n++ {
		suffix := ""
		if n > 1 {
			suffix = fmt.Sprintf("_%d", n)
		}
		runes := []rune(base)
		name := strings.TrimRight(string(runes[:min(len(runes), maxIndexName-len(suffix))]), " ") + suffix
		if !slices.ContainsFunc(t.Indexes, func(i snapshot.Index) bool { return strings.EqualFold(i.Name, name) }) {
			return name
		}
	}
}
