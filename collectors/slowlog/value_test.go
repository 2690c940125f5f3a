package slowlog

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors/snapshot"
)

func TestTimesAreReadAsServersWriteThem(t *testing.T) {
	for text, want := range map[string]string{
		"2026-11-20T13:03:31.439949Z":      "2026-11-20T13:03:31.439949Z",
		"2026-11-20T13:03:31.439949+01:00": "2026-11-20T12:03:31.439949Z",
		"2026-02-28T23:30:00.000000-05:30": "2026-03-01T05:00:00Z",
		"2024-02-29T00:00:00Z":             "2024-02-29T00:00:00Z",
		"261120 13:03:28":                  "2026-11-20T13:03:28Z",
		"071218  1:48:27":                  "2007-12-18T01:48:27Z",
		"071218 11:48:27.123456":           "2007-12-18T11:48:27.123456Z",
		"":                                 "",
		"yesterday":                        "",
		"2026-13-20T13:03:31Z":             "",
		"2026-11-20T13:03:31+1:00":         "",
		"261120 25:03:28":                  "",
		"-61120 13:03:28":                  "",
	} {
		n, _, ok := parseTime([]byte(text))
		got := ""
		if ok {
			got = time.UnixMicro(n).UTC().Format(time.RFC3339Nano)
		}
		if got != want {
			t.Errorf("%q is read as %q, want %q", text, got, want)
		}
	}
}

func TestTimesThatNoFormatCanHoldAreUnknown(t *testing.T) {
	_, untimed, _ := strings.Cut(plainHeader, "\n")
	for stamp, want := range map[string]string{
		"253402300799.999999": "9999-12-31T23:59:59.999999Z",
		"253402300800.000000": "0001-01-01T00:00:00Z",
		"9223372036854.77":    "0001-01-01T00:00:00Z",
	} {
		a := digestText(t, strings.Replace(untimed, "1767225600", stamp, 1)+"SELECT 1;\n", Options{Samples: Samples{Bytes: 10}})
		c := a.Classes()[0]
		for _, at := range []time.Time{a.LastSeen(), c.LastSeen(), c.Slowest.Time()} {
			if got := at.Format(time.RFC3339Nano); got != want {
				t.Errorf("%s is %s, want %s", stamp, got, want)
			}
		}
	}
}

