package expose

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"plimsoll/collectors/snapshot"
)

// noise is text that does not compress below half of n bytes.
func noise(n int) string {
	raw := make([]byte, n/2)
	_, _ = rand.Read(raw)
	return hex.EncodeToString(raw)
}

// small are limits that a test reaches quickly: a hundredth of the real ones.
func small() limits {
	return limits{packed: readable().packed / 100, unpacked: readable().unpacked / 100}
}

// unpack returns the section of b, after checking its size.
func unpack(t *testing.T, b body) *snapshot.Snapshot {
	t.Helper()
	if !b.within(small()) {
		t.Errorf("section has %d bytes, %d unpacked", len(b.packed), b.bytes)
	}
	plain, err := gzip.NewReader(bytes.NewReader(b.packed))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(plain)
	if err != nil {
		t.Fatal(err)
	}
	if len(text) != b.bytes {
		t.Errorf("unpacked are %d bytes, want the stated %d", len(text), b.bytes)
	}
	var s snapshot.Snapshot
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	return &s
}

func TestTooManyDigestsAreCutByTime(t *testing.T) {
	d := &snapshot.Digests{Meta: snapshot.Meta{Gaps: []snapshot.Gap{{Job: "mysql/digests", Reason: "an older gap"}}}}
	const all = 300
	for i := range all {
		fingerprint := fmt.Sprintf("fp1:%016x", i)
		d.Rows = append(d.Rows, snapshot.Digest{Fingerprint: fingerprint, DigestTotals: snapshot.DigestTotals{Seconds: float64(i)}})
		d.Texts = append(d.Texts, snapshot.DigestText{Fingerprint: fingerprint, Rev: uint64(i + 1), Text: snapshot.Redacted(noise(800))})
	}
	b, err := pack(with(known(), "a", snapshot.Server{Digests: d}), small())
	if err != nil {
		t.Fatal(err)
	}
	got := unpack(t, b).Servers["a"].Digests
	if len(got.Rows) == 0 || len(got.Rows) == all || len(got.Rows) != len(got.Texts) {
		t.Fatalf("%d digests with %d texts are left, want some and a text for each", len(got.Rows), len(got.Texts))
	}
	for i, row := range got.Rows {
		if want := float64(all - 1 - i); row.Seconds != want {
			t.Fatalf("row %d has %v seconds, want %v: the longest first", i, row.Seconds, want)
		}
	}
	if len(got.Gaps) < 2 || !strings.Contains(got.Gaps[1].Reason, "are left out: with them the section would be too large") {
		t.Errorf("gaps = %+v, want the older one and one about what is left out", got.Gaps)
	}
	if len(d.Rows) != all || d.Rows[0].Seconds != 0 || len(d.Gaps) != 1 {
		t.Error("cutting changed the snapshot itself")
	}
}

func TestTooManyTablesAreCutByBytes(t *testing.T) {
	schema := &snapshot.Schema{}
	const all = 400
	for i := range all {
		size := uint64(i)
		table := snapshot.Table{Schema: "shop", Name: fmt.Sprint(i), DataBytes: &size}
		table.Columns = []snapshot.Column{{Name: noise(600), Type: "int"}}
		schema.Tables = append(schema.Tables, table)
	}
	b, err := pack(with(known(), "a", snapshot.Server{Schema: schema}), small())
	if err != nil {
		t.Fatal(err)
	}
	got := unpack(t, b).Servers["a"].Schema
	if n := len(got.Tables); n == 0 || n == all || *got.Tables[0].DataBytes != all-1 {
		t.Errorf("%d tables are left, want some and the largest first", n)
	}
	if len(got.Gaps) != 1 || got.Gaps[0].Subject != "a" || got.Gaps[0].Job != "mysql/schema" {
		t.Errorf("gaps = %+v, want one", got.Gaps)
	}
}

func TestTooLargeRingsKeepTheNewest(t *testing.T) {
	s := known()
	p := &snapshot.Positions{}
	for i := range 400 {
		s.Events = append(s.Events, snapshot.Event{Seq: uint64(i + 1), Summary: noise(300)})
		p.Ring = append(p.Ring, snapshot.Position{GTID: noise(300), Offset: uint64(i + 1)})
	}
	b, err := pack(with(s, "a", snapshot.Server{Positions: p}), small())
	if err != nil {
		t.Fatal(err)
	}
	got := unpack(t, b)
	ring := got.Servers["a"].Positions.Ring
	if n := len(got.Events); n == 0 || n == 400 || got.Events[n-1].Seq != 400 {
		t.Errorf("%d events are left, want the newest", n)
	}
	if n := len(ring); n == 0 || n == 400 || ring[n-1].Offset != 400 {
		t.Errorf("%d positions are left, want the newest", n)
	}
}

func TestWhatCompressesWellIsStillBoundedUnpacked(t *testing.T) {
	u := &snapshot.Use{}
	for i := range 9_000 {
		u.Indexes = append(u.Indexes, snapshot.IndexUse{Schema: "shop", Table: "orders", Index: "a_rather_long_name_of_an_index", Reads: uint64(i)})
	}
	b, err := pack(with(known(), "a", snapshot.Server{Use: u}), small())
	if err != nil {
		t.Fatal(err)
	}
	got := unpack(t, b).Servers["a"].Use
	if n := len(got.Indexes); n == 0 || n == 9_000 || got.Indexes[0].Reads != 8_999 {
		t.Errorf("%d indexes are left, want those that are read most", n)
	}
}

func TestASectionThatCannotBeCutIsAnError(t *testing.T) {
	s := known()
	s.Gaps = []snapshot.Gap{{Reason: noise(1 << 20)}}
	if _, err := pack(s, small()); err == nil {
		t.Error("pack of a gap of 1 MB: no error")
	}
}

func BenchmarkPack10000Digests(b *testing.B) {
	d := &snapshot.Digests{}
	for i := range snapshot.MaxDigests {
		f := fmt.Sprintf("fp1:%016x", i*7919)
		d.Rows = append(d.Rows, snapshot.Digest{Fingerprint: f, Schema: "shop", DigestTotals: snapshot.DigestTotals{Calls: uint64(i), Seconds: float64(i) * 1.1}})
	}
	s := with(known(), "a", snapshot.Server{Digests: d})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := pack(s, readable()); err != nil {
			b.Fatal(err)
		}
	}
}
