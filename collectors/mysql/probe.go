package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"plimsoll/collectors/snapshot"
)

// probeEvery is how long a probe holds if the connection does: consumers,
// instruments and grants can change under a running server.
const probeEvery = time.Hour

// probe is what a server is and can tell. It is replaced whole, never changed.
type probe struct {
	identity snapshot.Identity
	// account is the answer of CURRENT_USER(), for remedies.
	account string
	// up is when the server started by our own clock.
	up time.Time
	// variables are the global ones, by name in lower case.
	variables map[string]string
	// columns holds table.column of probedTables, in lower case.
	columns map[string]bool

	generation uint64
}

// epoch names the stretch of time since the server started, for parts whose
// totals are the server's own.
func (p *probe) epoch() string { return newEpoch(p.identity.Started) }

// on reports whether a feature was found.
func (p *probe) on(feature string) bool {
	return p.identity.Features[feature] == snapshot.FeatureOn
}

// has reports whether a table of performance_schema or information_schema has a
// column. Both are in lower case.
func (p *probe) has(table, column string) bool { return p.columns[table+"."+column] }

// probe returns what is known of the server behind q, probing it if the
// connection is new or the last probe is old.
func (s *Server) probe(ctx context.Context, q *session) (*probe, error) {
	generation, family := s.link.generation()
	s.mu.Lock()
	known := s.probed
	s.mu.Unlock()
	if known != nil && known.generation == generation && time.Since(known.identity.Taken) < probeEvery {
		return known, nil
	}
	fresh := &probe{generation: generation, columns: map[string]bool{}}
	fresh.identity.Family, fresh.identity.Remote = family, s.cfg.Remote
	q.probe = fresh
	for _, step := range []func(context.Context) error{
		q.probeVariables, q.probeStart, q.probeColumns, q.probeFeatures,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	fresh.identity.Taken = time.Now()
	fresh.identity.Epoch = fresh.epoch()
	s.mu.Lock()
	s.probed = fresh
	s.mu.Unlock()
	return fresh, nil
}

// forget makes the next session probe anew.
func (s *Server) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.probed = nil
}

// probeVariables finds who the server is.
func (q *session) probeVariables(ctx context.Context) error {
	settings, err := q.settings(ctx, 0)
	if err != nil {
		return err
	}
	q.variables = settings.values
	id := &q.identity
	id.Version, id.Hostname = q.variables["version"], q.variables["hostname"]
	id.ServerID, _ = strconv.ParseUint(q.variables["server_id"], 10, 64)
	port, _ := strconv.ParseUint(q.variables["port"], 10, 16)
	id.Port = uint16(port)
	id.Key = key(q.variables)
	id.Addresses = addresses(q.variables, q.server.link.tcp)
	return nil
}

// key is the same for a server wherever it is seen from: MySQL's server_uuid,
// MariaDB's server_uid. Older servers have neither: their address must do.
func key(variables map[string]string) string {
	if uuid := variables["server_uuid"]; uuid != "" {
		return uuid
	}
	if uid := variables["server_uid"]; uid != "" {
		return uid + "-" + variables["server_id"]
	}
	return variables["server_id"] + "-" + variables["hostname"] + ":" + variables["port"]
}

// addresses are where the server listens, says that it can be reached, or was
// reached by us; reached is empty for a socket.
func addresses(variables map[string]string, reached string) []string {
	var out []string
	if reached != "" {
		out = append(out, reached)
	}
	add := func(host, port string) {
		if host != "" && port != "" && port != "0" {
			out = append(out, net.JoinHostPort(host, port))
		}
	}
	if socket := variables["socket"]; socket != "" {
		out = append(out, socket)
	}
	for bind := range strings.SplitSeq(variables["bind_address"], ",") {
		if bind = strings.TrimSpace(bind); bind == "*" || bind == "::" || bind == "0.0.0.0" {
			bind = variables["hostname"]
		}
		add(bind, variables["port"])
	}
	report := variables["report_port"]
	if report == "" || report == "0" {
		report = variables["port"]
	}
	add(variables["report_host"], report)
	slices.Sort(out)
	return slices.Compact(out)
}

// Uptime is the query's start minus the server's, both in whole seconds, so
// that one statement which reads both clocks gives the same start every time.
const (
	selectStartMySQL   = "SELECT UNIX_TIMESTAMP() - VARIABLE_VALUE, VARIABLE_VALUE, CURRENT_USER() FROM performance_schema.global_status WHERE VARIABLE_NAME = 'Uptime'"
	selectStartMariaDB = "SELECT UNIX_TIMESTAMP() - VARIABLE_VALUE, VARIABLE_VALUE, CURRENT_USER() FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'Uptime'"
)

// probeStart reads when the server started, and as whom it knows us.
func (q *session) probeStart(ctx context.Context) error {
	query := selectStartMySQL
	if q.identity.Family == snapshot.MariaDB {
		query = selectStartMariaDB
	}
	var started, uptime float64
	if err := q.one(ctx, query, []any{&started, &uptime, &q.account}); err != nil {
		return fmt.Errorf("read the server's start: %w", err)
	}
	q.identity.Started = time.Unix(int64(started), 0).UTC()
	q.up = time.Now().Add(-time.Duration(uptime) * time.Second)
	return nil
}

