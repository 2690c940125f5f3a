package observe

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"plimsoll/advisor/keeper"
	"plimsoll/collectors/snapshot"
)

// maxPartAge is how old a part may be and still be taken for how things stand: a
// job that fails is tried every five minutes, and one of three tries may fail.
const maxPartAge = 15 * time.Minute

// present returns what an agent last said without the parts that are too old to
// be the present, with a gap for each: a server that hangs, or an agent that is
// gone, must not be judged for ever by its last good day. A part that is read
// more rarely may be three times its job's interval old.
func present(a keeper.Agent, now time.Time) *snapshot.Snapshot {
	asOf := a.Latest.Taken
	if a.Err != nil {
		asOf = now.Add(time.Duration(a.ClockOffsetSeconds * float64(time.Second)))
	}
	out := a.Latest.Clone()
	out.Gaps = append([]snapshot.Gap{}, out.Gaps...)
	if m := out.Machine; m != nil && tooOld(m.Taken, asOf, out.Agent, "host", "") {
		out.Gaps = append(out.Gaps, oldGap("host", "", m.Taken, asOf))
		out.Machine = nil
	}
	if p := out.PHP; p != nil && tooOld(p.Taken, asOf, out.Agent, "phpfpm", "") {
		out.Gaps = append(out.Gaps, oldGap("phpfpm", "", p.Taken, asOf))
		out.PHP = nil
	}
	if p := out.PHPProfile; p != nil && tooOld(p.Taken, asOf, out.Agent, "phpfpm/profile", "") {
		out.Gaps = append(out.Gaps, oldGap("phpfpm/profile", "", p.Taken, asOf))
		out.PHPProfile = nil
	}
	for name, server := range out.Servers {
		for field, part := range parts(server) {
			job := "mysql/" + field
			if taken := part.Interface().(headed).Header().Taken; tooOld(taken, asOf, out.Agent, job, name) {
				out.Gaps = append(out.Gaps, oldGap(job, name, taken, asOf))
				part.SetZero()
			}
		}
	}
	return out
}

// headed is what every part is.
type headed interface{ Header() *snapshot.Meta }

// parts returns the parts of a server that were read, by their names in JSON,
// which are those of their jobs.
func parts(server *snapshot.Server) map[string]reflect.Value {
	out := map[string]reflect.Value{}
	fields := reflect.ValueOf(server).Elem()
	for i := range fields.NumField() {
		if part := fields.Field(i); !part.IsNil() {
			name, _, _ := strings.Cut(fields.Type().Field(i).Tag.Get("json"), ",")
			out[name] = part
		}
	}
	return out
}

func tooOld(taken, asOf time.Time, agent *snapshot.Agent, job, server string) bool {
	limit := maxPartAge
	if agent != nil {
		for _, j := range agent.Jobs {
			if j.Name == job && j.Server == server {
				limit = max(limit, time.Duration(3*j.EverySeconds*float64(time.Second)))
			}
		}
	}
	return asOf.Sub(taken) > limit
}

func oldGap(job, server string, taken, asOf time.Time) snapshot.Gap {
	return snapshot.Gap{Job: job, Subject: server, Reason: fmt.Sprintf("it was last read at %s, %s ago, which is too old to say how things stand",
		taken.UTC().Format("2006-01-02 15:04 MST"), asOf.Sub(taken).Round(time.Minute))}
}
