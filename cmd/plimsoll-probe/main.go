// Command plimsoll-probe looks at the workers of PHP-FPM on this host and hands where their time goes to the
// agent, over a unix socket. It is the only program of Plimsoll with privileges: it takes no configuration
// file and no request, and speaks to nobody but who connects to its socket.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"plimsoll/collectors/phpfpm"
	"plimsoll/collectors/phpfpm/sampler"
	"plimsoll/collectors/snapshot"
)

// version is set by the linker.
var version = "devel"

// Exit codes, those of all programs of Plimsoll.
const (
	exitOK       = 0
	exitUsage    = 2 // usage, or something that the user can repair
	exitInternal = 4
)

func main() { os.Exit(start(os.Args[1:], os.Stdout, os.Stderr)) }

// start runs the program until it is done or told to stop, and returns its exit code.
func start(args []string, out, log io.Writer) (code int) {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	context.AfterFunc(ctx, cancel) // A second signal ends the program at once.
	defer func() {
		if bug := recover(); bug != nil {
			fmt.Fprintf(log, "plimsoll-probe: BUG: %v\n%s", bug, debug.Stack())
			code = exitInternal
		}
	}()
	s, err := parse(args, out, log)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		return exitUsage
	case s.version:
		fmt.Fprintln(out, "plimsoll-probe", version)
		return exitOK
	}
	if err := s.run(ctx, out, slog.New(slog.NewTextHandler(log, nil))); err != nil {
		fmt.Fprintln(log, "plimsoll-probe:", err)
		return exitUsage
	}
	return exitOK
}

// settings are the flags.
type settings struct {
	sampler sampler.Options
	socket  string
	print   time.Duration
	version bool
}

const about = `plimsoll-probe looks at the workers of PHP-FPM on this host: what they wait for, for
which request, at which place of the program, and with which statement. The agent reads it.

Usage:
  plimsoll-probe [flags]

Flags:
`

func parse(args []string, out, log io.Writer) (settings, error) {
	s := settings{sampler: sampler.Options{Version: version, Backends: map[string]snapshot.PHPState{}}}
	f := flag.NewFlagSet("plimsoll-probe", flag.ContinueOnError)
	f.SetOutput(log)
	f.Usage = func() {
		fmt.Fprint(f.Output(), about)
		f.PrintDefaults()
	}
	f.StringVar(&s.socket, "socket", phpfpm.ProbeSocket, "serve on this unix `socket`")
	f.DurationVar(&s.print, "print", 0, "look for this `long`, print the result as JSON, and end")
	f.BoolVar(&s.version, "version", false, "print the version")
	f.Float64Var(&s.sampler.Hertz, "hertz", sampler.DefaultHertz, "look at workers this `often` a second, 1 to 200")
	f.Float64Var(&s.sampler.MostCPU, "max-cpu", sampler.DefaultMostCPU, "take at most this `share` of one processor")
	f.Func("backend", "what is behind an address, as in 10.0.0.5:3310=mysql, :3310=mysql or /run/db.sock=mysql; "+
		"may be repeated", s.backend)
	for _, arg := range args {
		if arg == "--help" || arg == "-help" || arg == "-h" {
			f.SetOutput(out)
		}
	}
	if err := f.Parse(args); err != nil {
		return s, err
	}
	return s, s.check(f, log)
}

func (s *settings) check(f *flag.FlagSet, log io.Writer) error {
	var err error
	switch o := s.sampler; {
	case f.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", f.Arg(0))
	case o.Hertz < 1 || o.Hertz > 200:
		err = fmt.Errorf("-hertz: %g is not between 1 and 200", o.Hertz)
	case o.MostCPU <= 0 || o.MostCPU > 1:
		err = fmt.Errorf("-max-cpu: %g is not above 0 and at most 1", o.MostCPU)
	}
	if err != nil {
		fmt.Fprintln(log, "plimsoll-probe:", err)
	}
	return err
}

func (s *settings) backend(text string) error {
	i := strings.LastIndexByte(text, '=')
	if i <= 0 {
		return errors.New("write ADDRESS=STATE")
	}
	var known []string
	for _, state := range snapshot.PHPStates() {
		if text[i+1:] == string(state) {
			s.sampler.Backends[text[:i]] = state
			return nil
		}
		known = append(known, string(state))
	}
	return fmt.Errorf("%q is no state; choose one of %s", text[i+1:], strings.Join(known, ", "))
}
