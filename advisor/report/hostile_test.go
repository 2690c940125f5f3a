package report

import (
	"math"
	"reflect"
	"time"
)

// mark stands in every text of a hostile report: no rendering may let it become
// markup.
const mark = "<script>alert(1)</script>"

// attacks are texts that a server's user can put into a name or a statement.
var attacks = []string{
	mark,
	"](javascript:alert(1)) ![x](http://evil.example/p.png)",
	"\x1b[2J\x1b]0;owned\x07 \x00\x7f\u009b31m",
	"\u202edesrever\u2066 \u200bzero \ufeffbom",
	"```\n# heading\n- item\n| a | b |\n```",
	"` | `` | \\| \\\\| *b* _i_ ~~s~~ $x$ @admin #1 !2 www.evil.example https://evil.example",
	"<!-- --> </style></title></svg> &lt;b&gt; &#60; ]]> {{.}} ' \" onload=x",
	"bad \xff\xfe utf-8 \xed\xa0\x80",
	"1. one\n+ two\n=====\n    code",
	"漢字 wide  ﷽ Z̷͍a̷l̷g̷o̷ " + "averyverylongwordwithoutanyspacethatcannotbebrokenatallandgoesonandonandonandonfaroverthewidth",
	"",
}

// hostile returns a report in which every text is hostile, and every list holds
// two of everything.
func hostile(seed string) *Report {
	r := &Report{}
	f := filler{text: seed}
	f.fill(reflect.ValueOf(r).Elem())
	r.Schema = SchemaVersion
	r.Generated = now()
	return r
}

// filler fills any value with what is worst for a reader, so that no field added
// later is forgotten.
type filler struct {
	text string
	n    int
}

func (f *filler) fill(v reflect.Value) {
	f.n++
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(now().Add(time.Duration(f.n) * time.Minute)))
			return
		}
		for _, field := range v.Fields() {
			f.fill(field)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		f.fill(v.Index(0))
		f.fill(v.Index(1))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 2 {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			f.fill(key)
			f.fill(value)
			v.SetMapIndex(key, value)
		}
	case reflect.String:
		v.SetString(attacks[f.n%len(attacks)] + f.text + mark)
	case reflect.Float64:
		v.SetFloat([]float64{0.5, 0, -1, 1e300, math.SmallestNonzeroFloat64}[f.n%5])
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(f.n))
	case reflect.Uint64:
		v.SetUint(uint64(f.n))
	case reflect.Bool:
		v.SetBool(true)
	default:
		panic("no worst value for " + v.Type().String())
	}
}
