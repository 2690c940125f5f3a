package mysql

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"plimsoll/collectors/slowlog"
	"plimsoll/collectors/snapshot"
)

// slowLogGap is the name of this source in gaps. It is no job of its own, but what
// lacks here is not what the digest table lacks.
const slowLogGap = "mysql/slow-log"

// closed says why a log cannot be followed, if so.
func (s *slowLog) closed(q *session, variables map[string]string, file string) snapshot.Gap {
	outputs := strings.Split(strings.ToUpper(variables["log_output"]), ",")
	files := false
	for _, output := range outputs {
		files = files || strings.TrimSpace(output) == "FILE"
	}
	switch {
	case !isLogging(variables):
		return snapshot.Gap{Reason: "the slow log is off, so that it shows no statement", Remedy: q.logRemedy()}
	case !files:
		return snapshot.Gap{
			Reason: "the slow log goes to log_output = " + strings.Join(outputs, ",") + ", and only a file can be followed",
			Remedy: "SET GLOBAL log_output = 'FILE'; and log_output = FILE in the option file",
		}
	case q.server.cfg.Remote && s.file == "":
		return snapshot.Gap{
			Reason: "the slow log is on another host than this agent",
			Remedy: "run an agent on the host of the server; where that cannot be, as with managed servers, fetch the log and read it with plimsoll digest",
		}
	case file == "":
		return snapshot.Gap{Reason: "the server does not say where its slow log is", Remedy: "slow_log in the agent's configuration (docs/configuration.md)"}
	}
	return snapshot.Gap{}
}

func isLogging(variables map[string]string) bool {
	return on(cmp.Or(variables["slow_query_log"], variables["log_slow_query"]))
}

// logRemedy switches the log on. A rate limit keeps it small on MariaDB; one
// that logs what is slow shows nothing of fast statements that run all the time.
func (p *probe) logRemedy() string {
	if p.identity.Family == snapshot.MariaDB {
		return "SET GLOBAL log_slow_verbosity = 'query_plan,explain', GLOBAL long_query_time = 0.1, GLOBAL slow_query_log = ON; and the same in the option file. " +
			"With long_query_time = 0 and log_slow_rate_limit = 100 it shows a sample of all statements (docs/privileges.md)"
	}
	return "SET GLOBAL log_slow_extra = ON, GLOBAL long_query_time = 0.1, GLOBAL slow_query_log = ON; and the same in the option file (docs/privileges.md)"
}

// closedRemedy lets the agent read a slow log, or list its folder. The group that
// could is not named: in the agent's unit it shows as nobody's.
func closedRemedy(path string) string {
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o040 != 0 {
		return "add the group of the file to the agent's unit: examples/slow-log.conf (docs/privileges.md)"
	}
	return "no group that may read it helps here: give the agent's user an access list on the log and its folder, " +
		"with setfacl (docs/privileges.md), or let the server log into another folder"
}

// logRefused says why a log cannot be read.
func logRefused(file string, err error) snapshot.Gap {
	gap := snapshot.Gap{Reason: "the slow log cannot be read: " + err.Error()}
	switch {
	case errors.Is(err, fs.ErrPermission):
		gap.Reason = "the agent's user may not read the slow log " + file
		gap.Remedy = closedRemedy(file)
	case errors.Is(err, fs.ErrNotExist):
		gap.Reason = "there is no slow log at " + file + " on the agent's host"
		gap.Remedy = "if the server runs in a container, name the file as the host sees it: slow_log in the agent's configuration (docs/configuration.md)"
	}
	return gap
}

// gaps are what the log could not tell in a round. needed says that the digest
// table does not show all; alone, that there is none.
func (s *slowLog) gaps(q *session, variables map[string]string, needed, alone bool) []snapshot.Gap {
	var gaps []snapshot.Gap
	add := func(reason, remedy string) {
		gaps = append(gaps, snapshot.Gap{Job: slowLogGap, Subject: q.server.cfg.Name, Reason: reason, Remedy: remedy})
	}
	// Where the table shows all, a log that is off is missed by nobody.
	if s.gap.Reason != "" && (needed || isLogging(variables)) {
		add(s.gap.Reason, s.gap.Remedy)
	}
	for _, loss := range s.lost[:min(len(s.lost), maxLostGaps)] {
		add(lossReason(loss), lossRemedy(loss))
	}
	if s.skipped > 0 {
		add(fmt.Sprintf("the slow log grows faster than the agent reads it: %d bytes of it were skipped", s.skipped),
			"SET GLOBAL long_query_time to more, or on MariaDB log_slow_rate_limit")
	}
	s.lost, s.skipped = nil, 0
	if threshold := s.settings.Threshold; s.settings.File != "" && needed && threshold > 0 {
		what := "prepared statements"
		if alone {
			what = "statements"
		}
		add(fmt.Sprintf("%s are known from the slow log, which holds only those that took longer than %g s", what, threshold),
			"SET GLOBAL long_query_time = 0; on MariaDB log_slow_rate_limit = 100 beside it keeps the log small, and figures are estimates")
	}
	return gaps
}

// maxLostGaps bounds the gaps of a round that name what was lost.
const maxLostGaps = 5

// lossReason says what of a log was lost.
func lossReason(loss slowlog.Loss) string {
	switch {
	case errors.Is(loss.Err, slowlog.ErrGone):
		return "the slow log was emptied or taken away, and no copy of it was found: what it held since the last read may not be counted"
	case errors.Is(loss.Err, slowlog.ErrCompressed):
		return "the slow log was compressed before it was read to its end: what " + loss.File + " holds may not be counted"
	case errors.Is(loss.Err, slowlog.ErrTooMany):
		return "the slow log was rotated so often since the last read that the oldest of these logs were not read"
	default:
		return "what " + loss.File + " holds since the last read may not be counted: " + loss.Err.Error()
	}
}

// lossRemedy says how it is not lost another time.
func lossRemedy(loss slowlog.Loss) string {
	switch {
	case errors.Is(loss.Err, slowlog.ErrTooMany):
		return "rotate it at a larger size"
	case errors.Is(loss.Err, fs.ErrPermission):
		return closedRemedy(loss.File)
	default:
		return "rotate it by renaming and FLUSH SLOW LOGS, and compress it one rotation later (delaycompress)"
	}
}
