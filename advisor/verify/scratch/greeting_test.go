package scratch

import (
	"bytes"
	"strings"
	"testing"
)

// The beginnings of greetings recorded from the sockets of servers out of
// Debian's packages, with the lengths shortened to match.
const (
	mariaDB1011 = "\x24\x00\x00\x00\x0a5.5.5-10.11.18-MariaDB-0+deb12u1\x00\x04\x00"
	mariaDB118  = "\x28\x00\x00\x00\x0a11.8.6-MariaDB-0+deb13u1 from Debian\x00\x04\x00"
	mySQL97     = "\x0b\x00\x00\x00\x0a9.7.4-2\x00\x0a\x00"
)

func TestGreetingCarriesTheVersion(t *testing.T) {
	for packet, want := range map[string]string{
		mariaDB1011: "10.11.18-MariaDB-0+deb12u1",
		mariaDB118:  "11.8.6-MariaDB-0+deb13u1 from Debian",
		mySQL97:     "9.7.4-2",
	} {
		if got, err := readGreeting(strings.NewReader(packet)); err != nil || got != want {
			t.Errorf("readGreeting = %q, %v, want %q", got, err, want)
		}
	}
}

func TestWhatIsNoGreetingIsRefused(t *testing.T) {
	tests := map[string]struct{ packet, want string }{
		"nothing":       {"", "EOF"},
		"cut":           {"\x1e\x00\x00\x00\x0a10", "unexpected EOF"},
		"empty":         {"\x00\x00\x00\x00", "refuses connections"},
		"error packet":  {"\x0b\x00\x00\x00\xff\x10\x04Too many", "Too many"},
		"other service": {"HTTP/1.1 400 Bad Request", "none of a MySQL server"},
		"no version":    {"\x04\x00\x00\x00\x0a123", "without a version"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := readGreeting(strings.NewReader(test.packet))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("readGreeting = %q, %v, want an error with %q", got, err, test.want)
			}
		})
	}
}

func FuzzGreeting(f *testing.F) {
	for _, packet := range []string{mariaDB1011, mariaDB118, mySQL97, "\xff\xff\xff\x00\x0a"} {
		f.Add([]byte(packet))
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		version, err := readGreeting(bytes.NewReader(packet))
		if err != nil && version != "" {
			t.Errorf("readGreeting = %q with %v, want one of them", version, err)
		}
	})
}
