package snapshot

import (
	"reflect"
	"strconv"
	"testing"

	"plimsoll/fixtures/jsonschema"
)

func TestPublishedSchemaIsThatOfTheTypes(t *testing.T) {
	jsonschema.Document{
		Title: "Snapshot of a Plimsoll agent, version " + strconv.Itoa(SchemaVersion),
		Description: "What one agent knows of its host at one moment. The answer of /v1/snapshot/{section} is a Snapshot " +
			"that holds one section.",
		Root: reflect.TypeFor[Snapshot](),
	}.Hold(t, "../../docs/snapshot.schema.json")
}
