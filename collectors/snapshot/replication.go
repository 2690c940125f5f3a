package snapshot

import "time"

// Replication is a server's place in replication, as it sees it itself.
// Sources: SHOW REPLICA STATUS, MariaDB: SHOW ALL REPLICAS STATUS;
// performance_schema.replication_*; SHOW PROCESSLIST.
type Replication struct {
	Meta
	// ReadOnly and SuperReadOnly are the variables; the latter is nil on
	// MariaDB, which has none.
	ReadOnly      *bool `json:"read_only,omitempty"`
	SuperReadOnly *bool `json:"super_read_only,omitempty"`
	// Channels are the streams that this server replicates; none on a primary.
	Channels []Channel `json:"channels,omitempty"`
	// Replicas are the servers that read this one's binary log now; nil if the
	// list could not be read.
	Replicas *[]ConnectedReplica `json:"replicas,omitempty"`
	// SemiSync is nil where the server has none.
	SemiSync *SemiSync `json:"semi_sync,omitempty"`
}

// LagState says what a figure of lag can mean. Only in LagOK and LagDelayed is
// there one.
type LagState string

// The states of a channel. A stopped replica's lag is unknown, not zero.
const (
	LagOK      LagState = "ok"
	LagIODown  LagState = "io_down"
	LagSQLDown LagState = "sql_down"
	LagError   LagState = "error"
	LagDelayed LagState = "delayed"
	LagUnknown LagState = "unknown"
)

// Channel is one stream from one source.
type Channel struct {
	// Name is empty for the default channel.
	Name       string `json:"name"`
	SourceHost string `json:"source_host"`
	SourcePort uint16 `json:"source_port"`
	// SourceKey is the source's server_uuid, or its server_id on MariaDB.
	SourceKey  string   `json:"source_key"`
	State      LagState `json:"state"`
	IORunning  string   `json:"io_running"`
	SQLRunning string   `json:"sql_running"`
	IOErrno    int      `json:"io_errno,omitempty"`
	SQLErrno   int      `json:"sql_errno,omitempty"`
	LastError  Redacted `json:"last_error,omitempty"`
	// SecondsBehind is what the server says: Seconds_Behind_Source, MariaDB:
	// Seconds_Behind_Master. It is 0 while the source hangs; see Positions.
	SecondsBehind *float64 `json:"seconds_behind,omitempty"`
	// ApplySeconds is the age of the transaction that is being applied, from
	// its commit on the source; 0 if none is; nil where the server does not say.
	ApplySeconds *float64 `json:"apply_seconds,omitempty"`
	// DelaySeconds is the wanted delay (SQL_Delay).
	DelaySeconds  float64 `json:"delay_seconds"`
	RelayLogBytes *uint64 `json:"relay_log_bytes,omitempty"`
	// GTID is true if the channel positions itself by GTID.
	GTID bool `json:"gtid"`
	// Workers is the number of applier threads, Busy how many apply now; nil
	// where the server does not say.
	Workers *int `json:"workers,omitempty"`
	Busy    *int `json:"busy,omitempty"`
	// Filtered is true if the channel leaves out schemas or tables.
	Filtered bool `json:"filtered"`
	// SilentSeconds is how long nothing has come from the source, an event or a
	// heartbeat, while the I/O thread runs. A channel that is well is silent for
	// HeartbeatSeconds at most; one whose source hangs says 0 seconds behind and
	// is silent for ever. It is nil while the I/O thread does not run, and
	// HeartbeatSeconds where the server does not say.
	SilentSeconds    *float64 `json:"silent_seconds,omitempty"`
	HeartbeatSeconds *float64 `json:"heartbeat_seconds,omitempty"`
}

// LagTotals is what the channels of a server went through, since Epoch. It is a
// part of its own so that a Replication is shown at once, and not only when
// these totals are on disk.
type LagTotals struct {
	Meta
	Channels []ChannelTotals `json:"channels"`
}

// ChannelTotals is what one channel went through.
type ChannelTotals struct {
	// Name is that of Channel.
	Name string `json:"name"`
	// StateSeconds is the time spent in each state. Time in which the agent
	// could not look is LagUnknown.
	StateSeconds map[LagState]float64 `json:"state_seconds"`
	// ApplyLag counts readings of ApplySeconds, one a second; the last bound is
	// math.MaxFloat64.
	ApplyLag []Bucket `json:"apply_lag"`
}

// ConnectedReplica is a server that reads a binary log.
type ConnectedReplica struct {
	// Address is the replica's host as the source sees it.
	Address string `json:"address"`
	// State is the dump thread's, such as "Master has sent all binlog to slave".
	State string `json:"state,omitempty"`
}

