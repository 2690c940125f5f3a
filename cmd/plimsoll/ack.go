package main

import (
	"cmp"
	"fmt"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"plimsoll/advisor/layout"
	"plimsoll/advisor/ledger"
	"plimsoll/advisor/report"
)

func newAck() *cobra.Command {
	var from source
	var who, why, until string
	cmd := &cobra.Command{
		Use:   "ack FINDING --why REASON [--until DATE]",
		Short: "Acknowledge a finding until a date",
		Long: "Acknowledge a finding: it stays in the report, apart, and fails no --fail-on until the date.\n" +
			"The acknowledgement is written to the file acks: of the configuration, which may be reviewed and kept in git.",
		Example: "  plimsoll ack 3f1c2a9b --why 'index comes with the release of 3 December' --until 2026-12-04",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := readConfig(cmd)
			if err != nil {
				return err
			}
			r, err := from.read(cmd)
			if err != nil {
				return err
			}
			e, err := findEntry(r, args[0])
			if err != nil {
				return err
			}
			day, err := time.Parse(time.DateOnly, until)
			if err != nil {
				return fmt.Errorf("--until %q is not a date; write it like 2026-12-31", until)
			}
			a := ledger.Ack{Fingerprint: e.Fingerprint, Who: cmp.Or(who, currentUser()), Why: why, Until: ledger.NewDate(day)}
			if err := ledger.AddAck(c.Acks, a, time.Now()); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s about %s is acknowledged until the end of %s (%s)\n", e.Rule, layout.Clean(e.Subject.String()), until, c.Acks)
			return nil
		},
	}
	from.flags(cmd)
	cmd.Flags().StringVar(&who, "who", "", "who acknowledges (default: the current user)")
	cmd.Flags().StringVar(&why, "why", "", "the reason, for whoever reads the report")
	cmd.Flags().StringVar(&until, "until", time.Now().AddDate(0, 0, 30).Format(time.DateOnly), "last day on which it holds; at most 180 days away")
	_ = cmd.MarkFlagRequired("why") // fails only for a flag that is not there
	return cmd
}

func findEntry(r *report.Report, fingerprint string) (report.Entry, error) {
	var found []report.Entry
	for _, e := range r.Findings {
		if strings.HasPrefix(e.Fingerprint, fingerprint) {
			found = append(found, e)
		}
	}
	if len(found) != 1 {
		return report.Entry{}, fmt.Errorf("%q is the start of %d fingerprints of the report, and must be of one; `plimsoll report` shows them", fingerprint, len(found))
	}
	return found[0], nil
}

func currentUser() string {
	u, err := user.Current()
	if err != nil {
		return "unknown"
	}
	return u.Username
}
