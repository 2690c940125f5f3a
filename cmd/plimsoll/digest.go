package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"plimsoll/advisor/digest"
	"plimsoll/collectors/slowlog"
)

func newDigest() *cobra.Command {
	var d digester
	cmd := &cobra.Command{
		Use:   "digest FILE…",
		Short: "Rank the statements of slow query logs",
		Long: "Reads slow query logs of MySQL, MariaDB, Percona Server, Aurora and RDS, plain or compressed with gzip or\n" +
			"zstd, and ranks their statements. - is standard input. What a log does not tell is shown as –, never as 0.\n" +
			"Only --samples full shows literals. docs/digest.md says what each figure means and how exact it is.\n\n" +
			"Times are UTC: 2026-11-20, '2026-11-20 14:30', 2026-11-20T14:30:00+01:00, or how long ago: 90m, 24h.\n" +
			"A filter is KEY=VALUE; keys are " + strings.Join(filterKeys(), ", ") + ". Of filters with one key one\n" +
			"must match, of different keys all. min-time=100ms keeps calls that took so long at least.\n\n" +
			"Exit codes: 0, even if parts of a log had to be skipped, which standard error tells; 3 in that case with\n" +
			"--strict; 2 if nothing could be read.",
		Example: "  plimsoll digest /var/log/mysql/slow.log\n" +
			"  plimsoll digest --since 24h --sort p95 --top 10 slow.log slow.log.1.gz\n" +
			"  plimsoll digest --filter database=shop --filter class=dml --filter min-time=1s slow.log\n" +
			"  plimsoll digest --format html --output digest.html slow.log\n" +
			"  plimsoll digest --compare before.log after.log\n" +
			"  ssh db1 cat /var/log/mysql/slow.log | plimsoll digest --format json - >digest.json\n" +
			"  plimsoll digest --compare digest.json slow.log                 with what an earlier digest kept",
		Args: cobra.MinimumNArgs(1),
		RunE: d.run,
	}
	d.flags(cmd)
	return cmd
}

// digester is what the command line asks for.
type digester struct {
	format, to    string
	sort, samples string
	top           int
	plans, strict bool
	since, until  string
	filters       []string
	compare       []string
	log           slowlog.Options
}

func (d *digester) flags(cmd *cobra.Command) {
	formatFlags(cmd, &d.format, &d.to)
	sqlModeFlags(cmd, &d.log.SQL)
	f := cmd.Flags()
	f.StringVar(&d.sort, "sort", string(digest.ByTime), "order of the statements, the most first: "+listed(digest.Sorts()))
	f.IntVar(&d.top, "top", 20, "how many statements to list; 0 is all, which is the default of json")
	f.StringVar(&d.since, "since", "", "leave out calls before this time")
	f.StringVar(&d.until, "until", "", "leave out calls at this time and after")
	f.StringArrayVar(&d.filters, "filter", nil, "keep only what matches KEY=VALUE; may be repeated")
	f.StringArrayVar(&d.compare, "compare", nil, "slow log, or digest as JSON, of the time before: what is new, gone, slower, faster; may be repeated")
	f.BoolVar(&d.plans, "explain-plans", false, "show the plans that MariaDB writes at log_slow_verbosity=explain")
	f.StringVar(&d.samples, "samples", string(digest.Redacted), "the slowest call of each statement: redacted, full (with its literals, the data of customers) or none")
	f.BoolVar(&d.strict, "strict", false, "exit with 3 if a part of a log could not be read")
	f.Uint64Var(&d.log.RateLimit, "rate-limit", 0, "log_slow_rate_limit of a MariaDB server, whose log does not tell it")
	f.DurationVar(&d.log.AlwaysLogged, "always-logged", 0, "from which duration on every call is logged in spite of a rate limit (default: 10s for Percona Server)")
	complete(cmd, "sort", digest.Sorts()...)
	complete(cmd, "samples", digest.SampleKinds()...)
	_ = cmd.RegisterFlagCompletionFunc("filter", completeFilter)
}

