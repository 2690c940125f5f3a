package slowlog

// clock reads lines "# Time: 2026-11-20T13:03:31.439949Z". Most are of the same minute as the one before.
type clock struct {
	minute [len("2026-11-20T13:03:")]byte
	micros int64 // since 1970, at its beginning
}

// read reads a line of the minute that is remembered, and returns its length; 0 for others.
func (c *clock) read(b []byte) (micros int64, length int) {
	const (
		minute  = len("# Time: ")
		second  = minute + len(c.minute)
		decimal = second + len("31.")
		end     = decimal + len("439949Z\n")
	)
	if len(b) < end || string(b[minute:second]) != string(c.minute[:]) {
		return 0, 0
	}
	decimals, n := leadingDigits(eight(b, decimal))
	tens, ones := b[second]-'0', b[second+1]-'0'
	if n != 6 || tens > 5 || ones > 9 || b[decimal-1] != '.' || b[end-2] != 'Z' || b[end-1] != '\n' {
		return 0, 0
	}
	return c.micros + int64(tens*10+ones)*1_000_000 + int64(eightDigits(decimals<<16)), end
}

// remember keeps the minute of a time that was read, if it is in UTC.
func (c *clock) remember(time []byte, micros int64) {
	const minute = 60 * 1_000_000
	if time[len(time)-1] != 'Z' || time[len(c.minute)] == '6' || micros < 0 {
		return // A leap second is in the next minute, as it is counted here.
	}
	copy(c.minute[:], time)
	c.micros = micros - micros%minute
}
