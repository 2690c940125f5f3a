package indexes

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"plimsoll/advisor/layout"
	"plimsoll/collectors/snapshot"
	"plimsoll/rules/index"
)

// StatisticsVersion is the version of the statistics file.
const StatisticsVersion = 1

// Statistics is what a server knows of its tables: their structure, how many rows and values they have,
// and no row of them. It is what plimsoll index --dump-stats writes.
type Statistics struct {
	Schema int `json:"schema"`
	// Version is that of the program.
	Version string    `json:"version"`
	Taken   time.Time `json:"taken"`
	// Family is mysql or mariadb, ServerVersion as the server writes it.
	Family        snapshot.Family  `json:"family"`
	ServerVersion string           `json:"server_version"`
	Tables        []snapshot.Table `json:"tables"`
	// Columns are those of whose values more is known than indexes tell.
	Columns []ColumnStatistics `json:"columns,omitempty"`
}

// ColumnStatistics is what is known of the values of one column.
type ColumnStatistics struct {
	Schema string `json:"schema"`
	Table  string `json:"table"`
	Column string `json:"column"`
	index.ColumnStatistics
}

// Write writes the file.
func (s *Statistics) Write(to io.Writer) error {
	body, err := layout.JSON(s)
	if err != nil {
		return fmt.Errorf("encode statistics: %w", err)
	}
	if _, err := to.Write(body); err != nil {
		return fmt.Errorf("write statistics: %w", err)
	}
	return nil
}

// maxStatistics is how large a statistics file may be: 2,000 tables of 50 columns have 50 MB.
const maxStatistics = 256 << 20

// ReadStatistics reads what Write wrote.
func ReadStatistics(src io.Reader) (*Statistics, error) {
	raw, err := io.ReadAll(io.LimitReader(src, maxStatistics+1))
	if err != nil {
		return nil, fmt.Errorf("read statistics: %w", err)
	}
	if len(raw) > maxStatistics {
		return nil, fmt.Errorf("read statistics: more than %d MB", maxStatistics>>20)
	}
	var s Statistics
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, errors.New("read statistics: not what plimsoll index --dump-stats writes")
	}
	if s.Schema != StatisticsVersion {
		return nil, fmt.Errorf("read statistics: version %d of the file is not known, allowed is %d", s.Schema, StatisticsVersion)
	}
	return &s, nil
}

// values returns the statistics of columns as the analysis wants them.
func (s *Statistics) values() index.Statistics {
	out := index.Statistics{}
	for _, c := range s.Columns {
		out[index.ColumnKey{Schema: c.Schema, Table: c.Table, Column: c.Column}] = c.ColumnStatistics
	}
	return out
}

// apply gives the tables of a dump what the server knows of tables of that name. It is an error if it
// knows none of them: the two are then of different databases.
func (s *Statistics) apply(tables []snapshot.Table) error {
	met := 0
	for i := range tables {
		t := &tables[i]
		at := slices.IndexFunc(s.Tables, func(known snapshot.Table) bool {
			return strings.EqualFold(known.Name, t.Name) && (t.Schema == "" || strings.EqualFold(known.Schema, t.Schema))
		})
		if at < 0 {
			continue
		}
		met++
		known := s.Tables[at]
		t.Schema, t.Rows, t.DataBytes, t.IndexBytes = known.Schema, known.Rows, known.DataBytes, known.IndexBytes
		for n := range t.Indexes {
			takeCardinality(&t.Indexes[n], known.Indexes)
		}
	}
	if met == 0 {
		return errors.New("no table of the dump is in the statistics: they are of different databases")
	}
	return nil
}

// takeCardinality gives an index what is known of the one of its name, if that has the same columns.
func takeCardinality(to *snapshot.Index, known []snapshot.Index) {
	for _, k := range known {
		if !strings.EqualFold(k.Name, to.Name) || len(k.Parts) != len(to.Parts) {
			continue
		}
		for i := range to.Parts {
			if !strings.EqualFold(k.Parts[i].Column, to.Parts[i].Column) {
				return
			}
		}
		for i := range to.Parts {
			to.Parts[i].Cardinality = k.Parts[i].Cardinality
		}
	}
}
