package index

import (
	"strings"
	"testing"

	"plimsoll/collectors/snapshot"
)

// in adds tables of these names, with a column each, to those that are advised on.
func in(tables []snapshot.Table, names ...string) []snapshot.Table {
	for _, name := range names {
		tables = append(tables, snapshot.Table{Schema: "shop", Name: name, Engine: "InnoDB", Rows: new(uint64(1)), Columns: []snapshot.Column{{Name: "id", Type: "int"}}})
	}
	return tables
}

func TestAMigrationIsThatOfTheFrameworkThatOwnsTheTables(t *testing.T) {
	for name, c := range map[string]struct {
		tables []string
		prefix string
		want   []string
	}{
		"Magento":   {[]string{"eav_attribute", "core_config_data", "patch_list"}, "", []string{`<table name="orders">`, `referenceId="ORDERS_EMAIL"`, `<column name="email"/>`}},
		"WordPress": {[]string{"wp_posts", "wp_postmeta", "wp_term_taxonomy", "wp_options"}, "wp_", []string{`"ALTER TABLE {$wpdb->prefix}orders ADD INDEX idx_email (email)"`}},
		"Drupal":    {[]string{"key_value", "key_value_expire", "cachetags"}, "", []string{`'ALTER TABLE {orders} ADD INDEX idx_email (email)'`}},
		"Laravel":   {[]string{"migrations", "failed_jobs"}, "", []string{`$table->index(['email'], 'idx_email')`, `$table->dropIndex('idx_email')`}},
		"Doctrine":  {[]string{"doctrine_migration_versions"}, "", []string{`$this->addSql('ALTER TABLE orders ADD INDEX idx_email (email)')`}},
	} {
		t.Run(name, func(t *testing.T) {
			o := orders()
			o.Name = c.prefix + "orders"
			w := Workload{
				Tables:     in([]snapshot.Table{o}, c.tables...),
				Statements: []Statement{asked("SELECT * FROM "+o.Name+" WHERE email = ?", 120000, 1)},
			}
			m := Advise(w, Options{}).Advice[0].Migration
			if m == nil || m.Framework != name {
				t.Fatalf("migration = %+v, want one of %s", m, name)
			}
			for _, want := range c.want {
				if !strings.Contains(m.Code, want) {
					t.Errorf("%s lacks %s", m.Code, want)
				}
			}
		})
	}
}

func TestAMigrationHoldsPlainNamesOnly(t *testing.T) {
	o := orders()
	o.Columns[2].Name = `e"mail`
	w := Workload{
		Tables:     in([]snapshot.Table{o}, "migrations", "failed_jobs"),
		Statements: []Statement{asked("SELECT * FROM orders WHERE `e\"mail` = ?", 120000, 1)},
	}
	a := Advise(w, Options{}).Advice[0]
	if a.Migration != nil || a.DDL == "" {
		t.Errorf("advice = %+v, want a statement and no migration", a)
	}
	if r := Advise(Workload{Tables: []snapshot.Table{orders()}, Statements: []Statement{asked("SELECT * FROM orders WHERE email = ?", 120000, 1)}}, Options{}); r.Advice[0].Migration != nil {
		t.Errorf("migration = %+v, want none where no framework is known", r.Advice[0].Migration)
	}
}
