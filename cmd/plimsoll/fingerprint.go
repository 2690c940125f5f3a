package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"plimsoll/collectors/sqltext"
)

func newFingerprint() *cobra.Command {
	var f fingerprinter
	cmd := &cobra.Command{
		Use:   "fingerprint",
		Short: "Print the identity of SQL statements, and their text without literals",
		Long: "Reads statements from standard input, one a line, and prints for each its fingerprint, a tab and its\n" +
			"text without literals, in one line. Empty lines are skipped. What a program sent and what a server shows\n" +
			"in DIGEST_TEXT have the same fingerprint. The text of one that was cut off begins with fp1t: in place\n" +
			"of fp1:. See docs/digest.md.",
		Example: "  echo \"SELECT * FROM t WHERE id IN (1, 2)\" | plimsoll fingerprint\n" +
			"  plimsoll fingerprint <statements.sql | sort | uniq -c | sort -rn\n" +
			"  printf '%s\\0' \"$first\" \"$second\" | plimsoll fingerprint -0      statements of several lines\n" +
			"  plimsoll fingerprint --families <statements.sql                wp_2_posts and wp_12_posts are one",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return f.run(cmd.InOrStdin(), cmd.OutOrStdout()) },
	}
	sqlModeFlags(cmd, &f.digester.Options)
	cmd.Flags().BoolVarP(&f.nul, "null", "0", false, "statements end in NUL, not in a line's end")
	cmd.Flags().BoolVar(&f.families, "families", false, "tables that differ in numbers only are one")
	return cmd
}

// sqlModeFlags let a command line say how a server reads quotes.
func sqlModeFlags(cmd *cobra.Command, o *sqltext.Options) {
	cmd.Flags().BoolVar(&o.ANSIQuotes, "ansi-quotes", false, `"x" is a name: sql_mode has ANSI_QUOTES`)
	cmd.Flags().BoolVar(&o.NoBackslashEscapes, "no-backslash-escapes", false, `\ in a string is itself: sql_mode has NO_BACKSLASH_ESCAPES`)
}

// fingerprinter is what the command line asks for.
type fingerprinter struct {
	digester sqltext.Digester
	nul      bool
	families bool
}

// maxStatement is the longest statement that is read, in bytes. It is MySQL's max_allowed_packet by
// default, beyond which a server takes none.
const maxStatement = 64 << 20

// run prints a line for each statement of in.
func (f *fingerprinter) run(in io.Reader, out io.Writer) error {
	statements := bufio.NewScanner(in)
	statements.Buffer(nil, maxStatement)
	if f.nul {
		statements.Split(splitNUL)
	}
	w, watched := bufio.NewWriter(out), terminal(out)
	n := 0
	for statements.Scan() {
		n++
		if len(bytes.TrimSpace(statements.Bytes())) == 0 {
			continue
		}
		st := f.parse(statements.Bytes())
		fmt.Fprintf(w, "%s\t%s\n", st.Fingerprint, st.Text)
		if watched {
			_ = w.Flush() // an error comes again below
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write fingerprints: %w", err)
	}
	if err := statements.Err(); err != nil {
		return fmt.Errorf("read statement %d of standard input: %w", n+1, f.advise(err))
	}
	return nil
}

func (f *fingerprinter) parse(sql []byte) sqltext.Statement {
	if f.families {
		return f.digester.Options.ParseFamily(string(sql))
	}
	return f.digester.Describe(sql)
}

// advise says what to do about a statement that is too long.
func (f *fingerprinter) advise(err error) error {
	if !errors.Is(err, bufio.ErrTooLong) {
		return err
	}
	separator := "a line's end; with -0 it is NUL"
	if f.nul {
		separator = "NUL; without -0 it is a line's end"
	}
	return fmt.Errorf("it is longer than %d MiB: the separator is %s", maxStatement>>20, separator)
}

// splitNUL splits at NUL, for a bufio.Scanner.
func splitNUL(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}
