package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"plimsoll/rules"
)

func newRules() *cobra.Command {
	cmd := &cobra.Command{Use: "rules", Short: "The rules that Plimsoll judges by"}
	cmd.AddCommand(newRulesList())
	return cmd
}

func newRulesList() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List all rules with their thresholds",
		Example: "  plimsoll rules list\n  plimsoll rules list --format json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := readConfig(cmd)
			if err != nil {
				return err
			}
			judged, _, err := rules.Configure(rules.All(), c.Settings())
			if err != nil {
				return err
			}
			switch format {
			case "text":
				return listRules(cmd, judged)
			case "json":
				return listRulesJSON(cmd, judged)
			}
			return fmt.Errorf("--format %q: allowed are text and json", format)
		},
	}
	cmd.Flags().StringVarP(&format, "format", "f", "text", "text or json")
	return cmd
}

func listRules(cmd *cobra.Command, judged []rules.Rule) error {
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RULE\tTHRESHOLD\tTITLE")
	for _, r := range judged {
		fmt.Fprintf(w, "%s\t%s\t%s\n", r.ID, rules.Words(r.Threshold.Value, r.Threshold.Unit), r.Title)
	}
	return w.Flush()
}

// listedRule is a rule in JSON.
type listedRule struct {
	ID              rules.ID   `json:"id"`
	Title           string     `json:"title"`
	Needs           []string   `json:"needs"`
	MinWindow       float64    `json:"min_window_seconds"`
	Window          float64    `json:"window_seconds"`
	Threshold       float64    `json:"threshold"`
	ThresholdUnit   rules.Unit `json:"threshold_unit"`
	ThresholdSource string     `json:"threshold_source"`
}

func listRulesJSON(cmd *cobra.Command, judged []rules.Rule) error {
	out := make([]listedRule, 0, len(judged))
	for _, r := range judged {
		out = append(out, listedRule{
			ID: r.ID, Title: r.Title, Needs: r.Needs,
			MinWindow: r.MinWindow.Seconds(), Window: r.Window.Seconds(),
			Threshold: r.Threshold.Value, ThresholdUnit: r.Threshold.Unit, ThresholdSource: r.Threshold.Source,
		})
	}
	e := json.NewEncoder(cmd.OutOrStdout())
	e.SetIndent("", "  ")
	return e.Encode(out)
}
