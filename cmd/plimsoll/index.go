package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"plimsoll/advisor/digest"
	"plimsoll/advisor/indexes"
	"plimsoll/rules/index"
)

func newIndex() *cobra.Command {
	var x indexer
	cmd := &cobra.Command{
		Use:   "index",
		Short: "Advise indexes for a whole workload: to add, extend, drop, and what else to do",
		Long: "Reads the tables of a server and the statements that it ran, and says which indexes to add, to extend and to\n" +
			"drop, which statistics to collect, and which comparisons to write otherwise. Nothing is changed on the server,\n" +
			"and no row leaves it: of up to --sample rows of each table the values of columns are counted, where the account\n" +
			"may read them; REFERENCES alone lets it see tables and no row. Every figure of an advice is an estimate.\n\n" +
			"The facts come from a server (--mysql, --defaults-file), from an agent's snapshot (--snapshot), or from files:\n" +
			"--schema, --stats or both, with --log or --digests. --stats is what --dump-stats writes. docs/index.md says\n" +
			"how advice is found, what each figure means, and what is not seen.\n\n" +
			"Exit codes: 0; 1 if there is advice of a kind that --fail-on names; 2 if something could not be read.",
		Example: "  plimsoll index --mysql 'plimsoll:secret@tcp(db1:3306)/'\n" +
			"  plimsoll index --snapshot snapshot.json --format md\n" +
			"  plimsoll index --schema dump.sql --log slow.log\n" +
			"  plimsoll index --dump-stats 'plimsoll:secret@tcp(db1:3306)/' >stats.json\n" +
			"  plimsoll index --stats stats.json --digests digests.json --budget 200MB --format sql\n" +
			"  plimsoll index --stats stats.json --log slow.log --fail-on add,extend",
		Args: cobra.NoArgs,
		RunE: x.run,
	}
	x.flags(cmd)
	return cmd
}

// indexer is what the command line asks for.
type indexer struct {
	login              login
	snapshot, server   string
	schema, stats      string
	log                []string
	digests, dumpStats string
	format, to, budget string
	failOn             []string
	maxPerTable        int
	sample             int
}

func (x *indexer) flags(cmd *cobra.Command) {
	x.login.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&x.snapshot, "snapshot", "", "file of snapshots, as plimsoll-agent once prints them")
	f.StringVar(&x.server, "server", "", "which server of a snapshot, if it has several")
	f.StringVar(&x.schema, "schema", "", "dump of the tables: mysqldump --no-data")
	f.StringVar(&x.stats, "stats", "", "statistics of the tables, as --dump-stats writes them")
	f.StringArrayVar(&x.log, "log", nil, "slow log with the statements; may be repeated")
	f.StringVar(&x.digests, "digests", "", "the statements as plimsoll digest --format json writes them")
	f.StringVar(&x.dumpStats, "dump-stats", "", "write the statistics of the server with this DSN, and nothing else")
	f.IntVar(&x.sample, "sample", 20000, "of how many rows of each table of a server values are counted; 0 reads no row")
	f.StringVar(&x.budget, "budget", "", "how large the new indexes may be together, such as 500MB (default: any size)")
	f.IntVar(&x.maxPerTable, "max-per-table", index.DefaultMaxPerTable, "how many indexes a table may have with the new ones")
	f.StringSliceVar(&x.failOn, "fail-on", nil, "exit with 1 if there is advice of these kinds: "+listed(kinds()))
	f.StringVarP(&x.format, "format", "f", "text", listed(indexFormats()))
	f.StringVarP(&x.to, "output", "o", "", "file to write (default: standard output)")
	complete(cmd, "format", indexFormats()...)
	complete(cmd, "fail-on", kinds()...)
	cmd.MarkFlagsMutuallyExclusive("log", "digests")
	cmd.MarkFlagsMutuallyExclusive("mysql", "defaults-file", "snapshot", "schema", "dump-stats")
	cmd.MarkFlagsMutuallyExclusive("mysql", "defaults-file", "snapshot", "stats", "dump-stats")
}

func indexFormats() []string { return []string{"text", "md", "json", "sql"} }

func kinds() []index.Kind {
	return []index.Kind{index.Add, index.Extend, index.Drop, index.Analyze, index.Rewrite}
}

func (x *indexer) run(cmd *cobra.Command, _ []string) error {
	o, err := x.options()
	if err != nil {
		return err
	}
	if x.dumpStats != "" {
		return x.writeStatistics(cmd)
	}
	facts, err := x.facts(cmd)
	if err != nil {
		return err
	}
	r := indexes.New(facts, o, version)
	if err := x.write(cmd, r); err != nil {
		return err
	}
	for _, kind := range x.failOn {
		if r.Has(index.Kind(kind)) {
			return exit{code: exitFindings}
		}
	}
	return nil
}

