package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	gomysql "github.com/go-sql-driver/mysql"

	"plimsoll/collectors"
	"plimsoll/collectors/snapshot"
)

// errSilent is a server that takes the connection, or not even that, and says
// nothing.
var errSilent = errors.New("no answer in time")

// lost marks the error of a connection that broke under a statement.
func lost(err error) error {
	var refused *gomysql.MySQLError
	shutdown := errors.As(err, &refused) && refused.Number == 1053 // ER_SERVER_SHUTDOWN
	if shutdown || errors.Is(err, gomysql.ErrInvalidConn) || errors.Is(err, driver.ErrBadConn) {
		return &collectors.SourceError{Err: err}
	}
	return err
}

// featureOf names the state that a server's refusal stands for. It is empty
// for nil and for errors that say nothing about the server's abilities, such as
// a deadline: those fail the round.
func featureOf(err error) snapshot.Feature {
	var refused *gomysql.MySQLError
	if !errors.As(err, &refused) {
		return ""
	}
	switch refused.Number {
	case 1044, // ER_DBACCESS_DENIED_ERROR
		1045, // ER_ACCESS_DENIED_ERROR: EXPLAIN FOR CONNECTION
		1142, // ER_TABLEACCESS_DENIED_ERROR
		1143, // ER_COLUMNACCESS_DENIED_ERROR
		1227, // ER_SPECIFIC_ACCESS_DENIED_ERROR
		1370: // ER_PROCACCESS_DENIED_ERROR
		return snapshot.FeatureNoPrivilege
	case 1049, // ER_BAD_DB_ERROR: no sys or performance_schema
		1054, // ER_BAD_FIELD_ERROR
		1064, // ER_PARSE_ERROR: a statement of another family
		1109, // ER_UNKNOWN_TABLE: absent from information_schema
		1146, // ER_NO_SUCH_TABLE
		1193, // ER_UNKNOWN_SYSTEM_VARIABLE
		1235, // ER_NOT_SUPPORTED_YET
		1286, // ER_UNKNOWN_STORAGE_ENGINE
		1289: // ER_FEATURE_DISABLED
		return snapshot.FeatureUnsupported
	case 1290, // ER_OPTION_PREVENTS_STATEMENT
		1381: // ER_NO_BINARY_LOGGING
		return snapshot.FeatureOff
	}
	return ""
}

// need is what a fact takes to be read, in words for an operator.
type need struct {
	// fact is what is lacking without it: "statement digests".
	fact string
	// mysql and mariadb are the privileges as GRANT spells them, with their
	// level: "PROCESS ON *.*".
	mysql, mariadb string
}

// gap turns the server's refusal into a Gap of job. It reports false for errors
// that are no refusal: those fail the round.
func (q *session) gap(job string, n need, err error) (snapshot.Gap, bool) {
	gap := snapshot.Gap{Job: job, Subject: q.server.cfg.Name}
	switch featureOf(err) {
	case snapshot.FeatureNoPrivilege:
		gap.Reason = fmt.Sprintf("the account may not read %s", n.fact)
		gap.Remedy = q.grant(n)
	case snapshot.FeatureUnsupported:
		gap.Reason = fmt.Sprintf("this server (%s) does not have %s", q.identity.Version, n.fact)
	case snapshot.FeatureOff:
		gap.Reason = fmt.Sprintf("this server has %s switched off", n.fact)
	default:
		return snapshot.Gap{}, false
	}
	return gap, true
}

// grant is the statement that gives the account what n needs.
func (q *session) grant(n need) string {
	privilege := n.mysql
	if q.identity.Family == snapshot.MariaDB {
		privilege = n.mariadb
	}
	if privilege == "" {
		return ""
	}
	return fmt.Sprintf("GRANT %s TO %s; -- docs/privileges.md", privilege, quoteAccount(q.account))
}

// quoteAccount writes the answer of CURRENT_USER(), such as plimsoll@localhost,
// as GRANT wants it.
func quoteAccount(account string) string {
	user, host := account, "%"
	if at := strings.LastIndexByte(account, '@'); at >= 0 {
		user, host = account[:at], account[at+1:]
	}
	return quoteString(user) + "@" + quoteString(host)
}

// quoteString writes s as a string literal, whatever the sql_mode of the
// session that it is pasted into.
func quoteString(s string) string {
	return "'" + strings.NewReplacer("'", "''", `\`, `\\`).Replace(s) + "'"
}

// connectError says what to do about a connection that could not be opened.
func (s *Server) connectError(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		known := s.link.lastFailure()
		if known == nil {
			return fmt.Errorf("wait for the connection to %s, which another job holds: %w", s.link.address, err)
		}
		err = known // It waited in vain for another job's try.
	}
	err = fmt.Errorf("connect to %s: %w", s.link.address, err)
	var refused *gomysql.MySQLError
	if !errors.As(err, &refused) {
		return err
	}
	switch refused.Number {
	case 1045, 1698: // ER_ACCESS_DENIED_ERROR, ER_ACCESS_DENIED_NO_PASSWORD_ERROR
		return fmt.Errorf("%w; create the account with packaging/grants.sql, or repair its password in the DSN (docs/privileges.md)", err)
	case 1130: // ER_HOST_NOT_PRIVILEGED
		return fmt.Errorf("%w; no account of the server admits this host: see docs/privileges.md", err)
	case 1129: // ER_HOST_IS_BLOCKED
		return fmt.Errorf("%w; run mariadb-admin flush-hosts or TRUNCATE performance_schema.host_cache", err)
	case 1040, 1203, 1226: // ER_CON_COUNT_ERROR, ER_TOO_MANY_USER_CONNECTIONS, ER_USER_LIMIT_REACHED
		return fmt.Errorf("%w; the server has no connection left for the agent", err)
	}
	return err
}
