// Command plimsoll is the advisor and every command for people: it judges what
// the agents see, writes reports, and renders dashboards.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the linker.
var version = "devel"

// The exit codes, for scripts.
const (
	exitFine     = 0
	exitFindings = 1
	exitUsage    = 2
	exitStrict   = 3
	exitInternal = 4
)

// exit is an error with an exit code. Its error may be nil: the code then says
// it all.
type exit struct {
	code int
	err  error
}

func (e exit) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e exit) Unwrap() error { return e.err }

// internal marks an error that is no fault of the user's.
func internal(err error) error {
	if err == nil {
		return nil
	}
	return exit{exitInternal, err}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run executes one command line and returns its exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitFine
	}
	var e exit
	if !errors.As(err, &e) {
		e = exit{exitUsage, err}
	}
	if e.Error() != "" {
		fmt.Fprintln(stderr, "plimsoll: "+e.Error())
	}
	return e.code
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "plimsoll",
		Short: "Says how much load a PHP and MySQL site can carry, and what to change next",
		Long: "Plimsoll watches a PHP and MySQL site from every host and says what to change next:\n" +
			"with the evidence, the expected gain, and afterwards the measured effect.",
		Example:       "  plimsoll check                       look at this host for a minute, and report\n  plimsoll serve                       judge a fleet of agents for ever\n  plimsoll report --format html >r.html",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.PersistentFlags().String("config", "/etc/plimsoll/plimsoll.yml", "configuration of the advisor")
	root.AddCommand(
		newCheck(), newServe(), newReport(), newExplain(), newAck(), newEnroll(),
		newDigest(), newFingerprint(), newIndex(), newDashboards(), newRules(), newVersion(),
	)
	root.SetFlagErrorFunc(seeHelp)
	pointToHelp(root)
	return root
}

// seeHelp adds the next step to a mistake in c's command line.
func seeHelp(c *cobra.Command, err error) error {
	return fmt.Errorf("%w; see '%s --help'", err, c.CommandPath())
}

// pointToHelp lets c and all below it say where to read on when an argument is
// missing or too many, which cobra counts and does not explain.
func pointToHelp(c *cobra.Command) {
	if count := c.Args; count != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := count(c, args); err != nil {
				return seeHelp(c, err)
			}
			return nil
		}
	}
	for _, below := range c.Commands() {
		pointToHelp(below)
	}
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) {
			fmt.Fprintln(cmd.OutOrStdout(), "plimsoll "+version)
		},
	}
}
