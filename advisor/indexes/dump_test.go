package indexes

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors/snapshot"
)

const dumped = `-- MariaDB dump 10.19
/*!40101 SET NAMES utf8mb4 */;
USE ` + "`shop`" + `;
DROP TABLE IF EXISTS ` + "`order`" + `;
CREATE TABLE ` + "`order`" + ` (
  ` + "`id`" + ` bigint(20) unsigned NOT NULL AUTO_INCREMENT COMMENT 'a, b); KEY x (y)',
  ` + "`customer_id`" + ` int(10) unsigned DEFAULT NULL,
  ` + "`email`" + ` varchar(64) CHARACTER SET latin1 COLLATE latin1_swedish_ci NOT NULL DEFAULT '',
  ` + "`state`" + ` enum('new','it''s paid') NOT NULL,
  ` + "`note`" + ` mediumtext DEFAULT NULL,
  ` + "`doubled`" + ` int(11) GENERATED ALWAYS AS (` + "`customer_id`" + ` * 2) STORED,
  ` + "`größe`" + ` decimal(10,2) DEFAULT 1.5,
  PRIMARY KEY (` + "`id`" + `),
  UNIQUE KEY ` + "`mail`" + ` (` + "`email`,`customer_id`" + `),
  KEY ` + "`noted`" + ` (` + "`note`(20),`state`" + ` DESC) /*!80000 INVISIBLE */,
  FULLTEXT KEY ` + "`words`" + ` (` + "`note`" + `),
  KEY ` + "`half`" + ` ((` + "`customer_id`" + ` / 2)),
  CONSTRAINT ` + "`placed_by`" + ` FOREIGN KEY (` + "`customer_id`" + `) REFERENCES ` + "`customer`" + ` (` + "`id`" + `) ON DELETE CASCADE,
  CONSTRAINT ` + "`positive`" + ` CHECK (` + "`customer_id`" + ` > 0)
) ENGINE=InnoDB AUTO_INCREMENT=4001 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
/*!50100 PARTITION BY RANGE (` + "`id`" + `) (PARTITION p0 VALUES LESS THAN (100)) */;
INSERT INTO ` + "`order`" + ` VALUES (1,'CREATE TABLE x (y int);');
/*!50001 CREATE VIEW v AS SELECT 1 */;
CREATE TABLE plain (a int, b varchar(10) unique, primary key (a)) ENGINE=MyISAM;
ALTER TABLE plain ADD KEY by_b (b, a), ADD UNIQUE KEY twice (a, b);
`

func TestADumpIsReadAsTheServerWouldTell(t *testing.T) {
	got, err := ReadDump(strings.NewReader(dumped))
	if err != nil {
		t.Fatal(err)
	}
	n := func(i uint64) *uint64 { return &i }
	part := func(names ...string) []snapshot.IndexPart {
		var out []snapshot.IndexPart
		for _, name := range names {
			out = append(out, snapshot.IndexPart{Column: name})
		}
		return out
	}
	want := []snapshot.Table{
		{
			Schema: "shop", Name: "order", Engine: "InnoDB", Rows: n(4000), Partitioned: true,
			Columns: []snapshot.Column{
				{Name: "id", Type: "bigint(20) unsigned"},
				{Name: "customer_id", Type: "int(10) unsigned", Nullable: true},
				{Name: "email", Type: "varchar(64)", MaxBytes: n(64), Collation: "latin1_swedish_ci"},
				{Name: "state", Type: "enum('new','it''s paid')"},
				{Name: "note", Type: "mediumtext", MaxBytes: n(1<<24 - 1), Nullable: true, Collation: "utf8mb4_unicode_ci"},
				{Name: "doubled", Type: "int(11)", Nullable: true, Generated: true},
				{Name: "größe", Type: "decimal(10,2)", Nullable: true},
			},
			Indexes: []snapshot.Index{
				{Name: "PRIMARY", Unique: true, Type: "BTREE", Parts: part("id")},
				{Name: "mail", Unique: true, Type: "BTREE", Parts: part("email", "customer_id")},
				{Name: "noted", Type: "BTREE", Ignored: true, Parts: []snapshot.IndexPart{{Column: "note", Prefix: new(20)}, {Column: "state", Descending: true}}},
				{Name: "words", Type: "FULLTEXT", Parts: part("note")},
				{Name: "half", Type: "BTREE", Parts: part("")},
			},
			ForeignKeys: []snapshot.ForeignKey{{
				Name: "placed_by", Columns: []string{"customer_id"}, ReferencedSchema: "shop", ReferencedTable: "customer", ReferencedColumns: []string{"id"},
			}},
		},
		{
			Schema: "shop", Name: "plain", Engine: "MyISAM",
			Columns: []snapshot.Column{
				{Name: "a", Type: "int"},
				{Name: "b", Type: "varchar(10)", MaxBytes: n(40), Nullable: true},
			},
			Indexes: []snapshot.Index{
				{Name: "b", Unique: true, Type: "BTREE", Parts: part("b")},
				{Name: "PRIMARY", Unique: true, Type: "BTREE", Parts: part("a")},
				{Name: "by_b", Type: "BTREE", Parts: part("b", "a")},
				{Name: "twice", Unique: true, Type: "BTREE", Parts: part("a", "b")},
			},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAFileWithoutTablesIsNoDump(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "rows only": "INSERT INTO x VALUES (1);\n", "another language": "create function f() returns int;\n", "binary": "\x00\x01\x02",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := ReadDump(strings.NewReader(text)); !errors.Is(err, ErrNoTables) {
				t.Errorf("error = %v, want %v", err, ErrNoTables)
			}
		})
	}
}

func TestALineOfRowsMayBeOfAnyLength(t *testing.T) {
	text := "INSERT INTO x VALUES ('" + strings.Repeat("x", 1<<20) + "');\nCREATE TABLE t (a int);\n"
	got, err := ReadDump(strings.NewReader(text))
	if err != nil || len(got) != 1 {
		t.Errorf("%d tables, error %v, want 1", len(got), err)
	}
}

func TestATableOfFiveHundredColumnsIsRead(t *testing.T) {
	text := "CREATE TABLE wide (id int primary key"
	for range 500 {
		text += ", c varchar(10)"
	}
	got, err := ReadDump(strings.NewReader(text + ");\n"))
	if err != nil || len(got) != 1 || len(got[0].Columns) != 501 {
		t.Errorf("read %d tables, error %v, want one of 501 columns", len(got), err)
	}
}

func FuzzReadDump(f *testing.F) {
	f.Add(dumped)
	f.Add("CREATE TABLE t (")
	f.Add("ALTER TABLE t ADD")
	f.Fuzz(func(t *testing.T, text string) {
		tables, err := ReadDump(strings.NewReader(text))
		if err == nil && len(tables) == 0 {
			t.Error("no tables and no error")
		}
	})
}