// options checks the command line.
func (x *indexer) options() (index.Options, error) {
	o := index.Options{MaxPerTable: x.maxPerTable}
	if err := checkValue("format", x.format, indexFormats()); err != nil {
		return o, err
	}
	for _, kind := range x.failOn {
		if err := checkValue("fail-on", index.Kind(kind), kinds()); err != nil {
			return o, err
		}
	}
	if x.maxPerTable < 1 || x.maxPerTable > 64 {
		return o, fmt.Errorf("--max-per-table %d: allowed is 1 to 64, the most that a server has", x.maxPerTable)
	}
	if x.sample < 0 || x.sample > mostSampled {
		return o, fmt.Errorf("--sample %d: allowed is 0, for no row, to %d", x.sample, mostSampled)
	}
	bytes, err := parseBytes(x.budget)
	if err != nil {
		return o, fmt.Errorf("--budget %q: %w", x.budget, err)
	}
	o.BudgetBytes = bytes
	return o, nil
}

// mostSampled is how many rows of a table are read at most: a second's worth.
const mostSampled = 1_000_000

// parseBytes reads a size such as 500MB, in bytes without a unit; an empty one is 0.
func parseBytes(text string) (float64, error) {
	if text == "" {
		return 0, nil
	}
	units := []struct {
		suffix string
		bytes  float64
	}{{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"TIB", 1 << 40}, {"GIB", 1 << 30}, {"MIB", 1 << 20}, {"KIB", 1 << 10}, {"B", 1}, {"", 1}}
	upper := strings.ToUpper(strings.ReplaceAll(text, " ", ""))
	for _, u := range units {
		number, ok := strings.CutSuffix(upper, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(number, 64)
		if err != nil || n <= 0 || n*u.bytes > 1e18 {
			break
		}
		return n * u.bytes, nil
	}
	return 0, errors.New("write it in bytes or with a unit, such as 500MB or 2GiB")
}

// facts reads what the analysis is made from.
func (x *indexer) facts(cmd *cobra.Command) (*indexes.Facts, error) {
	switch {
	case x.snapshot != "":
		return x.fromSnapshot()
	case x.schema != "" || x.stats != "":
		return x.fromFiles(cmd)
	case len(x.log) > 0 || x.digests != "":
		return nil, errors.New("statements need their tables: add --schema dump.sql, or --stats, which --dump-stats writes")
	}
	return x.fromServer(cmd)
}

func (x *indexer) fromSnapshot() (*indexes.Facts, error) {
	f, err := os.Open(x.snapshot)
	if err != nil {
		return nil, fmt.Errorf("read snapshot: %w", err)
	}
	defer f.Close()
	all, err := indexes.ReadSnapshots(f)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", x.snapshot, err)
	}
	facts, err := indexes.FromSnapshots(all, x.server)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", x.snapshot, err)
	}
	return facts, nil
}

func (x *indexer) fromFiles(cmd *cobra.Command) (*indexes.Facts, error) {
	tables, stats, err := x.tables()
	if err != nil {
		return nil, err
	}
	d, err := x.statements(cmd)
	if err != nil {
		return nil, err
	}
	return indexes.FromFiles(tables, stats, d)
}

// statements reads slow logs, or a digest of some.
func (x *indexer) statements(cmd *cobra.Command) (*digest.Digest, error) {
	r := digestReader{how: digest.Options{Version: version, Samples: digest.Full}, warn: cmd.ErrOrStderr()}
	switch {
	case len(x.log) > 0:
		return r.read(cmd.Context(), x.log)
	case x.digests == "":
		return nil, errors.New("tables need the statements that read them: add --log slow.log, or --digests, which plimsoll digest --format json writes")
	}
	if _, err := os.Stat(x.digests); err != nil {
		return nil, fmt.Errorf("read digests: %w", err)
	}
	d, err := readKept(x.digests)
	if err == nil && d == nil {
		err = fmt.Errorf("%s is not what plimsoll digest --format json writes; a slow log is given by --log", x.digests)
	}
	return d, err
}

func (x *indexer) write(cmd *cobra.Command, r *indexes.Report) error {
	var body bytes.Buffer
	switch x.format {
	case "json":
		if err := r.JSON(&body); err != nil {
			return internal(err)
		}
	case "md":
		text, err := r.Markdown()
		if err != nil {
			return internal(err)
		}
		body.Write(text)
	case "sql":
		body.Write(r.SQL())
	default:
		body.Write(r.Text(x.to == "" && colourful(cmd.OutOrStdout())))
	}
	return x.save(cmd, body.Bytes())
}

func (x *indexer) save(cmd *cobra.Command, body []byte) error {
	if x.to != "" {
		if err := os.WriteFile(x.to, body, 0o644); err != nil {
			return fmt.Errorf("write the advice: %w", err)
		}
		return nil
	}
	if _, err := cmd.OutOrStdout().Write(body); err != nil {
		return fmt.Errorf("write the advice: %w", err)
	}
	return nil
}

// indexLimit is how long a server may take to tell of its tables and statements.
const indexLimit = 3 * time.Minute
