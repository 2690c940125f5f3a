package scratch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// process is the server's process. done is closed once it was waited for.
type process struct {
	pid  int
	done chan struct{}
	err  error // how it ended; valid after done
}

// startProcess starts the server; its output goes to the end of log.
func startProcess(ctx context.Context, p Program, dir, log string, args []string) (*process, error) {
	line, err := p.commandLine(p.Path)
	if err != nil {
		return nil, err
	}
	if line[0], err = named(p, dir, line[0]); err != nil {
		return nil, err
	}
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	// The context bounds the start, which the server outlives.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), line[0], append(line[1:], args...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, out
	// Without SYSTEMD variables, so that it never reports to our own unit.
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + dir, "LC_ALL=C", "TZ=" + os.Getenv("TZ")}
	// A group of its own keeps a Ctrl-C in the terminal for our program, which
	// then stops the server in good order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return watch(cmd)
}

// named gives the loader the server's name by a link, so that ps, /proc and
// whoever detects servers by name see mariadbd and not ld-linux.
func named(p Program, dir, loader string) (string, error) {
	if p.Root == "/" {
		return loader, nil
	}
	link := filepath.Join(dir, filepath.Base(p.Path))
	if err := os.Symlink(loader, link); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	return link, nil
}

// watch starts the command and waits for it in a goroutine that ends with the
// process. It keeps its thread to itself: the kernel sends Pdeathsig when the
// thread that forked ends, not the process (golang/go#27505).
func watch(cmd *exec.Cmd) (*process, error) {
	p := &process{done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		if err == nil {
			p.pid = cmd.Process.Pid
		}
		started <- err
		if err == nil {
			p.err = cmd.Wait()
		}
		close(p.done)
	}()
	return p, <-started
}

func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

func (p *process) signal(sig syscall.Signal) error {
	if !p.running() {
		return errors.New("server is not running")
	}
	return syscall.Kill(p.pid, sig)
}

// kill ends the process at once and waits until it is gone.
func (p *process) kill() {
	if p.running() {
		_ = syscall.Kill(p.pid, syscall.SIGKILL)
		<-p.done
	}
}

// stop asks the server to shut down, and kills it if the context ends first.
func (p *process) stop(ctx context.Context) error {
	if !p.running() {
		return nil
	}
	// A paused process would see the request only once it continues.
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGCONT} {
		_ = syscall.Kill(p.pid, sig)
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		p.kill()
		return fmt.Errorf("server with process id %d did not stop by itself and was killed: %w", p.pid, ctx.Err())
	}
}

// awaitGreeting polls the socket until the server greets, and returns the
// version it greets with.
func (p *process) awaitGreeting(ctx context.Context, socket string) (string, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		version, err := greeting(ctx, socket)
		if err == nil {
			return version, nil
		}
		select {
		case <-p.done:
			return "", fmt.Errorf("server ended before it answered: %w", p.exit())
		case <-ctx.Done():
			return "", fmt.Errorf("server did not answer on %s in time: %w", socket, err)
		case <-tick.C:
		}
	}
}

func (p *process) exit() error {
	if p.err == nil {
		return errors.New("exit status 0")
	}
	return p.err
}
