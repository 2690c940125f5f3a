package report

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/fixtures/jsonschema"
)

// published is the schema of reports.
func published() jsonschema.Document {
	return jsonschema.Document{
		Title:       fmt.Sprintf("Report of Plimsoll, version %d", SchemaVersion),
		Description: "Everything that one evaluation found, with all of its evidence. Text, HTML and Markdown are renderings of it.",
		Root:        reflect.TypeFor[Report](),
	}
}

func TestPublishedSchemaIsThatOfTheTypes(t *testing.T) {
	published().Hold(t, "../../docs/report.schema.json")
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
			published().Accepts(t, raw)
		})
	}
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
