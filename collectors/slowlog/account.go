package slowlog

import "bytes"

// account reads a line such as
//
//	# User@Host: shop[shop] @ web1 [10.0.0.7]  Id:    10
//
// and returns its length. The first name is the account's, the second the user's who logged in.
// Replication has the second only.
func (e *Entry) account(b []byte) int {
	if n := e.plainAccount(b[len(accountLine):]); n > 0 {
		return len(accountLine) + n
	}
	line, rest := cutLine(b)
	e.anyAccount(line[len(accountLine):])
	return len(b) - len(rest)
}

// plainAccount is account for a name that is twice the same. No @ may be in it or behind, so that what is
// found is what anyAccount finds. It returns 0 for others.
func (e *Entry) plainAccount(b []byte) int {
	n := until(b, '[')
	host := 2*n + len("[] @ ")
	if n < 0 || len(b) < host || string(b[:n]) != string(b[n+1:2*n+1]) || string(b[2*n+1:host]) != "] @ " {
		return 0
	}
	bracket := host + until(b[host:], '[')
	if bracket < host {
		return 0
	}
	end := bracket + until(b[bracket:], ']')
	if end < bracket {
		return 0
	}
	thread, length := plainThread(b, end+1)
	if length == 0 {
		return 0
	}
	e.User, e.Host = b[:n], hostOf(b[host:bracket], b[bracket+1:end])
	if thread > 0 {
		e.Thread = thread
	}
	return length
}

// until returns where c is in b; -1 if an @ or the end of the line stands before it.
func until(b []byte, c byte) int {
	for i, have := range b {
		if have == c {
			return i
		}
		if have == '@' || have == '\n' {
			break
		}
	}
	return -1
}

// plainThread reads the end of a line at pos, with or without an id, and returns where the next line begins;
// 0 if something else is there.
func plainThread(b []byte, pos int) (id uint64, next int) {
	if bytes.HasPrefix(b[pos:], []byte("  Id: ")) {
		pos += len("  Id: ")
		for pos < len(b) && b[pos] == ' ' {
			pos++
		}
		id, pos = shortNumber(b, pos)
	}
	if pos == 0 || pos >= len(b) || b[pos] != '\n' {
		return 0, 0
	}
	return id, pos + 1
}

// anyAccount is account for names with all characters.
func (e *Entry) anyAccount(line []byte) {
	at := bytes.LastIndexByte(line, '@') // which cannot be in the name of a host
	if at < 1 || at+1 >= len(line) {
		return
	}
	e.User = userOf(line[:at-1])
	host, address, _ := bytes.Cut(line[at+2:], []byte("["))
	address, id, _ := bytes.Cut(address, []byte("]"))
	e.Host = hostOf(host, address)
	if _, n, ok := bytes.Cut(id, []byte(":")); ok {
		e.Thread, _ = parseUint(skipBlanks(n))
	}
}

// userOf returns the user of a text such as shop[shop]. Names can hold brackets themselves, and are
// mostly twice the same.
func userOf(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte("]"))
	if n := len(b) / 2; len(b)%2 == 1 && b[n] == '[' && bytes.Equal(b[:n], b[n+1:]) {
		return b[:n]
	}
	_, user, ok := bytes.Cut(b, []byte("["))
	if !ok {
		return b
	}
	return user
}

// hostOf returns the name of a host, or its address where the server does not look up names.
func hostOf(name, address []byte) []byte {
	for len(name) > 0 && name[len(name)-1] == ' ' {
		name = name[:len(name)-1]
	}
	if len(name) > 0 {
		return name
	}
	return address
}
