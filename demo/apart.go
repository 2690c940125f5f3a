package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// insideKey marks the environment of the demo that runs in its namespaces.
const insideKey = "DEMO_INSIDE"

// apart runs the demo once more with process ids of its own, so that agents and
// probe see the demo's PHP-FPM and no other of this machine, and nothing is left
// however the demo ends. It returns false where the kernel does not allow that:
// to anybody but root, and in most containers.
func apart(ctx context.Context) (done bool, err error) {
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Env = append(os.Environ(), insideKey+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL, Setpgid: true,
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	if err := cmd.Start(); errors.Is(err, os.ErrPermission) {
		return false, nil
	} else if err != nil {
		return true, err
	}
	if err := cmd.Wait(); err != nil {
		return true, errSaid
	}
	return true, nil
}

// errSaid stands for an error that the demo has printed in its namespaces.
var errSaid = errors.New("the demo has failed")

// settleApart gives the namespaces a /proc of their own.
func settleApart() error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("keep mounts to ourselves: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	return nil
}
