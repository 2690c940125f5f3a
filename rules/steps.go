package rules

import (
	"fmt"
	"strconv"
	"strings"

	"plimsoll/rules/fleet"
)

// variable is one of a server's, with its value as SQL has it.
type variable struct{ name, value string }

// setVariable returns how a server variable is set now and for the next start.
func setVariable(s *fleet.Server, name, value, note string) []Step {
	return setVariables(s, []variable{{name, value}}, note)
}

// setVariables is setVariable of several. Only MySQL from 8.0 on can keep them by
// itself.
func setVariables(s *fleet.Server, all []variable, note string) []Step {
	if mysqlFamily(s) && atLeast(s, 8, 0, 0) {
		return []Step{{Kind: SQL, Target: called(s), Text: setStatement("PERSIST", all), Note: note}}
	}
	file := optionFile(s, all[0].name, all[0].value, "For the next start.")
	for _, v := range all[1:] {
		file.Text += "\n" + optionLine(v.name, v.value)
	}
	return []Step{{Kind: SQL, Target: called(s), Text: setStatement("GLOBAL", all), Note: note}, file}
}

func setStatement(scope string, all []variable) string {
	set := make([]string, len(all))
	for i, v := range all {
		set[i] = fmt.Sprintf("%s %s = %s", scope, v.name, v.value)
	}
	return "SET " + strings.Join(set, ", ") + ";"
}

// undoVariable returns how a server variable is set back, now and for the next
// start.
func undoVariable(s *fleet.Server, name, old string) []Step {
	return undoVariables(s, []variable{{name, old}})
}

// undoVariables is undoVariable of several.
func undoVariables(s *fleet.Server, old []variable) []Step {
	steps := setVariables(s, old, "")
	if len(steps) > 1 {
		lines := map[bool]string{true: "line", false: "lines"}[len(old) == 1]
		steps[0].Note = "And take the " + lines + " out of the option file."
	}
	return steps[:1]
}

// valueNow is what a variable is now, as SQL has it; false if that is not known.
func valueNow(s *fleet.Server, name string) (string, bool) {
	now, known := s.Setting(name)
	if _, err := strconv.ParseFloat(now, 64); err != nil {
		now = quoteText(now)
	}
	return now, known
}

// restoreVariable is the statement that sets a variable to what it is now, with a
// space behind it; nothing if that is not known.
func restoreVariable(s *fleet.Server, name string) string {
	now, known := valueNow(s, name)
	if !known {
		return ""
	}
	return setVariable(s, name, now, "")[0].Text + " "
}

// optionFile returns what goes into the option file of a server.
func optionFile(s *fleet.Server, name, value, note string) Step {
	return Step{Kind: Config, Target: called(s), Text: "[mysqld]\n" + optionLine(name, value), Note: note}
}

func optionLine(name, value string) string { return name + " = " + strings.Trim(value, "'") }

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
