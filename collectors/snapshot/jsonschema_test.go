package snapshot

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/snapshot.schema.json anew")

const schemaFile = "../../docs/snapshot.schema.json"

func TestPublishedSchemaIsThatOfTheTypes(t *testing.T) {
	got := jsonSchema(t)
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

// schema is a JSON Schema of one type, in the order in which people read it.
type schema struct {
	Schema      string             `json:"$schema,omitempty"`
	Title       string             `json:"title,omitempty"`
	Ref         string             `json:"$ref,omitempty"`
	Description string             `json:"description,omitempty"`
	Type        any                `json:"type,omitempty"`
	Format      string             `json:"format,omitempty"`
	Minimum     *int               `json:"minimum,omitempty"`
	Enum        []string           `json:"enum,omitempty"`
	Items       *schema            `json:"items,omitempty"`
	Values      *schema            `json:"additionalProperties,omitempty"`
	Required    []string           `json:"required,omitempty"`
	Properties  *properties        `json:"properties,omitempty"`
	Defs        map[string]*schema `json:"$defs,omitempty"`
}

// properties keeps the order of the fields.
type properties struct {
	names  []string
	values []*schema
}

func (p *properties) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, name := range p.names {
		value, err := encode(p.values[i])
		if err != nil {
			return nil, err
		}
		out = append(append(append(out, strconv.Quote(name)...), ':'), append(value, ',')...)
	}
	return append(bytes.TrimSuffix(out, []byte{','}), '}'), nil
}

func encode(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(out.Bytes()), err
}

// jsonSchema describes Snapshot, with the comments of its fields.
func jsonSchema(t *testing.T) []byte {
	t.Helper()
	w := &writer{source: readSource(t), defs: map[string]*schema{}}
	root := w.of(reflect.TypeFor[Snapshot]())
	root.Schema = "https://json-schema.org/draft/2020-12/schema"
	root.Title = "Snapshot of a Plimsoll agent, version " + strconv.Itoa(SchemaVersion)
	root.Description = "What one agent knows of its host at one moment. The answer of /v1/snapshot/{section} is a Snapshot " +
		"that holds one section. Readers must accept fields that are not listed here."
	root.Defs = w.defs
	compact, err := encode(root)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, compact, "", "  "); err != nil {
		t.Fatal(err)
	}
	return append(out.Bytes(), '\n')
}

// writer collects the schemas of named types.
type writer struct {
	source source
	defs   map[string]*schema
}

func (w *writer) of(t reflect.Type) *schema {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return &schema{Type: "string", Format: "date-time"}
	case t.PkgPath() != "" && t.Kind() != reflect.Float64:
		return w.named(t)
	}
	switch t.Kind() {
	case reflect.Pointer:
		return w.of(t.Elem())
	case reflect.Slice:
		return &schema{Type: "array", Items: w.of(t.Elem())}
	case reflect.Map:
		return &schema{Type: "object", Values: w.of(t.Elem())}
	case reflect.String:
		return &schema{Type: "string"}
	case reflect.Bool:
		return &schema{Type: "boolean"}
	case reflect.Float64:
		return &schema{Type: "number"}
	case reflect.Uint, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return &schema{Type: "integer", Minimum: new(int)}
	case reflect.Int, reflect.Int64:
		return &schema{Type: "integer"}
	}
	panic("no schema for " + t.String())
}

// named returns a reference to the schema of t, making it first if need be.
func (w *writer) named(t reflect.Type) *schema {
	if w.defs[t.Name()] == nil {
		s := &schema{}
		w.defs[t.Name()] = s // Before its fields, which may refer to it.
		if t.Kind() == reflect.Struct {
			s.Type, s.Properties = "object", &properties{}
			w.fields(t, s)
		} else {
			s.Type, s.Enum = "string", w.source.constants[t.Name()]
		}
		s.Description = w.source.types[t.Name()]
	}
	return &schema{Ref: "#/$defs/" + t.Name()}
}

func (w *writer) fields(t reflect.Type, into *schema) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("json")
		if f.Anonymous && tag == "" {
			w.fields(f.Type, into)
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		s := w.of(f.Type)
		s.Description = w.source.fields[t.Name()+"."+f.Name]
		if !strings.Contains(options, "omitempty") {
			into.Required = append(into.Required, name)
			if f.Type.Kind() == reflect.Slice || f.Type.Kind() == reflect.Map {
				s.Type = []any{s.Type, "null"}
			}
		}
		into.Properties.names = append(into.Properties.names, name)
		into.Properties.values = append(into.Properties.values, s)
	}
}

// source is what the files of this package say about its types.
type source struct {
	types     map[string]string
	fields    map[string]string // by Type.Field
	constants map[string][]string
}

func readSource(t *testing.T) source {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	s := source{map[string]string{}, map[string]string{}, map[string][]string{}}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if decl, ok := d.(*ast.GenDecl); ok {
				s.declaration(decl)
			}
		}
	}
	return s
}

func (s source) declaration(d *ast.GenDecl) {
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			s.types[spec.Name.Name] = sentence(firstOf(spec.Doc, d.Doc))
			if st, ok := spec.Type.(*ast.StructType); ok {
				s.structure(spec.Name.Name, st)
			}
		case *ast.ValueSpec:
			s.constant(spec)
		}
	}
}

func (s source) structure(name string, st *ast.StructType) {
	for _, f := range st.Fields.List {
		for _, field := range f.Names {
			s.fields[name+"."+field.Name] = sentence(firstOf(f.Doc, f.Comment))
		}
	}
}

// constant notes the values of types such as LagState.
func (s source) constant(spec *ast.ValueSpec) {
	kind, ok := spec.Type.(*ast.Ident)
	if !ok {
		return
	}
	for _, value := range spec.Values {
		if lit, ok := value.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			text, err := strconv.Unquote(lit.Value)
			if err == nil && !slices.Contains(s.constants[kind.Name], text) {
				s.constants[kind.Name] = append(s.constants[kind.Name], text)
			}
		}
	}
}

func firstOf(a, b *ast.CommentGroup) *ast.CommentGroup {
	if a != nil {
		return a
	}
	return b
}

// sentence is a comment on one line.
func sentence(c *ast.CommentGroup) string {
	return strings.Join(strings.Fields(c.Text()), " ")
}
