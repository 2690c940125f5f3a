package snapshot

import (
	"flag"
	"os"
	"reflect"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/fixtures/jsonschema"
)

var update = flag.Bool("update", false, "write docs/snapshot.schema.json anew")

const schemaFile = "../../docs/snapshot.schema.json"

func TestPublishedSchemaIsThatOfTheTypes(t *testing.T) {
	got, err := jsonschema.Document{
		Title: "Snapshot of a Plimsoll agent, version " + strconv.Itoa(SchemaVersion),
		Description: "What one agent knows of its host at one moment. The answer of /v1/snapshot/{section} is a Snapshot " +
			"that holds one section. Readers must accept fields that are not listed here.",
		Root: reflect.TypeFor[Snapshot](),
	}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(schemaFile, got, 0o644); err != nil { //nolint:gosec // A document for all.
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("docs/snapshot.schema.json is not that of the types; run go test ./collectors/snapshot -update:\n%s", diff)
	}
}
