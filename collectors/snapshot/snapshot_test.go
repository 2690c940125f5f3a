package snapshot

import (
	"encoding/json"
	"reflect"
	"testing"
)

// full returns a Snapshot in which every pointer of Server and Snapshot is set.
func full() *Snapshot {
	s := &Snapshot{
		Schema: SchemaVersion, AgentID: "a1", Cluster: "shop", Host: "db1",
		Agent: &Agent{}, Machine: &Machine{},
		Events: []Event{{Seq: 1}}, Gaps: []Gap{{Job: "host"}},
	}
	parts := reflect.ValueOf(s.Server("db1")).Elem()
	for _, field := range parts.Fields() {
		field.Set(reflect.New(field.Type().Elem()))
	}
	return s
}

func TestMergeSwapsEveryPart(t *testing.T) {
	want := full()
	got := &Snapshot{}
	got.Merge(want)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Merge into an empty snapshot = %+v, want %+v", got, want)
	}
}

func TestSectionsTogetherAreTheWholeSnapshot(t *testing.T) {
	want := full()
	got := &Snapshot{}
	for _, name := range Sections() {
		got.Merge(overTheWire(t, want.Section(name)))
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("sections merged = %+v, want %+v", got, want)
	}
}

func TestMergeKeepsWhatTheOtherDoesNotSay(t *testing.T) {
	got := full()
	got.Merge(overTheWire(t, full().Section(SectionHost)))
	if got.Servers["db1"].Digests == nil || len(got.Gaps) != 1 || len(got.Events) != 1 {
		t.Errorf("merging the host's section lost other parts: %+v", got)
	}
}

func TestGapsThatWereClosedGo(t *testing.T) {
	got := full()
	healed := full()
	healed.Gaps = nil
	got.Merge(overTheWire(t, healed.Section(SectionGaps)))
	if len(got.Gaps) != 0 {
		t.Errorf("gaps after they were closed = %v, want none", got.Gaps)
	}
}

func TestMergingIntoACloneLeavesTheOriginal(t *testing.T) {
	original := full()
	clone := original.Clone()
	clone.Merge(&Snapshot{Servers: map[string]*Server{"db1": {Status: &Status{UptimeSeconds: 7}}}})
	if got := original.Servers["db1"].Status.UptimeSeconds; got != 0 {
		t.Errorf("uptime in the original = %v, want 0", got)
	}
}

func overTheWire(t *testing.T, s *Snapshot) *Snapshot {
	t.Helper()
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var out Snapshot
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return &out
}

func TestHeadersAreOfEveryPart(t *testing.T) {
	if got, want := len(full().Servers["db1"].Headers()), reflect.TypeFor[Server]().NumField(); got != want {
		t.Errorf("Headers has %d parts, want %d", got, want)
	}
}

func TestTotalsThatFellCountAsNoGrowth(t *testing.T) {
	got := DigestTotals{Calls: 3, Seconds: 1}.Minus(DigestTotals{Calls: 5, Seconds: 2})
	if got.Calls != 0 || got.Seconds != 0 {
		t.Errorf("3 calls after 5 = %+v, want no growth", got)
	}
}

func TestEveryTotalIsAddedAndSubtracted(t *testing.T) {
	one := DigestTotals{CPUSeconds: new(float64)}
	fill(reflect.ValueOf(&one).Elem())
	if got := one.Plus(one).Minus(one); !reflect.DeepEqual(got, one) {
		t.Errorf("x + x - x = %+v, want %+v", got, one)
	}
}

// fill sets every number in v to 1, so that a field that Plus or Minus forgets
// shows.
func fill(v reflect.Value) {
	for _, field := range v.Fields() {
		switch f := reflect.Indirect(field); f.Kind() {
		case reflect.Uint64:
			f.SetUint(1)
		case reflect.Float64:
			f.SetFloat(1)
		}
	}
}
