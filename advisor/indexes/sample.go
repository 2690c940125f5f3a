package indexes

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/index"
)

// What a sample of a table is made of.
const (
	// sampleChunks is in how many places of a table rows are read: one stretch would show what was
	// written at one time.
	sampleChunks = 16
	// sampleLimit is how long the rows of one column may take.
	sampleLimit = 10 * time.Second
	// sampledColumns is of how many columns of a table values are counted.
	sampledColumns = 64
)

// prefixLengths are the beginnings of a text that are counted.
func prefixLengths() []int { return []int{8, 16, 32, 64, 128} }

// Sample counts the values of columns in at most so many rows of each table. What it returns are
// counts; no value leaves the server. Wanted says which columns; nil is all. A table that cannot be
// read is left out, and named, and so are those for which there is no time.
func Sample(ctx context.Context, db *sql.DB, tables []snapshot.Table, rows int, wanted func(index.ColumnKey) bool) (out []ColumnStatistics, unread []string) {
	for i := range tables {
		t := &tables[i]
		if t.Rows == nil || *t.Rows == 0 {
			continue
		}
		s := sampler{db: db, table: t, rows: rows}
		columns, err := s.columns(ctx, wanted)
		if err != nil {
			unread = append(unread, t.Schema+"."+t.Name)
		}
		out = append(out, columns...)
	}
	return out, unread
}

// Sample adds what a sample of each table shows, and returns the tables that could not be read.
func (s *Statistics) Sample(ctx context.Context, db *sql.DB, rows int) (unread []string) {
	if rows > 0 {
		s.Columns, unread = Sample(ctx, db, s.Tables, rows, nil)
	}
	return unread
}

// Sample adds what a sample of the columns shows that statements compare, and a note of the tables that
// could not be read.
func (f *Facts) Sample(ctx context.Context, db *sql.DB, rows int) {
	if rows == 0 {
		f.Notes = append(f.Notes, "No row was read (--sample 0): how many values columns have is known of indexed ones alone.")
		return
	}
	wanted := index.Compared(f.Workload)
	columns, unread := Sample(ctx, db, f.Tables, rows, func(key index.ColumnKey) bool { return wanted[key] })
	f.Statistics = (&Statistics{Columns: columns}).values()
	if len(unread) > 0 {
		f.Notes = append(f.Notes, fmt.Sprintf("The values of %d tables were not counted, because the account may not read them or there was no time: %s.",
			len(unread), strings.Join(unread[:min(len(unread), mostUnread)], ", ")))
	}
}

// sampler reads a sample of one table.
type sampler struct {
	db    *sql.DB
	table *snapshot.Table
	rows  int
	// from is a part of the table, to stand behind FROM; {column} in it stands for a column.
	from  string
	whole bool
}

func (s *sampler) columns(ctx context.Context, wanted func(index.ColumnKey) bool) ([]ColumnStatistics, error) {
	var out []ColumnStatistics
	for i := range s.table.Columns {
		c := &s.table.Columns[i]
		key := index.ColumnKey{Schema: s.table.Schema, Table: s.table.Name, Column: c.Name}
		if len(out) >= sampledColumns || !index.Indexable(*c) || wanted != nil && !wanted(key) {
			continue
		}
		if s.from == "" {
			if err := s.choose(ctx); err != nil {
				return out, err
			}
		}
		values, err := s.column(ctx, c)
		if err != nil {
			return out, err
		}
		out = append(out, ColumnStatistics{Schema: key.Schema, Table: key.Table, Column: key.Column, ColumnStatistics: values})
	}
	return out, nil
}

