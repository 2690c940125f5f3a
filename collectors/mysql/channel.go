package mysql

import (
	"strconv"
	"strings"

	"plimsoll/collectors/snapshot"
	"plimsoll/collectors/sqltext"
)

// channelRow is a row of SHOW REPLICA STATUS, or of what older servers and
// MariaDB call it; NULL is absent.
type channelRow map[string]string

// get returns the column under its name of MySQL 8.0.22, or else under the
// older one, which MariaDB has kept.
func (r channelRow) get(name string) string {
	if value, found := r[name]; found {
		return value
	}
	return r[strings.NewReplacer("Source", "Master", "Replica", "Slave").Replace(name)]
}

func (r channelRow) number(name string) (float64, bool) {
	n, err := strconv.ParseFloat(r.get(name), 64)
	return n, err == nil
}

func (r channelRow) integer(name string) int {
	n, _ := strconv.Atoi(r.get(name))
	return n
}

// channel is the part of a Channel that the row tells.
func (r channelRow) channel(family snapshot.Family) snapshot.Channel {
	port, _ := strconv.ParseUint(r.get("Source_Port"), 10, 16)
	c := snapshot.Channel{
		Name: r["Channel_Name"], SourceKey: r["Source_UUID"], GTID: r["Auto_Position"] == "1",
		SourceHost: r.get("Source_Host"), SourcePort: uint16(port),
		IORunning: r.get("Replica_IO_Running"), SQLRunning: r.get("Replica_SQL_Running"),
		IOErrno: r.integer("Last_IO_Errno"), SQLErrno: r.integer("Last_SQL_Errno"),
		SecondsBehind: optional(r.number("Seconds_Behind_Source")),
		Filtered:      r.filtered(),
	}
	switch {
	case family == snapshot.MariaDB:
		c.Name, c.SourceKey = r["Connection_name"], r["Master_Server_Id"]
		c.GTID = r["Using_Gtid"] != "" && r["Using_Gtid"] != "No"
		c.HeartbeatSeconds = optional(r.number("Slave_heartbeat_period"))
	case c.SourceKey == "":
		c.SourceKey = r["Master_UUID"]
	}
	c.DelaySeconds, _ = r.number("SQL_Delay")
	if n, ok := r.number("Relay_Log_Space"); ok {
		bytes := uint64(n)
		c.RelayLogBytes = &bytes
	}
	c.LastError = r.lastError()
	c.State = lagState(c)
	return c
}

// lastError prefers the applier's: it is the one that needs somebody.
func (r channelRow) lastError() snapshot.Redacted {
	for _, name := range []string{"Last_SQL_Error", "Last_IO_Error"} {
		if message := r.get(name); message != "" {
			return snapshot.Redacted(sqltext.RedactMessage(message))
		}
	}
	return ""
}

// filtered reports whether any of the Replicate_ columns is set; to rewrite a
// schema's name or leave out a server is to filter too.
func (r channelRow) filtered() bool {
	for name, value := range r {
		if strings.HasPrefix(name, "Replicate_") && value != "" {
			return true
		}
	}
	return false
}

// received changes with everything that comes from the source.
func (r channelRow) received() string {
	return strings.Join([]string{
		r.get("Source_Log_File"), r.get("Read_Source_Log_Pos"), r["Gtid_IO_Pos"], r["Slave_received_heartbeats"],
	}, " ")
}

// execution is how far the channel had come in its source's binary log.
func (r channelRow) execution(channel string) snapshot.SourceExecution {
	offset, _ := strconv.ParseUint(r.get("Exec_Source_Log_Pos"), 10, 64)
	return snapshot.SourceExecution{Channel: channel, File: r.get("Relay_Source_Log_File"), Offset: offset}
}

// lagState says what the channel's figures mean. A thread that stopped by
// itself left an error; one that was stopped, or that cannot reach its source
// and tries again, did not fail.
func lagState(c snapshot.Channel) snapshot.LagState {
	switch {
	case c.SQLRunning == "No" && c.SQLErrno != 0, c.IORunning == "No" && c.IOErrno != 0:
		return snapshot.LagError
	case c.SQLRunning == "No":
		return snapshot.LagSQLDown
	case c.SQLRunning != "Yes":
		return snapshot.LagUnknown
	case c.IORunning != "Yes":
		return snapshot.LagIODown
	case c.SecondsBehind == nil:
		return snapshot.LagUnknown
	case c.DelaySeconds > 0:
		return snapshot.LagDelayed
	}
	return snapshot.LagOK
}

// optional makes nil of what is not known.
func optional[T any](value T, known bool) *T {
	if !known {
		return nil
	}
	return &value
}
