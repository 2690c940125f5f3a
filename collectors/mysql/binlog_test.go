package mysql

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"plimsoll/advisor/verify/scratch"
	"plimsoll/collectors/snapshot"
	"plimsoll/fixtures/servers"
)

func TestBinlogSettings(t *testing.T) {
	onEach(t, func(t *testing.T, s *servers.Server) {
		part := collect(t, open(t, s, 1), "mysql/binlog").Binlog
		sync, flush := int64(1), int64(1)
		want := &snapshot.Binlog{
			Enabled: true, Format: "ROW", RowImage: "FULL", GTIDMode: "ON", LogReplicaUpdates: true,
			SyncBinlog: &sync, FlushLogAtCommit: &flush, RetentionSeconds: optional(30*86400.0, true),
		}
		if s.Family == scratch.MariaDB {
			*want.SyncBinlog = 0
			want.Format, want.GTIDMode, want.LogReplicaUpdates, want.RetentionSeconds = "MIXED", "PERMISSIVE", false, nil
		}
		ignored := cmpopts.IgnoreFields(snapshot.Binlog{}, "Meta.Taken", "Meta.Epoch", "Files", "Bytes", "CacheUse", "CacheDiskUse")
		if diff := cmp.Diff(want, part, ignored); diff != "" {
			t.Errorf("binlog (-want +got):\n%s", diff)
		}
		if *part.Files < 1 || *part.Bytes == 0 || part.CacheUse == nil || part.CacheDiskUse == nil {
			t.Errorf("%d files of %d bytes, cache %v/%v; want a file, bytes and both counters",
				*part.Files, *part.Bytes, part.CacheUse, part.CacheDiskUse)
		}
	})
}

func TestBinaryLogsWithoutThePrivilegeAreAGap(t *testing.T) {
	onEach(t, func(t *testing.T, s *servers.Server) {
		part := collect(t, open(t, s, 0), "mysql/binlog").Binlog
		if part.Files != nil || part.Bytes != nil || len(part.Gaps) != 1 {
			t.Fatalf("files %v, bytes %v, gaps %+v; want neither figure and one gap", part.Files, part.Bytes, part.Gaps)
		}
		want := "GRANT REPLICATION CLIENT ON *.*"
		if s.Family == scratch.MariaDB {
			want = "GRANT BINLOG MONITOR ON *.*"
		}
		if !strings.HasPrefix(part.Gaps[0].Remedy, want) {
			t.Errorf("remedy %q, want %q", part.Gaps[0].Remedy, want)
		}
	})
}

func TestRetentionIsUnknownIfNothingIsPurged(t *testing.T) {
	for name, c := range map[string]struct {
		settings map[string]string
		want     *float64
	}{
		"seconds":         {map[string]string{"binlog_expire_logs_seconds": "3600"}, optional(3600.0, true)},
		"days of 5.7":     {map[string]string{"expire_logs_days": "7"}, optional(604800.0, true)},
		"both":            {map[string]string{"binlog_expire_logs_seconds": "3600", "expire_logs_days": "0"}, optional(3600.0, true)},
		"fraction":        {map[string]string{"expire_logs_days": "0.5", "binlog_expire_logs_seconds": "43200"}, optional(43200.0, true)},
		"for ever":        {map[string]string{"binlog_expire_logs_seconds": "0", "expire_logs_days": "0"}, nil},
		"no purging":      {map[string]string{"binlog_expire_logs_seconds": "3600", "binlog_expire_logs_auto_purge": "OFF"}, nil},
		"no such setting": {map[string]string{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, retention(c.settings)); diff != "" {
				t.Errorf("retention (-want +got):\n%s", diff)
			}
		})
	}
}
