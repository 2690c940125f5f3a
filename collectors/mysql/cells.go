package mysql

import (
	"fmt"
	"strconv"
	"time"
)

// The types below read cells of large results without allocating: the driver's
// buffer is looked at, not kept.

// text is a column of characters. Its bytes are valid until the next row.
type text struct {
	bytes []byte
	null  bool
}

// Scan implements sql.Scanner.
func (t *text) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		t.bytes, t.null = nil, true
	case []byte:
		t.bytes, t.null = v, false
	default:
		return fmt.Errorf("want text, got %T", src)
	}
	return nil
}

// count is an unsigned number. NULL is 0: it is used for columns that have none.
type count uint64

// Scan implements sql.Scanner.
func (c *count) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*c = 0
	case uint64:
		*c = count(v)
	case int64:
		*c = count(max(v, 0))
	case []byte:
		n, err := strconv.ParseUint(string(v), 10, 64)
		if err != nil {
			return err
		}
		*c = count(n)
	default:
		return fmt.Errorf("want a number, got %T", src)
	}
	return nil
}

// moment is a TIMESTAMP in UTC, in microseconds since 1970; 0 for NULL and for
// the zero date.
type moment struct{ micros int64 }

// Scan implements sql.Scanner.
func (m *moment) Scan(src any) error {
	v, ok := src.([]byte)
	if src != nil && !ok {
		return fmt.Errorf("want a time, got %T", src)
	}
	micros, ok := parseMoment(v)
	if !ok {
		return fmt.Errorf("want a time, got %q", v)
	}
	m.micros = micros
	return nil
}

func (m moment) time() time.Time { return unixMicros(m.micros) }

func unixMicros(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// parseMoment reads YYYY-MM-DD hh:mm:ss with up to six digits of a second.
func parseMoment(s []byte) (micros int64, ok bool) {
	if len(s) == 0 {
		return 0, true
	}
	if len(s) < 19 || s[4] != '-' || s[7] != '-' || s[10] != ' ' || s[13] != ':' || s[16] != ':' {
		return 0, false
	}
	year, month, day := digits(s[0:4]), digits(s[5:7]), digits(s[8:10])
	hour, minute, second := digits(s[11:13]), digits(s[14:16]), digits(s[17:19])
	fraction := 0
	if len(s) > 20 && s[19] == '.' {
		fraction = digits(s[20:min(len(s), 26)])
		for range 26 - min(len(s), 26) {
			fraction *= 10
		}
	}
	if min(year, month, day, hour, minute, second, fraction) < 0 {
		return 0, false
	}
	if year == 0 {
		return 0, true
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, fraction*1000, time.UTC).UnixMicro(), true
}

// digits reads a number of digits only; -1 if there is anything else.
func digits(s []byte) int {
	n := 0
	for _, c := range s {
		if c < '0' || c > '9' {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}