// SemiSync is the state of semi-synchronous replication.
type SemiSync struct {
	SourceEnabled  bool `json:"source_enabled"`
	ReplicaEnabled bool `json:"replica_enabled"`
	// SourceOn is false while the source has fallen back to asynchronous.
	SourceOn bool `json:"source_on"`
	// Clients is how many replicas acknowledge.
	Clients int `json:"clients"`
	// TimeoutSeconds is how long a commit waits before the source falls back.
	TimeoutSeconds float64 `json:"timeout_seconds"`
	// NoTransactions counts commits that no replica had confirmed in time.
	NoTransactions uint64 `json:"no_transactions"`
}

// MaxPositions is how many positions an agent keeps: 15 minutes.
const MaxPositions = 900

// Positions is what a server had executed, second by second. From those of
// source and replica the advisor computes lag without a write to any server.
type Positions struct {
	Meta
	// Ring is oldest first.
	Ring []Position `json:"ring"`
	// ClockOffsetSeconds is the server's clock minus the agent's, known to
	// within ClockErrorSeconds (half the fastest recent round trip).
	ClockOffsetSeconds float64 `json:"clock_offset_seconds"`
	ClockErrorSeconds  float64 `json:"clock_error_seconds"`
}

// Position is how far a server had come at a time of its own clock.
type Position struct {
	Time time.Time `json:"time"`
	// GTID is what it had executed: gtid_executed; MariaDB: gtid_slave_pos, what
	// it had applied as a replica.
	GTID string `json:"gtid,omitempty"`
	// Written is what a MariaDB server had written to its own binary log
	// (gtid_binlog_pos); on MySQL, GTID says that too. The two are kept apart,
	// because a replica that was written to would seem to be ahead of its source
	// in gtid_current_pos, and a primary that once was a replica keeps an old
	// gtid_slave_pos.
	Written string `json:"written,omitempty"`
	// Received is what a replica had received, applied or not: GTID joined with
	// Retrieved_Gtid_Set; MariaDB: Gtid_IO_Pos. It is empty on a server that
	// replicates nothing, and where it is not known.
	Received string `json:"received,omitempty"`
	// File and Offset are the end of the own binary log; Executed is how far
	// each channel had come in its source's. They are read on MySQL where GTIDs
	// are off.
	File     string            `json:"file,omitempty"`
	Offset   uint64            `json:"offset,omitempty"`
	Executed []SourceExecution `json:"executed,omitempty"`
}

// SourceExecution is how far a channel had executed its source's binary log.
type SourceExecution struct {
	Channel string `json:"channel"`
	File    string `json:"file"`
	Offset  uint64 `json:"offset"`
}

// Binlog is the state of the binary log. Sources: variables and SHOW BINARY
// LOGS.
type Binlog struct {
	Meta
	Enabled  bool   `json:"enabled"`
	Format   string `json:"format,omitempty"`
	RowImage string `json:"row_image,omitempty"`
	// GTIDMode is gtid_mode; MariaDB: ON if gtid_strict_mode, else PERMISSIVE,
	// since GTIDs are always written there.
	GTIDMode          string `json:"gtid_mode,omitempty"`
	LogReplicaUpdates bool   `json:"log_replica_updates"`
	SyncBinlog        *int64 `json:"sync_binlog,omitempty"`
	FlushLogAtCommit  *int64 `json:"flush_log_at_commit,omitempty"`
	// RetentionSeconds is nil if binary logs are kept for ever.
	RetentionSeconds *float64 `json:"retention_seconds,omitempty"`
	// Files and Bytes are nil where the account may not list the logs.
	Files *int    `json:"files,omitempty"`
	Bytes *uint64 `json:"bytes,omitempty"`
	// CacheUse counts transactions that used the binary log's cache, and
	// CacheDiskUse those that did not fit in it: large transactions.
	CacheUse     *uint64 `json:"cache_use,omitempty"`
	CacheDiskUse *uint64 `json:"cache_disk_use,omitempty"`
}

// Membership is a server's place in a synchronous cluster; both fields are nil
// outside one.
type Membership struct {
	Meta
	Galera *Galera `json:"galera,omitempty"`
	Group  *Group  `json:"group,omitempty"`
}

// Galera is the state of a Galera node. Source: status variables wsrep_*.
type Galera struct {
	Size             int     `json:"size"`
	Status           string  `json:"status"`
	Ready            bool    `json:"ready"`
	Connected        bool    `json:"connected"`
	State            string  `json:"state"`
	PausedSeconds    float64 `json:"paused_seconds"`
	ReceiveQueue     float64 `json:"receive_queue"`
	CertFailures     uint64  `json:"cert_failures"`
	BruteForceAborts uint64  `json:"brute_force_aborts"`
}

// Group is the state of Group Replication. Source:
// performance_schema.replication_group_members.
type Group struct {
	Members []GroupMember `json:"members"`
}

// GroupMember is one member of a group.
type GroupMember struct {
	Key   string `json:"key"`
	Host  string `json:"host"`
	Port  uint16 `json:"port"`
	State string `json:"state"`
	Role  string `json:"role"`
}
