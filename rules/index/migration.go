package index

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"plimsoll/collectors/snapshot"
)

// Migration is an advice in the words of the framework that owns the table: a change that is made past it
// is lost or reported as a difference the next time that it looks at its tables.
type Migration struct {
	// Framework is its name, such as Laravel.
	Framework string `json:"framework"`
	// File says where the code belongs.
	File string `json:"file"`
	Code string `json:"code"`
	// Note says what to know of it; empty if nothing.
	Note string `json:"note,omitempty"`
}

// framework is one whose tables are known by their names.
type framework struct {
	// known are tables that it has and others have not, without a prefix.
	known []string
	write func(a *Advised, t *snapshot.Table, prefix string) *Migration
}

func frameworks() []framework {
	return []framework{
		{[]string{"eav_attribute", "core_config_data", "patch_list"}, magento},
		{[]string{"posts", "postmeta", "term_taxonomy", "options"}, wordpress},
		{[]string{"key_value", "key_value_expire", "cachetags"}, drupal},
		{[]string{"migrations", "password_reset_tokens"}, laravel},
		{[]string{"migrations", "failed_jobs"}, laravel},
		{[]string{"doctrine_migration_versions"}, doctrine},
	}
}

// owner returns the framework that owns the tables of a schema, and the prefix of its tables.
func owner(tables []snapshot.Table, schema string) (framework, string, bool) {
	names := map[string]bool{}
	for _, t := range tables {
		if t.Schema == schema {
			names[t.Name] = true
		}
	}
	for _, f := range frameworks() {
		for _, name := range slices.Sorted(maps.Keys(names)) {
			if prefix, ok := strings.CutSuffix(name, f.known[0]); ok && f.owns(names, prefix) {
				return f, prefix, true
			}
		}
	}
	return framework{}, "", false
}

func (f framework) owns(names map[string]bool, prefix string) bool {
	for _, known := range f.known {
		if !names[prefix+known] {
			return false
		}
	}
	return prefix == "" || strings.HasSuffix(prefix, "_")
}

// plainName are names that need no quotes in any of the languages.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_]+$`)

// migrate adds the advice in the words of the table's framework, if its names are plain.
func (e *engine) migrate(a *Advised, t *snapshot.Table) {
	if a.Kind != Add && a.Kind != Extend || a.DDL == "" {
		return
	}
	f, prefix, ok := owner(e.workload.Tables, t.Schema)
	if !ok || !plainName.MatchString(t.Name) || !plainName.MatchString(a.Index) || a.Replaces != "" && !plainName.MatchString(a.Replaces) {
		return
	}
	for _, p := range a.Columns {
		if !plainName.MatchString(p.Column) {
			return
		}
	}
	a.Migration = f.write(a, t, prefix)
}

// whole reports whether an index holds whole columns, smallest first.
func whole(a *Advised) bool {
	for _, p := range a.Columns {
		if p.Prefix > 0 || p.Descending {
			return false
		}
	}
	return true
}

func magento(a *Advised, t *snapshot.Table, prefix string) *Migration {
	if !whole(a) {
		return nil // declarative schema knows neither prefixes nor directions
	}
	reference := []string{t.Name}
	for _, p := range a.Columns {
		reference = append(reference, p.Column)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "<table name=%q>\n", strings.TrimPrefix(t.Name, prefix))
	fmt.Fprintf(&b, "    <index referenceId=%q indexType=\"btree\">\n", strings.ToUpper(strings.Join(reference, "_")))
	for _, p := range a.Columns {
		fmt.Fprintf(&b, "        <column name=%q/>\n", p.Column)
	}
	b.WriteString("    </index>\n</table>")
	return &Migration{
		Framework: "Magento", File: "etc/db_schema.xml of a module of yours", Code: b.String(),
		Note: "bin/magento setup:upgrade builds it, and would drop an index that no db_schema.xml names from a table that one declares.",
	}
}

func wordpress(a *Advised, t *snapshot.Table, prefix string) *Migration {
	name := "{$wpdb->prefix}" + strings.TrimPrefix(t.Name, prefix)
	return &Migration{
		Framework: "WordPress", File: "the activation hook of a plugin",
		Code: fmt.Sprintf("global $wpdb;\n$wpdb->query( \"ALTER TABLE %s %s\" );", name, change(a)),
		Note: "dbDelta adds what is missing and drops no index, so that an update of WordPress leaves it.",
	}
}

func drupal(a *Advised, t *snapshot.Table, prefix string) *Migration {
	return &Migration{
		Framework: "Drupal", File: "the .install file of a module of yours",
		Code: fmt.Sprintf("function mymodule_update_10001(): void {\n  \\Drupal::database()->query('ALTER TABLE {%s} %s');\n}", strings.TrimPrefix(t.Name, prefix), change(a)),
		Note: "For a table of an entity, also add it in a storage schema handler, so that Drupal sees no difference.",
	}
}

func laravel(a *Advised, t *snapshot.Table, _ string) *Migration {
	up := fmt.Sprintf("DB::statement('ALTER TABLE %s %s');", t.Name, change(a))
	down := fmt.Sprintf("DB::statement('ALTER TABLE %s DROP INDEX %s');", t.Name, a.Index)
	if whole(a) && a.Replaces == "" {
		var columns []string
		for _, p := range a.Columns {
			columns = append(columns, "'"+p.Column+"'")
		}
		up = fmt.Sprintf("Schema::table('%s', fn (Blueprint $table) => $table->index([%s], '%s'));", t.Name, strings.Join(columns, ", "), a.Index)
		down = fmt.Sprintf("Schema::table('%s', fn (Blueprint $table) => $table->dropIndex('%s'));", t.Name, a.Index)
	}
	return &Migration{
		Framework: "Laravel", File: "a migration: php artisan make:migration " + a.Index,
		Code: fmt.Sprintf("public function up(): void\n{\n    %s\n}\n\npublic function down(): void\n{\n    %s\n}", up, down),
	}
}

func doctrine(a *Advised, t *snapshot.Table, _ string) *Migration {
	return &Migration{
		Framework: "Doctrine", File: "a migration: bin/console doctrine:migrations:generate",
		Code: fmt.Sprintf("public function up(Schema $schema): void\n{\n    $this->addSql('ALTER TABLE %s %s');\n}\n\n"+
			"public function down(Schema $schema): void\n{\n    $this->addSql('ALTER TABLE %[1]s DROP INDEX %[3]s');\n}", t.Name, change(a), a.Index),
		Note: "Name it in the mapping too (#[ORM\\Index]), or the next diff drops it.",
	}
}

// change is the change of structure without quotes, for names that need none.
func change(a *Advised) string {
	out := "ADD INDEX " + a.Index + " (" + strings.ReplaceAll(columnList(a.Columns), "`", "") + ")"
	if a.Replaces != "" {
		out += ", DROP INDEX " + a.Replaces
	}
	return out
}
