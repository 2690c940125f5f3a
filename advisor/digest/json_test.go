package digest

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plimsoll/advisor/layout"
)

func TestJSONOfManyStatementsIsThatOfOneDocument(t *testing.T) {
	for _, n := range []int{0, 1, 2, partSize - 1, partSize, partSize + 1, 10*partSize + 3} {
		d := &Digest{Queries: []Query{}, Version: `"queries": []`, Files: []File{{Name: `a "queries": [] b`}}}
		for i := range n {
			d.Queries = append(d.Queries, Query{Fingerprint: fmt.Sprint(i), Tables: []string{}, Databases: []Name{{Name: "\u202e"}}})
		}
		want, err := layout.JSON(d)
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := d.JSON(&got); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, got.Bytes()) {
			t.Errorf("%d statements: JSON = %d bytes, want these %d:\n%.300s", n, got.Len(), len(want), want)
		}
	}
}

// TestAQueryHasAllItsMembersInJSON fills Queries with values that are hard to write, and with none.
func TestAQueryHasAllItsMembersInJSON(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for i := range 500 {
		var q Query
		fill(reflect.ValueOf(&q).Elem(), random, float64(i%5)/4)
		want, err := layout.AppendJSON(nil, &q, i%10)
		if err != nil {
			t.Fatal(err)
		}
		got, err := q.appendTo(nil, i%10)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Fatalf("(-standard library +got):\n%s", diff)
		}
	}
}

// fill sets that share of what v holds.
func fill(v reflect.Value, random *rand.Rand, share float64) {
	if random.Float64() >= share {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), random, share)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), random.IntN(3), 3))
		for i := range v.Len() {
			fill(v.Index(i), random, share)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.UnixMicro(random.Int64N(1e17)).UTC()))
			return
		}
		for _, field := range v.Fields() {
			fill(field, random, share)
		}
	case reflect.String:
		v.SetString([]string{"a", "a < b && c > 'd'", `"\`, "\u2028é\x00\xff", "\x7f\u202e"}[random.IntN(5)])
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint64:
		v.SetUint(random.Uint64())
	case reflect.Int64:
		v.SetInt(-random.Int64())
	case reflect.Float64:
		v.SetFloat([]float64{-1.5, 1e-6, 9.99e-7, 1e21, 1e20, 123456.789012, 5e-324}[random.IntN(7)])
	default:
		panic("BUG: a Query holds a " + v.Kind().String())
	}
}

func TestWhatJSONCannotHoldIsAnError(t *testing.T) {
	beyond := time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, q := range map[string]Query{
		"NaN":            {ShareRatio: math.NaN()},
		"infinity":       {TimeSeconds: Seconds{Sum: math.Inf(-1)}},
		"the year 10000": {LastSeen: &beyond},
	} {
		if err := (&Digest{Queries: []Query{q}}).JSON(io.Discard); err == nil {
			t.Errorf("%s is written without an error", name)
		}
	}
}
