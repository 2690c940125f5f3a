package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"plimsoll-agent": main})
}

// Scripts run the real program. Each has $WORK and a TCP $PORT to itself; the
// paths of sockets in $WORK would be too long, and so they go to $RUN.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			port, err := freePort(t.Context())
			if err != nil {
				return err
			}
			env.Setenv("RUN", t.TempDir())
			env.Setenv("PORT", port)
			env.Setenv("NOTIFY_SOCKET", "")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"expand": expand,
			"get":    get,
			"poll":   poll,
			"bundle": bundle,
			"await":  await,
			"status": status,
		},
	})
}
