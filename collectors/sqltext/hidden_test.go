package sqltext_test

import (
	"testing"

	"plimsoll/collectors/sqltext"
)

// hiddenPasswords are statements as MySQL 9.7 writes them into its slow log, and as they were sent.
var hiddenPasswords = []struct{ logged, sent string }{
	{"CREATE USER 'u'@'localhost' IDENTIFIED BY <secret>", "CREATE USER 'u'@'localhost' IDENTIFIED BY 'x'"},
	{"CREATE USER 'c'@'b' IDENTIFIED BY <secret> PASSWORD EXPIRE NEVER", "CREATE USER 'c'@'b' IDENTIFIED BY 'x' PASSWORD EXPIRE NEVER"},
	{"CREATE USER 'e'@'b' IDENTIFIED BY <secret>,'f'@'b' IDENTIFIED BY <secret> ACCOUNT LOCK", "CREATE USER 'e'@'b' IDENTIFIED BY 'x', 'f'@'b' IDENTIFIED BY 'y' ACCOUNT LOCK"},
	{"CREATE USER 'g'@'b' IDENTIFIED WITH 'caching_sha2_password' BY <secret>", "CREATE USER 'g'@'b' IDENTIFIED WITH 'caching_sha2_password' BY 'x'"},
	{"ALTER USER 'a'@'b' IDENTIFIED BY <secret> RETAIN CURRENT PASSWORD", "ALTER USER 'a'@'b' IDENTIFIED BY 'x' RETAIN CURRENT PASSWORD"},
	{"ALTER USER 'root'@'localhost' IDENTIFIED BY <secret> REPLACE <secret>", "ALTER USER 'root'@'localhost' IDENTIFIED BY 'x' REPLACE ''"},
	{"SET PASSWORD FOR `a`@`b`=<secret>", "SET PASSWORD FOR `a`@`b` = 'x'"},
	{"CHANGE REPLICATION SOURCE TO SOURCE_HOST = 'h', SOURCE_USER = 'u', SOURCE_PASSWORD = <secret>", "CHANGE REPLICATION SOURCE TO SOURCE_HOST='h', SOURCE_USER='u', SOURCE_PASSWORD='x'"},
	{"START REPLICA USER = 'u' PASSWORD = <secret>", "START REPLICA USER='u' PASSWORD='x'"},
}

func TestAPasswordThatMySQLHidesIsAValue(t *testing.T) {
	for _, c := range hiddenPasswords {
		got, want := sqltext.Parse(c.logged), sqltext.Parse(c.sent)
		if got.Fingerprint != want.Fingerprint || got.Text != want.Text || got.Truncated {
			t.Errorf("%s is %s, %s (truncated %v), want %s, %s", c.logged, got.Fingerprint, got.Text, got.Truncated, want.Fingerprint, want.Text)
		}
	}
}

// Where a statement can go on with a comparison, <secret> is two of them with a column.
func TestAColumnThatIsComparedTwiceIsNoPassword(t *testing.T) {
	for sql, want := range map[string]string{
		"SELECT a <secret> b FROM t":                "SELECT a < secret > b FROM t",
		"SELECT password <secret> 1 FROM t":         "SELECT password < secret > ? FROM t",
		"SELECT a FROM t WHERE f(x) <secret> 0":     "SELECT a FROM t WHERE f(x) < secret > ?",
		"SELECT a FROM t WHERE `by` <secret> 0":     "SELECT a FROM t WHERE `by` < secret > ?",
		"SELECT a FROM t WHERE t.replace <secret>0": "SELECT a FROM t WHERE t.replace < secret > ?",
		"SELECT a FROM t WHERE ? <secret> 0":        "SELECT a FROM t WHERE ? < secret > ?",
	} {
		if got := sqltext.Redact(sql); got != want {
			t.Errorf("Redact(%s) = %s, want %s", sql, got, want)
		}
	}
}
