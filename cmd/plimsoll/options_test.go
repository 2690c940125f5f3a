package main

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
)

func TestOptionFilesAreReadAsTheClientDoes(t *testing.T) {
	me := currentUser()
	for name, c := range map[string]struct {
		file                    string
		user, password, network string
		address                 string
	}{
		"the usual":              {"[client]\nuser=ada\npassword=pw\n", "ada", "pw", "unix", "/run/mysqld/mysqld.sock"},
		"spaces and quotes":      {"[client]\n user = ada \n password = \"p w # x\" \n", "ada", "p w # x", "unix", "/run/mysqld/mysqld.sock"},
		"single quotes":          {"[client]\nuser=ada\npassword='a\"b'\n", "ada", `a"b`, "unix", "/run/mysqld/mysqld.sock"},
		"comments":               {"# x\n; y\n[client]\nuser=ada # the owner\npassword=pw\n", "ada", "pw", "unix", "/run/mysqld/mysqld.sock"},
		"a password like a DSN":  {"[client]\nuser=ada\npassword=a@tcp(b)/c:d?e\n", "ada", "a@tcp(b)/c:d?e", "unix", "/run/mysqld/mysqld.sock"},
		"escapes":                {"[client]\nuser=ada\npassword=a\\sb\\\\c\n", "ada", `a b\c`, "unix", "/run/mysqld/mysqld.sock"},
		"a socket":               {"[client]\nuser=ada\nsocket=/tmp/m.sock\n", "ada", "", "unix", "/tmp/m.sock"},
		"a host":                 {"[client]\nuser=ada\nhost=db1\nport=3307\n", "ada", "", "tcp", "db1:3307"},
		"an IPv6 host":           {"[client]\nuser=ada\nhost=2001:db8::1\n", "ada", "", "tcp", "[2001:db8::1]:3306"},
		"localhost is a socket":  {"[client]\nuser=ada\nhost=localhost\nport=3307\n", "ada", "", "unix", "/run/mysqld/mysqld.sock"},
		"localhost by TCP":       {"[client]\nuser=ada\nhost=localhost\nport=3307\nprotocol=TCP\n", "ada", "", "tcp", "127.0.0.1:3307"},
		"no user":                {"[client]\npassword=pw\n", me, "pw", "unix", "/run/mysqld/mysqld.sock"},
		"the last one counts":    {"[client]\nuser=ada\n[mysqld]\nuser=mysql\n[mysql]\nuser=bob\n", "bob", "", "unix", "/run/mysqld/mysqld.sock"},
		"MariaDB's own section":  {"[client-mariadb]\nuser=ada\n", "ada", "", "unix", "/run/mysqld/mysqld.sock"},
		"Windows' ends of lines": {"[client]\r\nuser=ada\r\npassword=pw\r\n", "ada", "pw", "unix", "/run/mysqld/mysqld.sock"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "my.cnf")
			write(t, path, c.file)
			dsn, err := readOptions(path)
			if err != nil {
				t.Fatal(err)
			}
			got, err := mysql.ParseDSN(dsn)
			if err != nil {
				t.Fatal(err)
			}
			if got.User != c.user || got.Passwd != c.password || got.Net != c.network || got.Addr != c.address {
				t.Errorf("login as %s with %q by %s to %s, want %+v", got.User, got.Passwd, got.Net, got.Addr, c)
			}
		})
	}
}

func TestAnOptionFileWithoutALoginIsNone(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	for _, text := range []string{"", "[mysql]\nprompt=shop>\n", "[mysqld]\nuser=mysql\n", "[client]\nssl-mode=REQUIRED\n"} {
		path := filepath.Join(home, ".my.cnf")
		write(t, path, text)
		if dsn, how, err := (&login{}).resolve(); dsn != "" || err != nil || !strings.HasPrefix(how, "the server's socket") {
			t.Errorf("%q: login by %s (%v), want the socket", text, how, err)
		}
		if _, _, err := (&login{defaultsFile: path}).resolve(); err == nil {
			t.Errorf("%q: a file that was named and says nothing is no error", text)
		}
	}
}

func TestAFaultOfAnOptionFileDoesNotQuoteIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "my.cnf")
	write(t, path, "[client]\npassword="+strings.Repeat("s3cret", 20_000)+"\n")
	_, err := readOptions(path)
	if err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("error = %.200v, want one without the password", err)
	}
	if _, err := readOptions(filepath.Join(t.TempDir(), "nowhere")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error = %v, want that it does not exist", err)
	}
}

func FuzzParseOptions(f *testing.F) {
	f.Add("[client]\nuser=ada\npassword=\"pw\"\n")
	f.Add("[client\nuser='\n=\n[]\n")
	f.Fuzz(func(t *testing.T, text string) {
		options, err := parseOptions(strings.NewReader(text))
		if err != nil {
			return
		}
		_ = optionsDSN(options)
	})
}
