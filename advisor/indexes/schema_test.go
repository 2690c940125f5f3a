package indexes

import (
	"bytes"
	"reflect"
	"strconv"
	"testing"

	"plimsoll/collectors/snapshot"
	"plimsoll/fixtures/jsonschema"
	"plimsoll/rules/fleet"
	"plimsoll/rules/index"
)

func published() jsonschema.Document {
	return jsonschema.Document{
		Title:       "Index advice by Plimsoll, version " + strconv.Itoa(SchemaVersion),
		Description: "What plimsoll index --format json writes: what to do about the indexes of a server's tables.",
		Root:        reflect.TypeFor[Report](),
	}
}

func TestThePublishedSchemaIsThatOfTheTypes(t *testing.T) {
	published().Hold(t, "../../docs/index.schema.json")
}

// facts of a table of 120,000 rows that one statement scans, which an INSERT writes and which has an
// index too many.
func factsOfOrders() *Facts {
	rows, distinct := uint64(120000), uint64(90000)
	column := func(name, of string) snapshot.Column { return snapshot.Column{Name: name, Type: of} }
	part := func(name string) snapshot.IndexPart { return snapshot.IndexPart{Column: name, Cardinality: &distinct} }
	t := snapshot.Table{
		Schema: "shop", Name: "orders", Engine: "InnoDB", Rows: &rows,
		Columns: []snapshot.Column{column("id", "int"), column("customer_id", "int"), column("day", "date")},
		Indexes: []snapshot.Index{
			{Name: "PRIMARY", Unique: true, Type: "BTREE", Parts: []snapshot.IndexPart{part("id")}},
			{Name: "by_day", Type: "BTREE", Parts: []snapshot.IndexPart{part("day")}},
			{Name: "by_day_customer", Type: "BTREE", Parts: []snapshot.IndexPart{part("day"), part("customer_id")}},
		},
	}
	statement := func(text string, examined, sent uint64) index.Statement {
		return index.Statement{WindowSeconds: 100, Digest: fleet.Digest{
			Fingerprint: "fp1:" + text, Schema: "shop", Text: snapshot.Redacted(text),
			DigestTotals: snapshot.DigestTotals{Calls: 100, Seconds: 10, RowsExamined: examined * 100, RowsSent: sent * 100},
		}}
	}
	return &Facts{
		Workload: index.Workload{
			Tables: []snapshot.Table{t},
			Statements: []index.Statement{
				statement("SELECT * FROM orders WHERE customer_id = ?", 120000, 4),
				statement("INSERT INTO orders (customer_id) VALUES (?)", 0, 0),
				statement("SELECT * FROM `a|view` WHERE customer_id = ?", 120000, 4),
			},
			Statistics: index.Statistics{{Schema: "shop", Table: "orders", Column: "customer_id"}: {Distinct: 30000}},
		},
		Server: index.Server{MariaDB: true, Version: "10.11.19-MariaDB"},
	}
}

func TestJSONIsAsTheSchemaSays(t *testing.T) {
	for name, r := range map[string]*Report{
		"advice": New(factsOfOrders(), index.Options{}, "devel"),
		"none":   New(&Facts{}, index.Options{}, "devel"),
	} {
		t.Run(name, func(t *testing.T) {
			var raw bytes.Buffer
			if err := r.JSON(&raw); err != nil {
				t.Fatal(err)
			}
			published().Accepts(t, raw.Bytes())
		})
	}
}
