package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// clientSections are the sections of an option file that both families' clients
// read, and that theirs alone reads.
func clientSections() []string {
	return []string{"client", "client-server", "client-mariadb", "mysql", "mariadb", "mariadb-client"}
}

// readOptions makes a DSN of an option file of the mysql client; an empty one if
// the file says nothing of how to log in. Errors never quote the file: it holds
// a password.
func readOptions(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read option file: %w", err)
	}
	defer f.Close()
	options, err := parseOptions(f)
	if err != nil {
		return "", fmt.Errorf("read option file %s: %w", path, err)
	}
	for _, name := range []string{"user", "password", "host", "socket", "port"} {
		if options[name] != "" {
			return optionsDSN(options), nil
		}
	}
	return "", nil
}

// parseOptions reads the options of a client by name. Of several of one name the
// last counts, as with the client; !include is not followed.
func parseOptions(from io.Reader) (map[string]string, error) {
	options, ours := map[string]string{}, false
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		switch {
		case line == "" || strings.ContainsAny(line[:1], "#;!"):
		case line[0] == '[':
			name, _, _ := strings.Cut(line[1:], "]")
			ours = slices.Contains(clientSections(), strings.TrimSpace(name))
		case ours:
			key, value, _ := strings.Cut(line, "=")
			options[strings.ReplaceAll(strings.TrimSpace(key), "_", "-")] = optionValue(strings.TrimSpace(value))
		}
	}
	return options, lines.Err()
}

// optionValue takes off quotes or else a comment, and then resolves the escapes
// that option files know.
// https://dev.mysql.com/doc/refman/en/option-files.html
func optionValue(text string) string {
	if strings.HasPrefix(text, `"`) || strings.HasPrefix(text, "'") {
		if end := strings.LastIndexByte(text, text[0]); end > 0 {
			text = text[1:end]
		}
	} else {
		text, _, _ = strings.Cut(text, " #")
		text = strings.TrimSpace(text)
	}
	return strings.NewReplacer(`\\`, `\`, `\s`, " ", `\t`, "\t", `\n`, "\n", `\r`, "\r", `\b`, "\b", `\"`, `"`, `\'`, "'").Replace(text)
}

// optionsDSN follows the mysql client: the socket, unless a host or the protocol
// says otherwise.
func optionsDSN(options map[string]string) string {
	c := mysql.NewConfig()
	c.User, c.Passwd = options["user"], options["password"]
	if c.User == "" {
		c.User = currentUser()
	}
	host, port, socket := options["host"], options["port"], options["socket"]
	if port == "" {
		port = "3306"
	}
	local := host == "" || host == "localhost"
	switch {
	case local && strings.EqualFold(options["protocol"], "tcp"):
		c.Net, c.Addr = "tcp", net.JoinHostPort("127.0.0.1", port)
	case !local:
		c.Net, c.Addr = "tcp", net.JoinHostPort(host, port)
	case socket != "":
		c.Net, c.Addr = "unix", socket
	default:
		c.Net, c.Addr = "unix", "/run/mysqld/mysqld.sock"
	}
	return c.FormatDSN()
}
