package rules

import (
	"fmt"
	"strconv"
	"strings"

	"plimsoll/rules/fleet"
)

// setVariable returns how a server variable is set now and for the next start.
// Only MySQL from 8.0 on can keep it by itself.
func setVariable(s *fleet.Server, name, value, note string) []Step {
	if mysqlFamily(s) && atLeast(s, 8, 0, 0) {
		return []Step{{Kind: SQL, Target: called(s), Text: fmt.Sprintf("SET PERSIST %s = %s;", name, value), Note: note}}
	}
	return []Step{
		{Kind: SQL, Target: called(s), Text: fmt.Sprintf("SET GLOBAL %s = %s;", name, value), Note: note},
		optionFile(s, name, value, "For the next start."),
	}
}

// undoVariable returns how a server variable is set back, now and for the next
// start.
func undoVariable(s *fleet.Server, name, old string) []Step {
	steps := setVariable(s, name, old, "")
	if len(steps) > 1 {
		steps[0].Note = "And take the line out of the option file."
	}
	return steps[:1]
}

// restoreVariable is the statement that sets a variable to what it is now, with a
// space behind it; nothing if that is not known.
func restoreVariable(s *fleet.Server, name string) string {
	old, known := s.Setting(name)
	if !known {
		return ""
	}
	if _, err := strconv.ParseFloat(old, 64); err != nil {
		old = quoteText(old)
	}
	return setVariable(s, name, old, "")[0].Text + " "
}

// optionFile returns what goes into the option file of a server.
func optionFile(s *fleet.Server, name, value, note string) Step {
	return Step{Kind: Config, Target: called(s), Text: fmt.Sprintf("[mysqld]\n%s = %s", name, strings.Trim(value, "'")), Note: note}
}

// mergeFile appends steps, and a line for the option file to the one that is there.
func mergeFile(to, steps []Step) []Step {
	for _, s := range steps {
		last := &to[len(to)-1]
		if line, found := strings.CutPrefix(s.Text, "[mysqld]"); found && last.Kind == Config {
			last.Text += line
			continue
		}
		to = append(to, s)
	}
	return to
}

// atRestart is the note of a setting that takes effect only then.
const atRestart = "Takes effect at the next restart."

// replicaSQL is a statement about replication in the server's own words, such as
// START REPLICA SQL_THREAD FOR CHANNEL 'east'. MariaDB puts a connection's name
// before the thread, MySQL a channel's at the end.
func replicaSQL(s *fleet.Server, verb, thread, channel string) string {
	words := []string{verb, replicaNoun(s)}
	if channel != "" && !mysqlFamily(s) {
		words = append(words, quoteText(channel))
	}
	if thread != "" {
		words = append(words, thread)
	}
	return strings.Join(words, " ") + forChannel(s, channel)
}

// replicaNoun is what a server calls a replica: both families said SLAVE until
// MySQL 8.0.22 and MariaDB 10.5.1.
func replicaNoun(s *fleet.Server) string {
	if mysqlFamily(s) && !atLeast(s, 8, 0, 22) || !mysqlFamily(s) && !atLeast(s, 10, 5, 1) {
		return "SLAVE"
	}
	return "REPLICA"
}

func forChannel(s *fleet.Server, channel string) string {
	if channel == "" || !mysqlFamily(s) {
		return ""
	}
	return " FOR CHANNEL " + quoteText(channel)
}

// showReplica is the statement that shows one channel to people.
func showReplica(s *fleet.Server, channel string) string {
	return replicaSQL(s, "SHOW", "STATUS", channel) + `\G`
}

// changeSource is the statement that lets a channel find its place by GTID, or
// by file and offset again. MySQL renamed it in 8.0.23.
func changeSource(s *fleet.Server, channel string, byGTID bool) string {
	switch {
	case !mysqlFamily(s):
		use := map[bool]string{true: "slave_pos", false: "no"}[byGTID]
		name := ""
		if channel != "" {
			name = quoteText(channel) + " "
		}
		return "CHANGE MASTER " + name + "TO MASTER_USE_GTID = " + use
	case !atLeast(s, 8, 0, 23):
		return "CHANGE MASTER TO MASTER_AUTO_POSITION = " + digit(byGTID) + forChannel(s, channel)
	}
	return "CHANGE REPLICATION SOURCE TO SOURCE_AUTO_POSITION = " + digit(byGTID) + forChannel(s, channel)
}

func digit(on bool) string {
	if on {
		return "1"
	}
	return "0"
}
