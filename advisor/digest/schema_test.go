package digest

import (
	"bytes"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/fixtures/jsonschema"
)

// published are the schemas by their file.
func published() map[string]jsonschema.Document {
	const accept = " Readers must accept fields that are not listed here."
	version := ", version " + strconv.Itoa(SchemaVersion)
	return map[string]jsonschema.Document{
		"digest.schema.json": {
			Title:       "Digest of slow query logs by Plimsoll" + version,
			Description: "What plimsoll digest --format json writes: the statements of slow query logs." + accept,
			Root:        reflect.TypeFor[Digest](),
		},
		"digest-comparison.schema.json": {
			Title:       "Comparison of slow query logs by Plimsoll" + version,
			Description: "What plimsoll digest --compare --format json writes: what became of the statements of a log." + accept,
			Root:        reflect.TypeFor[Comparison](),
		},
	}
}

func schema(t *testing.T, name string) []byte {
	t.Helper()
	s, err := published()[name].Encode()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPublishedSchemasAreThoseOfTheTypes(t *testing.T) {
	for name := range published() {
		path, got := "../../docs/"+name, schema(t, name)
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("docs/%s is not that of the types; run go test ./advisor/digest -update:\n%s", name, diff)
		}
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
			if err := jsonschema.Validate(schema(t, file), raw.Bytes()); err != nil {
				t.Error(err)
			}
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
		"cut off":        {`{"schema": 1, "queries": [`, "read digest: unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(strings.NewReader(c.raw))
			if err == nil || err.Error() != c.want {
				t.Errorf("Read = %v, want %s", err, c.want)
			}
		})
	}
}
