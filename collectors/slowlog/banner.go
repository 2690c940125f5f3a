package slowlog

import "bytes"

// A server writes a banner when it opens the log: at its start, and at FLUSH SLOW LOGS.
//
//	/usr/sbin/mysqld, Version: 8.0.36 (MySQL Community Server - GPL). started with:
//	Tcp port: 3306  Unix socket: /var/run/mysqld/mysqld.sock
//	Time                 Id Command    Argument

// maxBannerLine bounds a line of a banner, in bytes.
const maxBannerLine = 4096

// bannerLine returns the length of the line at the beginning of b if it is one of a banner, or empty.
func bannerLine(b []byte, how ending) (int, state) {
	end := bytes.IndexByte(b[:min(len(b), maxBannerLine)], '\n')
	if end < 0 {
		if how != ended && len(b) < maxBannerLine {
			return 0, partial
		}
		end = min(len(b), maxBannerLine) - 1
	}
	if !isBanner(b[:end+1]) {
		return 0, absent
	}
	return end + 1, whole
}

func isBanner(line []byte) bool {
	line = bytes.TrimRight(line, "\r\n")
	switch {
	case len(line) == 0:
		return true
	case bytes.HasSuffix(line, []byte("started with:")):
		return bytes.Contains(line, []byte(", Version: "))
	case bytes.HasPrefix(line, []byte("Tcp port: ")), bytes.HasPrefix(line, []byte("TCP Port: ")):
		return true
	default:
		return bytes.HasPrefix(line, []byte("Time")) && bytes.HasSuffix(line, []byte("Argument"))
	}
}

// trimBanners cuts whole banners off the end of b. Where a server died within a line, the first banner
// begins in it: torn says so, and the line is cut off too.
func trimBanners(b []byte) (rest []byte, torn bool) {
	for hasBannerEnd(b) {
		rest := b
		for _, part := range []string{"Argument", "", "started with:"} {
			text := bytes.TrimRight(rest, "\r\n")
			begin := bytes.LastIndexByte(text, '\n') + 1
			if !bytes.HasSuffix(text, []byte(part)) || !isBanner(text[begin:]) {
				return b, torn
			}
			rest = rest[:begin]
		}
		torn = !isProgram(b[len(rest):])
		b = rest
	}
	return b, torn
}

// isProgram reports whether b begins as the path of a server: /usr/sbin/mysqld, C:\Program Files\….
func isProgram(b []byte) bool {
	return b[0] == '/' || len(b) > 1 && b[1] == ':' || bytes.HasPrefix(b, []byte("m"))
}

// hasBannerEnd spares most statements a search for their last line.
func hasBannerEnd(b []byte) bool {
	return bytes.HasSuffix(b, []byte("Argument\n")) || bytes.HasSuffix(b, []byte("Argument\r\n"))
}
