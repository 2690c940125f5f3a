package digest

import (
	"bytes"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/fixtures/jsonschema"
)

// published are the schemas by their file.
func published() map[string]jsonschema.Document {
	version := ", version " + strconv.Itoa(SchemaVersion)
	return map[string]jsonschema.Document{
		"digest.schema.json": {
			Title:       "Digest of slow query logs by Plimsoll" + version,
			Description: "What plimsoll digest --format json writes: the statements of slow query logs.",
			Root:        reflect.TypeFor[Digest](),
		},
		"digest-comparison.schema.json": {
			Title:       "Comparison of slow query logs by Plimsoll" + version,
			Description: "What plimsoll digest --compare --format json writes: what became of the statements of a log.",
			Root:        reflect.TypeFor[Comparison](),
		},
	}
}

func TestPublishedSchemasAreThoseOfTheTypes(t *testing.T) {
	for name, schema := range published() {
		schema.Hold(t, "../../docs/"+name)
	}
}

func TestJSONIsAsTheSchemasSay(t *testing.T) {
	for name, r := range renderings(t) {
		t.Run(name, func(t *testing.T) {
			var raw bytes.Buffer
			if err := r.JSON(&raw); err != nil {
				t.Fatal(err)
			}
			file := "digest.schema.json"
			if _, compared := r.(*Comparison); compared {
				file = "digest-comparison.schema.json"
			}
			published()[file].Accepts(t, raw.Bytes())
		})
	}
}

func TestReadReturnsWhatJSONWrote(t *testing.T) {
	want := stories(t)["shop"]
	var raw bytes.Buffer
	if err := want.JSON(&raw); err != nil {
		t.Fatal(err)
	}
	got, err := Read(&raw)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestReadRefusesWhatItCannotKnow(t *testing.T) {
	for name, c := range map[string]struct{ raw, want string }{
		"a later schema": {`{"schema": 99}`, "read digest: its schema is 99 and this program knows 1 to 1"},
		"no digest":      {`{}`, "read digest: its schema is 0 and this program knows 1 to 1"},
		"cut off":        {`{"schema": 1, "queries": [`, "read digest: it is no whole JSON: unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(strings.NewReader(c.raw))
			if err == nil || err.Error() != c.want {
				t.Errorf("Read = %v, want %s", err, c.want)
			}
		})
	}
}
