package mysql

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"plimsoll/advisor/verify/scratch"
	"plimsoll/collectors/snapshot"
	"plimsoll/fixtures/servers"
)

func TestSchemaNeedsNoAccessToRows(t *testing.T) {
	onEach(t, func(t *testing.T, s *servers.Server) {
		ignored := "IGNORED"
		if s.Family == scratch.MySQL {
			ignored = "INVISIBLE"
		}
		s.Exec(t, "DROP DATABASE IF EXISTS structure", "CREATE DATABASE structure CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
			"CREATE TABLE structure.customer (id INT UNSIGNED NOT NULL PRIMARY KEY, email VARCHAR(64) NOT NULL, UNIQUE KEY email (email))",
			"CREATE TABLE structure.`order\t-- x` (id BIGINT NOT NULL AUTO_INCREMENT, customer_id INT UNSIGNED, "+
				"note VARCHAR(200), total INT NOT NULL, doubled INT AS (total * 2) STORED, "+
				"PRIMARY KEY (id), KEY by_note (note(10), total), KEY by_total (total) "+ignored+", "+
				"CONSTRAINT placed_by FOREIGN KEY (customer_id) REFERENCES customer (id))",
			"CREATE TABLE structure.parts (id INT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 4",
			"CREATE VIEW structure.v AS SELECT id FROM structure.customer",
			"INSERT INTO structure.customer VALUES (1, 'a'), (2, 'b')", "ANALYZE TABLE structure.customer")
		defer s.Exec(t, "DROP DATABASE structure")

		got := tablesOf(collect(t, open(t, s, 2), "mysql/schema").Schema, "structure")
		n := func(i uint64) *uint64 { return &i }
		want := []snapshot.Table{
			{
				Schema: "structure", Name: "customer", Engine: "InnoDB",
				Columns: []snapshot.Column{
					{Name: "id", Type: integer(s, "int", "10", " unsigned")},
					{Name: "email", Type: "varchar(64)", MaxBytes: n(256), Collation: "utf8mb4_bin"},
				},
				Indexes: []snapshot.Index{
					{Name: "email", Unique: true, Type: "BTREE", Parts: []snapshot.IndexPart{{Column: "email", Cardinality: n(2)}}},
					{Name: "PRIMARY", Unique: true, Type: "BTREE", Parts: []snapshot.IndexPart{{Column: "id", Cardinality: n(2)}}},
				},
			},
			{
				Schema: "structure", Name: "order\t-- x", Engine: "InnoDB",
				Columns: []snapshot.Column{
					{Name: "id", Type: integer(s, "bigint", "20", "")},
					{Name: "customer_id", Type: integer(s, "int", "10", " unsigned"), Nullable: true},
					{Name: "note", Type: "varchar(200)", MaxBytes: n(800), Nullable: true, Collation: "utf8mb4_bin"},
					{Name: "total", Type: integer(s, "int", "11", "")},
					{Name: "doubled", Type: integer(s, "int", "11", ""), Nullable: true, Generated: true},
				},
				Indexes: []snapshot.Index{
					{Name: "by_note", Type: "BTREE", Parts: []snapshot.IndexPart{{Column: "note", Prefix: new(10), Cardinality: n(0)}, {Column: "total", Cardinality: n(0)}}},
					{Name: "by_total", Type: "BTREE", Ignored: true, Parts: []snapshot.IndexPart{{Column: "total", Cardinality: n(0)}}},
					{Name: "placed_by", Type: "BTREE", Parts: []snapshot.IndexPart{{Column: "customer_id", Cardinality: n(0)}}},
					{Name: "PRIMARY", Unique: true, Type: "BTREE", Parts: []snapshot.IndexPart{{Column: "id", Cardinality: n(0)}}},
				},
				ForeignKeys: []snapshot.ForeignKey{{
					Name: "placed_by", Columns: []string{"customer_id"},
					ReferencedSchema: "structure", ReferencedTable: "customer", ReferencedColumns: []string{"id"},
				}},
			},
			{
				Schema: "structure", Name: "parts", Engine: "InnoDB", Partitioned: true,
				Columns: []snapshot.Column{{Name: "id", Type: integer(s, "int", "11", "")}},
				Indexes: []snapshot.Index{{Name: "PRIMARY", Unique: true, Type: "BTREE", Parts: []snapshot.IndexPart{{Column: "id", Cardinality: cardinalityOfParts(s)}}}},
			},
		}
		for _, table := range got {
			if table.Rows == nil || table.DataBytes == nil || *table.DataBytes == 0 || table.IndexBytes == nil || table.Created == nil {
				t.Errorf("%s has no size or time of creation: %+v", table.Name, table)
			}
		}
		sizes := cmpopts.IgnoreFields(snapshot.Table{}, "Rows", "DataBytes", "IndexBytes", "FreeBytes", "Created")
		if diff := cmp.Diff(want, got, sizes); diff != "" {
			t.Errorf("structure (-want +got):\n%s", diff)
		}
	})
}

// cardinalityOfParts is what an empty table of four partitions has: MariaDB
// estimates one row for each.
func cardinalityOfParts(s *servers.Server) *uint64 {
	if s.Family == scratch.MySQL {
		return new(uint64(0))
	}
	return new(uint64(4))
}

// integer is how the server writes an integer type: MySQL dropped the width.
func integer(s *servers.Server, name, width, suffix string) string {
	if s.Family == scratch.MySQL {
		return name + suffix
	}
	return name + "(" + width + ")" + suffix
}

func tablesOf(schema *snapshot.Schema, name string) []snapshot.Table {
	var tables []snapshot.Table
	for _, table := range schema.Tables {
		if table.Schema == name {
			tables = append(tables, table)
		}
	}
	return tables
}

func TestSchemaWithoutItsGrantIsAGap(t *testing.T) {
	onEach(t, func(t *testing.T, s *servers.Server) {
		s.Exec(t, "CREATE DATABASE IF NOT EXISTS shop")
		got := collect(t, open(t, s, 1), "mysql/schema").Schema
		if len(got.Tables) != 0 || len(got.Gaps) != 1 {
			t.Fatalf("schema without a grant = %+v, want no table and one gap", got)
		}
		wantRemedy(t, got.Gaps[0], "GRANT REFERENCES ON *.* TO ")
	})
}