func (d *digester) run(cmd *cobra.Command, args []string) error {
	how, err := d.options(cmd, time.Now())
	if err != nil {
		return err
	}
	// Nearly all that is kept stays to the end, so that there is little to collect.
	defer debug.SetGCPercent(debug.SetGCPercent(200))
	r := digestReader{log: d.log, how: how, warn: cmd.ErrOrStderr()}
	shown, err := d.read(cmd, &r, args)
	if err != nil {
		return err
	}
	if err := d.write(cmd, shown); err != nil {
		return err
	}
	if d.strict && r.incomplete {
		return exit{code: exitStrict}
	}
	return nil
}

// options checks the command line, and completes d.log.
func (d *digester) options(cmd *cobra.Command, now time.Time) (digest.Options, error) {
	how := digest.Options{Version: version, Sort: digest.Sort(d.sort), Top: d.top, Samples: digest.Samples(d.samples), Plans: d.plans}
	err := cmp.Or(
		checkValue("format", d.format, formats()),
		checkValue("sort", how.Sort, digest.Sorts()),
		checkValue("samples", how.Samples, digest.SampleKinds()),
	)
	if err == nil && d.top < 0 {
		err = fmt.Errorf("--top %d: allowed is 0, for all, and above", d.top)
	}
	if err != nil {
		return how, err
	}
	if d.format == "json" && !cmd.Flags().Changed("top") {
		how.Top = 0
	}
	k, err := newCallFilter(d.filters, d.since, d.until, now)
	if err != nil {
		return how, err
	}
	d.log.Keep, how.Keep = k.entries(), k.classes()
	return how, nil
}

// rendering is a digest or a comparison.
type rendering interface {
	Text(digest.TextOptions) []byte
	JSON(to io.Writer) error
	Markdown() ([]byte, error)
	HTML() ([]byte, error)
}

// read reads what is to be shown.
func (d *digester) read(cmd *cobra.Command, r *digestReader, files []string) (rendering, error) {
	if len(d.compare) == 0 {
		return r.read(cmd.Context(), files)
	}
	top := r.how.Top
	r.how.Top, r.how.Samples, r.how.Plans = 0, digest.None, false // a comparison is of the figures of all
	before, err := r.readBefore(cmd.Context(), d.compare)
	if err != nil {
		return nil, err
	}
	after, err := r.read(cmd.Context(), files)
	if err != nil {
		return nil, err
	}
	return digest.Compare(before, after, top)
}

func (d *digester) write(cmd *cobra.Command, shown rendering) error {
	if d.samples == string(digest.Full) && len(d.compare) == 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "plimsoll: --samples full: this digest shows literals, which are data of your customers; do not pass it on")
	}
	if d.to == "" {
		return d.render(cmd, shown, cmd.OutOrStdout())
	}
	// Samples can hold literals: this is for the user alone.
	f, err := os.OpenFile(d.to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write digest: %w", err)
	}
	err = d.render(cmd, shown, f)
	if closed := f.Close(); err == nil && closed != nil {
		err = fmt.Errorf("write digest: %w", closed)
	}
	return err
}

func (d *digester) render(cmd *cobra.Command, shown rendering, to io.Writer) error {
	var body []byte
	var err error
	switch d.format {
	case "json":
		if err := shown.JSON(to); err != nil {
			return fmt.Errorf("write digest: %w", err)
		}
		return nil
	case "html":
		body, err = shown.HTML()
	case "md":
		body, err = shown.Markdown()
	default:
		body = shown.Text(digest.TextOptions{Colour: d.to == "" && colourful(cmd.OutOrStdout())})
	}
	if err != nil {
		return internal(err)
	}
	if _, err = to.Write(body); err != nil {
		return fmt.Errorf("write digest: %w", err)
	}
	return nil
}
