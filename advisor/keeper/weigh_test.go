package keeper

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"plimsoll/advisor/store"
	"plimsoll/collectors/snapshot"
)

// resident is what a decoded value takes, as far as it is of lists, maps and
// what pointers point to; strings that need three bytes for a broken one count
// as one.
func resident(v reflect.Value) (n int64) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			n += int64(v.Elem().Type().Size()) + resident(v.Elem())
		}
	case reflect.Slice:
		n += int64(v.Len()) * int64(v.Type().Elem().Size())
		for i := range v.Len() {
			n += resident(v.Index(i))
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			n += int64(it.Key().Type().Size()) + int64(it.Value().Type().Size()) + resident(it.Value())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				n += resident(v.Field(i))
			}
		}
	case reflect.String:
		n += int64(v.Len()) / 3
	default:
	}
	return n
}

func FuzzNothingTakesMoreThanItWeighs(f *testing.F) {
	s := agentSnapshot("agent-00000001", noon, "e", 1)
	s.Server("db1").Schema = &snapshot.Schema{Tables: []snapshot.Table{{Name: "t", Columns: []snapshot.Column{{Name: "c"}}}}}
	s.Server("db1").Status = &snapshot.Status{Values: map[string]float64{"uptime": 1}}
	honest, err := json.Marshal(s)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(honest))
	f.Add(`{"gaps":[{},{},{}],"gaps":[null , 0,"x"]}`)
	f.Add(`{"SERVERS":{"\u0064b":{"dige\u017fts":{"rows":[{"aliaſes":["a","b"]}]}}}}`)
	f.Add(`{"labels":{"a":"b","c":{"d":[1]}},"what":[{"else":[[]]}],"machine":{"disks":[{}]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		const room = 1 << 40
		weight, err := weigh([]byte(text), reflect.TypeFor[snapshot.Snapshot](), room, fields{})
		if err != nil {
			t.Fatal(err)
		}
		var got snapshot.Snapshot
		if !json.Valid([]byte(text)) {
			return
		}
		_ = json.Unmarshal([]byte(text), &got) // a value of a wrong type is left out, and all else decoded
		if took := resident(reflect.ValueOf(got)); took > weight {
			t.Errorf("it takes %d bytes and weighs %d", took, weight)
		}
	})
}

// swollen are answers that are small as JSON and large when decoded.
func swollen() map[string]string {
	rows := func(element string, of int) string { return "[" + strings.Repeat(element+",", of-1) + element + "]" }
	return map[string]string{
		"objects":             `{"servers":{"db1":{"digests":{"rows":` + rows("{}", 1<<20) + `}}}}`,
		"zeros":               `{"servers":{"db1":{"schema":{"tables":` + rows("0", 1<<20) + `}}}}`,
		"under another case":  `{"Servers":{"db1":{"DIGESTS":{"Row\u0073":` + rows("{}", 1<<20) + `}}}}`,
		"lists within a list": `{"servers":{"db1":{"schema":{"tables":[{"columns":` + rows("{}", 1<<21) + `}]}}}}`,
	}
}

func TestAnAnswerThatWouldSwellInMemoryIsAGapOfThatAgent(t *testing.T) {
	for name, section := range swollen() {
		t.Run(name, func(t *testing.T) {
			now := noon
			k, a := open(t, &now), &fakeAgent{snapshot: agentSnapshot("agent-00000001", noon, "e", 1)}
			k.Fetch(t.Context(), []store.Target{target(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/digests") {
					w.Header().Set("Content-Encoding", "gzip")
					_, _ = w.Write(packed(t, `{"agent_id":"agent-00000001",`+section[1:]))
					return
				}
				a.ServeHTTP(w, r)
			}))})
			got := k.Agents()[0]
			if got.Err != nil || got.Latest.Host != "db1" {
				t.Fatalf("agent = %+v, want its other sections", got)
			}
			if g := got.Latest.Gaps; len(g) != 1 || !strings.Contains(g[0].Reason, "it would take more than the 256 MiB of memory") {
				t.Errorf("gaps = %+v, want one that says why digests are missing", g)
			}
		})
	}
}

func TestTheRefusedAnswerIsNotDecoded(t *testing.T) {
	raw := []byte(swollen()["objects"])
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := weigh(raw, reflect.TypeFor[snapshot.Snapshot](), maxWeight, fields{}); err == nil {
		t.Fatal("a gigabyte of rows found room")
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
		t.Errorf("weighing took %d bytes", took)
	}
}

func TestSectionsShareAnAgentsRoom(t *testing.T) {
	now := noon
	k, a := open(t, &now), &fakeAgent{snapshot: agentSnapshot("agent-00000001", noon, "e", 1)}
	tables := maxWeight * 2 / 5 / (grown * int(reflect.TypeFor[snapshot.Table]().Size())) // two in five of the room
	large := packed(t, `{"agent_id":"agent-00000001","servers":{"db1":{"schema":{"tables":[`+strings.Repeat("{},", tables-1)+`{}]}}}}`)
	targets := []store.Target{target(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch strings.TrimPrefix(r.URL.Path, "/v1/snapshot/") {
		case "schema", "index_use", "events":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(large)
			return
		}
		a.ServeHTTP(w, r)
	}))}
	for range 2 { // what is replaced makes room
		k.Fetch(t.Context(), targets)
		g := k.Agents()[0].Latest.Gaps
		if len(g) != 1 || !strings.Contains(g[0].Reason, "section events could not be fetched") {
			t.Errorf("gaps = %+v, want one about events, for which no room was left", g)
		}
		a.rev++
	}
}

func TestTextsThatCameBeforeTakeRoomToo(t *testing.T) {
	a := &fakeAgent{snapshot: agentSnapshot("agent-00000001", noon, "e", 1)}
	withText(a.snapshot, "db1", "fp1:a", 1)
	d, from := &desk{known: fields{}}, target(t, a)
	known, err := d.fetchSection(t.Context(), from, snapshot.SectionDigests, section{}, "agent-00000001", maxWeight)
	if err != nil {
		t.Fatal(err)
	}
	again, err := d.fetchSection(t.Context(), from, snapshot.SectionDigests, known, "agent-00000001", maxWeight)
	if err != nil {
		t.Fatal(err)
	}
	if again.weight < known.weight {
		t.Errorf("with a text that did not travel it weighs %d, want %d at least", again.weight, known.weight)
	}
	if _, err := d.fetchSection(t.Context(), from, snapshot.SectionDigests, known, "agent-00000001", again.weight-1); err == nil {
		t.Error("a text that came before found room where there was none")
	}
}

// The digests of a server of a shop, as they are fetched once a minute.
func BenchmarkWeigh(b *testing.B) {
	s := agentSnapshot("agent-00000001", noon, "e", 1)
	d := s.Server("db1").Digests
	for i := range 1000 {
		fingerprint := fmt.Sprintf("fp1:%016x", i)
		d.Rows = append(d.Rows, snapshot.Digest{Fingerprint: fingerprint, Schema: "shop", Aliases: []string{fingerprint}})
		d.Texts = append(d.Texts, snapshot.DigestText{Fingerprint: fingerprint, Text: snapshot.Redacted(strings.Repeat("SELECT ?, ", 30))})
	}
	raw, err := json.Marshal(s)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("weigh", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		for b.Loop() {
			if _, err := weigh(raw, reflect.TypeFor[snapshot.Snapshot](), maxWeight, fields{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		for b.Loop() {
			var got snapshot.Snapshot
			if err := json.Unmarshal(raw, &got); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func packed(t *testing.T, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