// choose decides which rows are read: all, or stretches along a key of numbers, or the first.
func (s *sampler) choose(ctx context.Context) error {
	name := index.TableName(s.table)
	if *s.table.Rows <= uint64(s.rows)*5/4 {
		s.from, s.whole = "(SELECT {column} FROM "+name+") s", true
		return nil
	}
	key := s.numericKey()
	if key == "" {
		s.from = fmt.Sprintf("(SELECT {column} FROM %s LIMIT %d) s", name, s.rows)
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, sampleLimit)
	defer cancel()
	var least, most sql.NullFloat64
	err := s.db.QueryRowContext(ctx, "SELECT MIN("+key+"), MAX("+key+") FROM "+name).Scan(&least, &most)
	if err != nil {
		return fmt.Errorf("read the ends of the key: %w", err)
	}
	var parts []string
	for i := range sampleChunks {
		at := least.Float64 + (most.Float64-least.Float64)*(float64(i)+0.3)/sampleChunks
		parts = append(parts, fmt.Sprintf("(SELECT {column} FROM %s WHERE %s >= %.0f ORDER BY %s LIMIT %d)", name, key, at, key, s.rows/sampleChunks))
	}
	s.from = "(" + strings.Join(parts, " UNION ALL ") + ") s"
	return nil
}

// numericKey returns the first column of the primary key if it is a whole number.
func (s *sampler) numericKey() string {
	for _, i := range s.table.Indexes {
		if i.Name != "PRIMARY" || len(i.Parts) == 0 {
			continue
		}
		for _, c := range s.table.Columns {
			if c.Name == i.Parts[0].Column && strings.Contains(strings.SplitN(c.Type, "(", 2)[0], "int") {
				return index.Quoted(c.Name)
			}
		}
	}
	return ""
}

func (s *sampler) column(ctx context.Context, c *snapshot.Column) (index.ColumnStatistics, error) {
	ctx, cancel := context.WithTimeout(ctx, sampleLimit)
	defer cancel()
	var out index.ColumnStatistics
	name := index.Quoted(c.Name)
	from := strings.ReplaceAll(s.from, "{column}", name)
	var distinct, once, most, known, nulls float64
	err := s.db.QueryRowContext(ctx, "SELECT COALESCE(SUM(v IS NOT NULL), 0), COALESCE(SUM(n = 1 AND v IS NOT NULL), 0), COALESCE(MAX(CASE WHEN v IS NULL THEN 0 ELSE n END), 0), "+
		"COALESCE(SUM(CASE WHEN v IS NULL THEN 0 ELSE n END), 0), COALESCE(SUM(CASE WHEN v IS NULL THEN n ELSE 0 END), 0) "+
		"FROM (SELECT "+name+" AS v, COUNT(*) AS n FROM "+from+" GROUP BY "+name+") g").Scan(&distinct, &once, &most, &known, &nulls)
	if err != nil {
		return out, fmt.Errorf("count values: %w", err)
	}
	read := max(known+nulls, 1)
	all := max(float64(*s.table.Rows), read)
	out.Distinct = max(distinct, 1)
	if !s.whole && known > 0 {
		out.Distinct = scaled(distinct, once, known, read/all)
	}
	out.NullRatio, out.TopRatio = new(nulls/read), new(most/read)
	if c.MaxBytes == nil {
		return out, nil
	}
	return out, s.texts(ctx, name, from, distinct, &out)
}

// scaled is how many values there are if a sample has so many, of which some occur once.
// Haas and Stokes, Estimating the number of classes in a finite population, estimator Duj1.
func scaled(distinct, once, rows, part float64) float64 {
	return max(distinct/max(1-(1-part)*once/rows, 1e-6), 1)
}

// texts measures how long texts are, and how many beginnings they have.
func (s *sampler) texts(ctx context.Context, name, from string, distinct float64, out *index.ColumnStatistics) error {
	var query strings.Builder
	query.WriteString("SELECT COALESCE(AVG(LENGTH(" + name + ")), 0)")
	counts := make([]float64, len(prefixLengths()))
	var mean float64
	targets := []any{&mean}
	for i, n := range prefixLengths() {
		fmt.Fprintf(&query, ", COUNT(DISTINCT LEFT(%s, %d))", name, n)
		targets = append(targets, &counts[i])
	}
	if err := s.db.QueryRowContext(ctx, query.String()+" FROM "+from).Scan(targets...); err != nil {
		return fmt.Errorf("measure texts: %w", err)
	}
	out.MeanBytes = &mean
	for i, n := range prefixLengths() {
		out.Prefixes = append(out.Prefixes, index.PrefixStatistics{Characters: n, Distinct: out.Distinct * counts[i] / max(distinct, 1)})
	}
	return nil
}