func TestDurationsAreReadToTheMicrosecond(t *testing.T) {
	for text, want := range map[string]uint64{
		"0.000001": 1, "10": 10_000_000, "1.5": 1_500_000, "0.1234567": 123_456, "86400.000000": 86_400_000_000,
	} {
		if got, ok := parseMicros([]byte(text)); got != want || !ok {
			t.Errorf("%q is read as %d, %v, want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"", ".", "-1", "1.2.3", "1e3", "18446744073709.550781", "99999999999999999999999999"} {
		if got, ok := parseMicros([]byte(text)); ok {
			t.Errorf("%q is read as %d", text, got)
		}
	}
}

// TestShortNumbersAreReadAsAllAre reads numbers in both ways.
func TestShortNumbersAreReadAsAllAre(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	var numbers, decimals int
	for range 100_000 {
		text := make([]byte, 24)
		for i := range text {
			text[i] = "00123456789... x\xff"[random.IntN(17)]
		}
		if n, end := shortNumber(text, 3); end > 0 {
			numbers++
			if want, ok := parseUint(text[3:end]); n != want || !ok || '0' <= text[end] && text[end] <= '9' {
				t.Fatalf("%q is read as %d of %d digits", text[3:], n, end-3)
			}
		}
		if n, end := shortDecimal(text, 3); end > 0 {
			decimals++
			if want, ok := parseMicros(text[3:end]); n != want || !ok || '0' <= text[end] && text[end] <= '9' {
				t.Fatalf("%q is read as %d µs of %d digits", text[3:], n, end-3)
			}
		}
	}
	if numbers < 1000 || decimals < 1000 {
		t.Errorf("%d numbers and %d decimals are short", numbers, decimals)
	}
}

func TestTimesOfTheSameMinuteAreReadAsOthers(t *testing.T) {
	h := header{clock: &clock{}}
	for _, text := range []string{
		"2026-11-20T13:03:31.439949Z", "2026-11-20T13:03:59.000000Z", "2026-11-20T13:04:00.999999Z", "2026-11-20T13:04:60.000001Z",
		"2026-11-20T13:04:01.000000+01:00", "2026-11-20T13:04:02.000000Z", "2026-11-20T13:04:03.00000xZ", "2026-11-20T13:04:03Z",
		"2026-11-20T23:59:60.000000Z", "2026-11-20T23:59:59.000000Z", "1969-12-31T23:59:58.500000Z", "1969-12-31T23:59:59.500000Z",
	} {
		want, _, _ := parseTime([]byte(text))
		var e Entry
		line := []byte(timeLine + text + "\n")
		if n := h.time(line, &e); n != len(line) || e.Micros != want {
			t.Errorf("%q is read as %d of %d bytes, want %d", text, e.Micros, n, want)
		}
	}
}

// TestCountersThatWereSetBackAreUnknown reads a header as MySQL 9.7 writes it of FLUSH STATUS, and when mysqli
// takes up a persistent connection.
func TestCountersThatWereSetBackAreUnknown(t *testing.T) {
	const log = "# Time: 2026-11-20T16:20:05.692792Z\n" +
		"# User@Host: root[root] @ localhost []  Id:    51\n" +
		"# Query_time: 0.001140  Lock_time: 0.000000 Rows_sent: 0  Rows_examined: 0 Thread_id: 51 Errno: 0 Killed: 0 " +
		"Bytes_received: 18446744073709551381 Bytes_sent: 18446744073709551115 Read_first: 18446744073709551615 Read_last: 0 " +
		"Read_key: 18446744073709551615 Read_next: 0 Read_prev: 0 Read_rnd: 0 Read_rnd_next: 18446744073709551609 " +
		"Sort_merge_passes: 0 Sort_range_count: 0 Sort_rows: 0 Sort_scan_count: 18446744073709551614 Created_tmp_disk_tables: 18446744073709551615 " +
		"Created_tmp_tables: 18446744073709551613 Count_hit_tmp_table_size: 0  Start: 2026-11-20T16:20:05.691652Z End: 2026-11-20T16:20:05.692792Z\n" +
		"SET timestamp=1795191605;\nFLUSH STATUS;\n"
	e, err := NewReader(strings.NewReader(log), Options{}).Next()
	if err != nil {
		t.Fatal(err)
	}
	for _, which := range []Figure{BytesSent, FullScan, TmpTables, TmpDiskTables} {
		if n, known := e.Get(which); known {
			t.Errorf("figure %d is read as %d", which, n)
		}
	}
	if n, known := e.Get(RowsSent); n != 0 || !known {
		t.Errorf("Rows_sent = %d, %v, want 0", n, known)
	}
}

func TestAccountsAreReadWithAllTheirCharacters(t *testing.T) {
	for line, want := range map[string][2]string{
		"# User@Host: root[root] @ localhost []  Id:    10":            {"root", "localhost"},
		"# User@Host: shop[shop] @ web1 [10.0.0.7]":                    {"shop", "web1"},
		"# User@Host: shop[shop] @  [10.0.0.7]  Id: 1":                 {"shop", "10.0.0.7"},
		"# User@Host: [SQL_SLAVE] @  []":                               {"SQL_SLAVE", ""},
		"# User@Host: proxied[real] @ web1 []":                         {"real", "web1"},
		"# User@Host: a[b]@ x[a[b]@ x] @ localhost [127.0.0.1]  Id: 3": {"a[b]@ x", "localhost"},
		"# User@Host: a @ b[a @ b] @ web1 [fe80::1]":                   {"a @ b", "web1"},
		"# User@Host: a[a] @ b[a[a] @ b] @ web1 []":                    {"a[a] @ b", "web1"},
		"# User@Host: [] @  []":                                        {"", ""},
		"# User@Host: ":                                                {"", ""},
	} {
		var e Entry
		e.account([]byte(line + "\n"))
		if got := [2]string{string(e.User), string(e.Host)}; got != want {
			t.Errorf("%s\nis read as %q, want %q", line, got, want)
		}
	}
}

func TestPlansAreReadAndRedacted(t *testing.T) {
	plan := ParsePlan([]byte("# explain: id\tselect_type\ttable\ttype\tpossible_keys\tkey\tkey_len\tref\trows\tr_rows\tfiltered\tr_filtered\tExtra\r\n" +
		"# explain: 1\tPRIMARY\ti\tref\tkind,name\tkind\t5\tshop.s.kind\t12\t11.50\t100.00\t25.00\tUsing where; x = 'secret'\n" +
		"# explain: NULL\tUNION RESULT\t<union1,2>\tALL\tNULL\tNULL\tNULL\tNULL\tNULL\tNULL\tNULL\tNULL\t\n" +
		"# explain: broken\n"))
	n := func(f float64) *float64 { return &f }
	one := uint64(1)
	want := []snapshot.PlanTable{
		{
			Select: &one, SelectType: "PRIMARY", Table: "i", Access: "ref", PossibleKeys: []string{"kind", "name"}, Key: "kind", KeyLength: "5",
			Ref: "shop.s.kind", Rows: n(12), RowsRead: n(11.5), FilteredRatio: n(1), ReadFilteredRatio: n(0.25), Extra: "Using where; x = ?",
		},
		{SelectType: "UNION RESULT", Table: "<union1,2>", Access: "ALL"},
	}
	if diff := cmp.Diff(want, plan); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOriginOfTheSlowestIsKept(t *testing.T) {
	c := digestText(t, plainHeader+"SELECT 1 /*controller='cart',action='add'*/;\n", Options{}).Classes()[0]
	if c.Slowest.Origin.Controller != "cart" || c.Slowest.SQL != "" {
		t.Errorf("slowest %+v", c.Slowest)
	}
}
