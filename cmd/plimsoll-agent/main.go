// Command plimsoll-agent reads the servers of one host and serves what it reads
// as metrics and snapshots. Run it with --help for its commands.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// version is set by the linker.
var version = "devel"

// Exit codes, those of all programs of Plimsoll.
const (
	exitOK       = 0
	exitUsage    = 2 // usage, configuration, or something that the user can repair
	exitInternal = 4
)

// program is one run of the command: what it was given and where it writes.
type program struct {
	out, err io.Writer
}

// command is one of the program's commands.
type command struct {
	name    string
	summary string
	run     func(p program, ctx context.Context, args []string) error
}

func commands() []command {
	return []command{
		{"run", "read the servers of this host and serve what is read (the default)", program.run},
		{"once", "read everything once and print the snapshot as JSON", program.once},
		{"check-config", "check the configuration and the files it names", program.checkConfig},
		{"init", "install the certificates that 'plimsoll enroll' wrote for this host", program.init},
		{"restore", "undo changes to servers that a killed agent left behind", program.restore},
		{"version", "print the version", program.version},
	}
}

func main() { os.Exit(start(os.Args[1:])) }

// start runs the program until it is done or told to stop, and returns its exit
// code.
func start(args []string) (code int) {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	context.AfterFunc(ctx, cancel) // A second signal ends the program at once.
	p := program{out: os.Stdout, err: os.Stderr}
	defer func() {
		if bug := recover(); bug != nil {
			fmt.Fprintf(p.err, "plimsoll-agent: BUG: %v\n%s", bug, debug.Stack())
			code = exitInternal
		}
	}()
	err := p.dispatch(ctx, args)
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return exitOK
	case errors.Is(err, errUsage):
		return exitUsage
	}
	fmt.Fprintln(p.err, "plimsoll-agent:", err)
	return exitUsage
}

func (p program) dispatch(ctx context.Context, args []string) error {
	if len(args) > 0 && (args[0] == "help" || args[0] == "--help" || args[0] == "-h") {
		p.usage(p.out)
		return nil
	}
	name, rest := "run", args
	if len(args) > 0 && len(args[0]) > 0 && args[0][0] != '-' {
		name, rest = args[0], args[1:]
	}
	for _, c := range commands() {
		if c.name == name {
			return c.run(p, ctx, rest)
		}
	}
	fmt.Fprintf(p.err, "plimsoll-agent: unknown command %q\n\n", name)
	p.usage(p.err)
	return errUsage
}

// errUsage is returned when the mistake has been explained already.
var errUsage = errors.New("wrong usage")

func (p program) usage(w io.Writer) {
	fmt.Fprint(w, `plimsoll-agent reads the MySQL and MariaDB servers of this host and the host
itself, and serves metrics and snapshots. Without configuration it reads what it
finds.

Usage:
  plimsoll-agent [command] [flags]

Commands:
`)
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-14s%s\n", c.name, c.summary)
	}
	fmt.Fprint(w, `
Examples:
  plimsoll-agent check-config --config agent.yml   say what is wrong with a file
  plimsoll-agent once | jq .gaps                   what can be seen, and what not
  plimsoll-agent init --bundle web1.tar            install certificates, print the scrape snippet
  curl -s 127.0.0.1:9897/metrics                   what a running agent shows

Run 'plimsoll-agent COMMAND --help' for the flags of a command.
`)
}

// flags returns the flag set of a command, whose help is about and its flags.
func (p program) flags(name, about string) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(p.err)
	f.Usage = func() {
		fmt.Fprintf(f.Output(), "%s\n\nUsage:\n  plimsoll-agent %s [flags]\n\nFlags:\n", about, name)
		f.PrintDefaults()
		fmt.Fprint(f.Output(), "  -help\n    \tprint this text\n")
	}
	return f
}

// parse reads args, which may hold flags only.
func (p program) parse(f *flag.FlagSet, args []string) error {
	for _, arg := range args {
		if arg == "--help" || arg == "-help" || arg == "-h" {
			f.SetOutput(p.out)
		}
	}
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return errUsage
	}
	if f.NArg() > 0 {
		fmt.Fprintf(p.err, "plimsoll-agent %s: unexpected argument %q\n", f.Name(), f.Arg(0))
		return errUsage
	}
	return nil
}

func (p program) version(_ context.Context, args []string) error {
	if err := p.parse(p.flags("version", "Prints the version."), args); err != nil {
		return err
	}
	fmt.Fprintln(p.out, "plimsoll-agent", version)
	return nil
}

// restore has nothing to do as long as no collector changes a server.
func (p program) restore(_ context.Context, args []string) error {
	f := p.flags("restore", "Undoes changes to servers that a killed agent left behind.")
	if err := p.parse(f, args); err != nil {
		return err
	}
	fmt.Fprintln(p.out, "nothing to restore: this agent changes no server")
	return nil
}
