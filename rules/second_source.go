package rules

import (
	"strings"

	"plimsoll/rules/fleet"
)

// orLog adds that the agent can find the statements in the slow log, its second
// source, if something keeps it from that now.
func (x *spot) orLog(s *fleet.Server) {
	gap, lacking := s.Lacks("mysql/slow-log")
	if !lacking || gap.Remedy == "" {
		return
	}
	if kindOf(gap.Remedy) != SQL { // The log is not where the agent can read it.
		log := remedyOf(s, gap)
		log[0].Note = "Or this: the agent can then find the statements in the slow log, its second source, but " + printable(gap.Reason) + "."
		x.steps = append(x.steps, log...)
		return
	}
	set, what := logVariables(s)
	x.steps = append(x.steps, setVariables(s, set, "Or this: the agent then finds "+what+" in the slow log, its second source. "+
		"A session keeps what was set when it began: let PHP open persistent connections anew.")...)
	x.undo = append(x.undo, undoLog(s, set)...)
	x.risks = append(x.risks, "The slow log grows by what is written, literals among it: see that it is rotated.")
}

// logVariables are those by which a slow log shows what digests do not, and what
// it then shows. Of the two families MariaDB alone can log one of so many.
func logVariables(s *fleet.Server) (set []variable, what string) {
	if output, known := s.Setting("log_output"); known && !strings.Contains(strings.ToUpper(output), "FILE") {
		set = append(set, variable{"log_output", "'FILE'"})
	}
	if !mysqlFamily(s) {
		return append(set, variable{"long_query_time", "0"}, variable{"log_slow_rate_limit", "100"}, variable{"slow_query_log", "ON"}),
			"one statement in a hundred, so that figures are estimates,"
	}
	if atLeast(s, 8, 0, 14) {
		set = append(set, variable{"log_slow_extra", "ON"})
	}
	return append(set, variable{"long_query_time", "0.1"}, variable{"slow_query_log", "ON"}), "statements that take longer than 0.1 s"
}

// undoLog sets the variables back to what they are now, as far as that is known.
func undoLog(s *fleet.Server, set []variable) []Step {
	var old []variable
	for _, v := range set {
		if now, known := valueNow(s, v.name); known {
			old = append(old, variable{v.name, now})
		}
	}
	if len(old) == 0 {
		return nil
	}
	return undoVariables(s, old)
}
