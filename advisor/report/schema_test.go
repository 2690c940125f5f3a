package report

import (
	"bytes"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/fixtures/jsonschema"
)

const schemaFile = "../../docs/report.schema.json"

func TestPublishedSchemaIsThatOfTheTypes(t *testing.T) {
	got := schema(t)
	if *update {
		if err := os.WriteFile(schemaFile, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("docs/report.schema.json is not that of the types; run go test ./advisor/report -update:\n%s", diff)
	}
}

func TestJSONIsAsTheSchemaSays(t *testing.T) {
	for name, r := range stories() {
		if name == "hostile" {
			continue // Its severities and roles are none.
		}
		t.Run(name, func(t *testing.T) {
			raw, err := r.JSON()
			if err != nil {
				t.Fatal(err)
			}
			if err := jsonschema.Validate(schema(t), raw); err != nil {
				t.Error(err)
			}
		})
	}
}

func schema(t *testing.T) []byte {
	t.Helper()
	s, err := jsonschema.Document{
		Title: fmt.Sprintf("Report of Plimsoll, version %d", SchemaVersion),
		Description: "Everything that one evaluation found, with all of its evidence. Text, HTML and Markdown are renderings of it. " +
			"Readers must accept fields that are not listed here.",
		Root: reflect.TypeFor[Report](),
	}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestReadReturnsWhatJSONWrote(t *testing.T) {
	want := shop()
	raw, err := want.JSON()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Read(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestReadRefusesWhatItCannotKnow(t *testing.T) {
	for name, c := range map[string]struct{ raw, want string }{
		"a later schema": {`{"schema": 99}`, "read report: its schema is 99 and this program knows 1 to 1"},
		"no report":      {`{}`, "read report: its schema is 0 and this program knows 1 to 1"},
		"cut off":        {`{"schema": 1, "hosts": [`, "read report: unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(strings.NewReader(c.raw))
			if err == nil || err.Error() != c.want {
				t.Errorf("Read = %v, want %s", err, c.want)
			}
		})
	}
}
