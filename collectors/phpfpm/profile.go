package phpfpm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"syscall"
	"time"

	"plimsoll/collectors/snapshot"
)

// ProbeSocket is where plimsoll-probe hands over what it sampled, unless it was told otherwise: one connection is one JSON document.
const ProbeSocket = "/run/plimsoll-probe/probe.sock"

// MaxProfile bounds that document, in bytes.
const MaxProfile = 4 << 20

// profile fetches from plimsoll-probe. It fills Snapshot.PHPProfile.
type profile struct {
	proc, socket string
	// answered is true once the probe did: without its socket it is stopped then, and not missing.
	answered bool
}

// Collect asks the probe once. A host without PHP-FPM needs none.
func (p *profile) Collect(ctx context.Context, into *snapshot.Snapshot) error {
	got, err := FetchProfile(ctx, p.socket)
	if err == nil {
		into.PHPProfile, p.answered = got, true
		return nil
	}
	masters, findErr := Find(p.proc)
	if findErr == nil && len(masters) == 0 {
		return nil
	}
	reason, remedy, known := missingProbe(err, p.answered)
	if !known {
		return err
	}
	into.PHPProfile = &snapshot.PHPProfile{}
	into.PHPProfile.Taken = time.Now()
	into.PHPProfile.Gaps = []snapshot.Gap{{Job: jobProfile, Reason: reason, Remedy: remedy}}
	return nil
}

// missingProbe says why there is no answer, if that is how the host was set up. A unit that is stopped takes its socket
// with it.
func missingProbe(err error, answered bool) (reason, remedy string, known bool) {
	const unknown = "where the time of PHP's workers goes is not known: "
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist) && answered:
		return unknown + "plimsoll-probe does not run", "systemctl start plimsoll-probe (journalctl --unit plimsoll-probe says why it ended)", true
	case errors.Is(err, fs.ErrNotExist):
		return unknown + "plimsoll-probe is not installed, or does not run",
			"install the package plimsoll-probe (docs/privileges.md says what it may do), or start it: systemctl start plimsoll-probe", true
	case errors.Is(err, fs.ErrPermission):
		return unknown + "plimsoll-probe does not let the agent in", "add the agent's user to group plimsoll, and restart both", true
	default:
		return "", "", false
	}
}

// FetchProfile reads the document of a probe.
func FetchProfile(ctx context.Context, socket string) (*snapshot.PHPProfile, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, fmt.Errorf("connect to plimsoll-probe: %w", err)
	}
	defer conn.Close()
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(askWithin)
	}
	if err := conn.SetDeadline(deadline); err != nil {
		return nil, fmt.Errorf("connect to plimsoll-probe: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(conn, MaxProfile+1))
	if err != nil {
		return nil, fmt.Errorf("read from plimsoll-probe: %w", err)
	}
	if len(text) > MaxProfile {
		return nil, fmt.Errorf("read from plimsoll-probe: its answer has more than %d bytes", MaxProfile)
	}
	var p snapshot.PHPProfile
	if err := json.Unmarshal(text, &p); err != nil {
		return nil, fmt.Errorf("read from plimsoll-probe: %w", err)
	}
	if p.Epoch == "" || p.Taken.IsZero() {
		return nil, fmt.Errorf("read from %s: it names no epoch or no time, and so is none of plimsoll-probe", socket)
	}
	return &p, nil
}