// restarted reports whether status is of a server that started after the probe.
// Uptime is in whole seconds.
func (p *probe) restarted(status *globals) bool {
	up := status.at.Add(-time.Duration(status.unsigned("uptime")) * time.Second)
	return up.Sub(p.up) > 3*time.Second
}

// probedTables are the tables of performance_schema and information_schema
// whose columns differ between servers.
func probedTables() []any {
	return []any{
		"events_statements_summary_by_digest", "events_statements_histogram_by_digest",
		"events_statements_summary_global_by_event_name",
		"table_io_waits_summary_by_index_usage", "table_statistics", "index_statistics",
		"tables", "columns", "statistics",
		"data_lock_waits", "data_locks", "metadata_locks", "innodb_trx", "innodb_lock_waits",
		"innodb_locks", "innodb_metrics", "processlist", "threads",
		"events_statements_history", "events_statements_current",
		"events_errors_summary_global_by_error", "metadata_lock_info",
		"replication_connection_status", "replication_applier_status_by_worker",
		"replication_group_members", "replication_group_member_stats", "slave_status",
	}
}

func (q *session) probeColumns(ctx context.Context) error {
	names := probedTables()
	query := `SELECT LOWER(TABLE_NAME), LOWER(COLUMN_NAME) FROM information_schema.COLUMNS
		WHERE TABLE_SCHEMA IN ('performance_schema', 'information_schema')
		AND LOWER(TABLE_NAME) IN (?` + strings.Repeat(", ?", len(names)-1) + ")"
	err := q.each(ctx, query, func(rows *sql.Rows) error {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			return err
		}
		q.columns[table+"."+column] = true
		return nil
	}, names...)
	if err != nil {
		return fmt.Errorf("read the columns of the server's own tables: %w", err)
	}
	return nil
}

// trial finds out whether a feature is there by using it once.
type trial struct {
	feature string
	query   string
	// off reports from the variables that the feature is there but idle; nil
	// if no variable says so.
	off func(variables map[string]string) bool
}

// trials lists all features.
func trials() []trial {
	return []trial{
		{"performance_schema", "SELECT 1 FROM performance_schema.setup_consumers LIMIT 1", schemaOff},
		{"digests", "SELECT 1 FROM performance_schema.events_statements_summary_by_digest LIMIT 1", schemaOff},
		{"histograms", "SELECT 1 FROM performance_schema.events_statements_histogram_by_digest LIMIT 1", schemaOff},
		{"histogram_global", "SELECT 1 FROM performance_schema.events_statements_histogram_global LIMIT 1", schemaOff},
		{"response_times", "SELECT 1 FROM information_schema.QUERY_RESPONSE_TIME LIMIT 1", responseTimesOff},
		{"statement_summary", "SELECT 1 FROM performance_schema.events_statements_summary_global_by_event_name LIMIT 1", schemaOff},
		{"index_use", "SELECT 1 FROM performance_schema.table_io_waits_summary_by_index_usage LIMIT 1", schemaOff},
		{"userstat", "SELECT 1 FROM information_schema.TABLE_STATISTICS LIMIT 1", userstatOff},
	}
}

func schemaOff(variables map[string]string) bool   { return variables["performance_schema"] == "OFF" }
func userstatOff(variables map[string]string) bool { return variables["userstat"] == "OFF" }
func responseTimesOff(variables map[string]string) bool {
	return variables["query_response_time_stats"] == "OFF"
}

func (q *session) probeFeatures(ctx context.Context) error {
	q.identity.Features = map[string]snapshot.Feature{}
	for _, t := range trials() {
		if t.off != nil && t.off(q.variables) {
			q.identity.Features[t.feature] = snapshot.FeatureOff
			continue
		}
		err := q.each(ctx, t.query, func(*sql.Rows) error { return nil })
		state := featureOf(err)
		if err != nil && state == "" {
			return fmt.Errorf("try %s: %w", t.feature, err)
		}
		if err == nil {
			state = snapshot.FeatureOn
		}
		q.identity.Features[t.feature] = state
	}
	return q.probeConsumers(ctx)
}

// selectTableInstrument finds whether the use of tables is counted.
const selectTableInstrument = "SELECT ENABLED FROM performance_schema.setup_instruments WHERE NAME = 'wait/io/table/sql/handler'"

const selectConsumers = "SELECT NAME, ENABLED FROM performance_schema.setup_consumers"

// probeConsumers finds what performance_schema sees and keeps, as features named
// instrument_* and consumer_*. Unlike the rest of it they can be switched while
// the server runs.
func (q *session) probeConsumers(ctx context.Context) error {
	if !q.on("performance_schema") {
		return nil
	}
	err := q.each(ctx, selectConsumers, func(rows *sql.Rows) error {
		var name, enabled string
		if err := rows.Scan(&name, &enabled); err != nil {
			return err
		}
		q.identity.Features["consumer_"+name] = onOff(enabled)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read consumers: %w", err)
	}
	var enabled string
	if err := q.one(ctx, selectTableInstrument, []any{&enabled}); err != nil {
		return fmt.Errorf("read instruments: %w", err)
	}
	q.identity.Features["instrument_table_io"] = onOff(enabled)
	return nil
}

func onOff(enabled string) snapshot.Feature {
	if enabled == "YES" {
		return snapshot.FeatureOn
	}
	return snapshot.FeatureOff
}
