package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"plimsoll/advisor/digest"
	"plimsoll/fixtures/servers"
)

// digestAsNobody runs the program on the logs "open.log", "closed.log" and "ours.log", of which the second
// can be read by root alone and the third by group adm.
func digestAsNobody(t *testing.T, args ...string) (d digest.Digest, code int, complaints string) {
	t.Helper()
	cmd := servers.AsNobody(t, "plimsoll", append([]string{"digest", "--format", "json"}, args...)...)
	const adm = 4 // on Debian and on Red Hat
	for name, mode := range map[string]os.FileMode{"open.log": 0o644, "closed.log": 0o600, "ours.log": 0o640} {
		path := filepath.Join(cmd.Dir, name)
		err := os.WriteFile(path, []byte(readAll(t, recording)), mode)
		if err == nil {
			err = os.Chown(path, 0, adm)
		}
		if err == nil {
			err = os.Chmod(path, mode)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	exit := new(exec.ExitError)
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if out.Len() > 0 {
		if err := json.Unmarshal(out.Bytes(), &d); err != nil {
			t.Fatal(err)
		}
	}
	return d, cmd.ProcessState.ExitCode(), stderr.String()
}

func TestALogThatIsClosedToTheUserIsNamedWithWhatOpensIt(t *testing.T) {
	const (
		closed = "plimsoll: closed.log: permission denied; to read it: sudo cat FILE | plimsoll digest -\n"
		ours   = "plimsoll: ours.log: permission denied; to read it join group adm, or: sudo cat FILE | plimsoll digest -\n"
		none   = "plimsoll: nothing could be read\n"
	)
	alone, _, _ := digestJSON(t, recording)
	for _, c := range []struct {
		args       string
		code       int
		complaints string
	}{
		{"closed.log", exitUsage, closed + none},
		{"ours.log", exitUsage, ours + none},
		{"--strict closed.log", exitUsage, closed + none},
		{"closed.log open.log", exitFine, closed},
		{"open.log ours.log closed.log", exitFine, ours + closed},
		{"--strict closed.log open.log", exitStrict, closed},
		{"--compare closed.log open.log", exitUsage, closed + none},
	} {
		t.Run(c.args, func(t *testing.T) {
			d, code, complaints := digestAsNobody(t, strings.Fields(c.args)...)
			if code != c.code || complaints != c.complaints {
				t.Errorf("exit code %d, complaints %q; want %d, %q", code, complaints, c.code, c.complaints)
			}
			if code != exitUsage && d.Calls != alone.Calls {
				t.Errorf("%d calls, want the %d of the open log", d.Calls, alone.Calls)
			}
		})
	}
}
