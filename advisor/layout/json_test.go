package layout

import (
	"bytes"
	"encoding/json"
	"testing"
)

func TestJSONIsIndentedAsTheStandardLibraryDoes(t *testing.T) {
	for _, v := range []any{
		nil, true, "", 1.5e300, -3,
		[]int{},
		map[string]int{},
		[]any{[]any{}, map[string]any{}},
		struct{}{},
		[]any{"a,b:{}[]", `"\`, `\\"`, "<é €>", "tab\tnewline\n\x01\x00", []any{map[string]any{"k": []int{1, 2}, `"`: nil}}},
		map[string]any{"a": map[string]any{"b": map[string]any{"c": []any{1, "2", false}}}},
	} {
		var want bytes.Buffer
		e := json.NewEncoder(&want)
		e.SetIndent("", "  ")
		if err := e.Encode(v); err != nil {
			t.Fatal(err)
		}
		got, err := JSON(v)
		if err != nil || string(got) != want.String() {
			t.Errorf("JSON(%q) = %s, %v, want %s", v, got, err, want.Bytes())
		}
	}
}

func TestJSONEscapesWhatIsNotPrintable(t *testing.T) {
	text := "a\u202eb\x7f\u00a0c\U000e0001d\xff é"
	got, err := JSON(text)
	if err != nil {
		t.Fatal(err)
	}
	const want = `"a\u202eb\u007f\u00a0c\udb40\udc01d` + "\\ufffd é\"\n"
	if string(got) != want {
		t.Errorf("JSON(%q) = %s, want %s", text, got, want)
	}
	var back string
	if err := json.Unmarshal(got, &back); err != nil || back != "a\u202eb\x7f\u00a0c\U000e0001d\ufffd é" {
		t.Errorf("it reads back as %q, %v", back, err)
	}
}

func TestJSONStandsAsDeepAsItIsTold(t *testing.T) {
	got, err := AppendJSON([]byte("x "), map[string]int{"a": 1}, 2)
	if want := "x {\n      \"a\": 1\n    }"; err != nil || string(got) != want {
		t.Errorf("AppendJSON = %q, %v, want %q", got, err, want)
	}
}
