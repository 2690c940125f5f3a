package mysql

import (
	"testing"

	"plimsoll/collectors/snapshot"
)

func TestLagStateSaysWhatAFigureMeans(t *testing.T) {
	zero := 0.0
	running := snapshot.Channel{IORunning: "Yes", SQLRunning: "Yes", SecondsBehind: &zero}
	for name, c := range map[string]struct {
		change func(*snapshot.Channel)
		want   snapshot.LagState
	}{
		"both threads run":   {func(*snapshot.Channel) {}, snapshot.LagOK},
		"a wanted delay":     {func(c *snapshot.Channel) { c.DelaySeconds = 3600 }, snapshot.LagDelayed},
		"applier stopped":    {func(c *snapshot.Channel) { c.SQLRunning, c.SecondsBehind = "No", nil }, snapshot.LagSQLDown},
		"applier failed":     {func(c *snapshot.Channel) { c.SQLRunning, c.SQLErrno = "No", 1062 }, snapshot.LagError},
		"receiver stopped":   {func(c *snapshot.Channel) { c.IORunning = "No" }, snapshot.LagIODown},
		"receiver failed":    {func(c *snapshot.Channel) { c.IORunning, c.IOErrno = "No", 1236 }, snapshot.LagError},
		"source unreachable": {func(c *snapshot.Channel) { c.IORunning, c.IOErrno = "Connecting", 2003 }, snapshot.LagIODown},
		"both stopped":       {func(c *snapshot.Channel) { c.IORunning, c.SQLRunning = "No", "No" }, snapshot.LagSQLDown},
		"an old error":       {func(c *snapshot.Channel) { c.SQLErrno = 1062 }, snapshot.LagOK},
		"no figure":          {func(c *snapshot.Channel) { c.SecondsBehind = nil }, snapshot.LagUnknown},
		"no columns":         {func(c *snapshot.Channel) { *c = snapshot.Channel{} }, snapshot.LagUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			channel := running
			c.change(&channel)
			if got := lagState(channel); got != c.want {
				t.Errorf("lagState = %s, want %s", got, c.want)
			}
		})
	}
}
