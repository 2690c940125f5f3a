package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"plimsoll/advisor/layout"
	"plimsoll/advisor/report"
	"plimsoll/rules"
)

func newExplain() *cobra.Command {
	var from source
	cmd := &cobra.Command{
		Use:   "explain RULE|FINDING",
		Short: "Say why: a rule with its thresholds, or a finding with every figure behind it",
		Example: "  plimsoll explain mysql/missing-index\n" +
			"  plimsoll explain 3f1c2a9b        the start of a finding's fingerprint is enough",
		Args: cobra.ExactArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return ruleIDs(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if rule, ok := findRule(rules.ID(args[0])); ok {
				return explainRule(cmd, &from, rule)
			}
			r, err := from.read(cmd)
			if err != nil {
				return err
			}
			return explainFinding(cmd, r, args[0])
		},
	}
	from.flags(cmd)
	return cmd
}

// explainRule says what a rule needs, and, where there is a report, what it found
// and why it could not judge.
func explainRule(cmd *cobra.Command, from *source, rule rules.Rule) error {
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "%s: %s\n\n", rule.ID, rule.Title)
	fmt.Fprintf(out, "  threshold   %s, %s\n", rules.Words(rule.Threshold.Value, rule.Threshold.Unit), rule.Threshold.Source)
	fmt.Fprintf(out, "  needs       %s\n", strings.Join(rule.Needs, ", "))
	fmt.Fprintf(out, "  window      %s at least, %s for full confidence\n",
		rules.Words(rule.MinWindow.Seconds(), rules.Seconds), rules.Words(rule.Window.Seconds(), rules.Seconds))
	fmt.Fprintf(out, "  page        docs/rules/%s.md\n", rule.ID)
	r, err := from.read(cmd)
	if err != nil {
		fmt.Fprintf(out, "\nNo report to look into: %v\n", err)
		return nil
	}
	for _, n := range r.NotReady {
		if n.Rule == rule.ID {
			fmt.Fprintf(out, "\nNot ready for %s: %s\n", layout.Clean(n.Subject.String()), layout.Clean(n.Reason))
			if n.Remedy != "" {
				fmt.Fprintf(out, "  to do: %s\n", layout.Clean(n.Remedy))
			}
		}
	}
	for _, e := range r.Findings {
		if e.Rule == rule.ID {
			fmt.Fprintln(out)
			fmt.Fprint(out, string(report.Explain(e)))
		}
	}
	return nil
}

func explainFinding(cmd *cobra.Command, r *report.Report, fingerprint string) error {
	var found []report.Entry
	for _, e := range slices.Concat(r.Findings, r.Gone) {
		if strings.HasPrefix(e.Fingerprint, fingerprint) {
			found = append(found, e)
		}
	}
	switch len(found) {
	case 0:
		return fmt.Errorf("%q is neither a rule nor a finding of the report of %s; `plimsoll rules list` names the rules, `plimsoll report` the findings",
			fingerprint, r.Generated.UTC().Format("2006-01-02 15:04 MST"))
	case 1:
		fmt.Fprint(cmd.OutOrStdout(), string(report.Explain(found[0])))
		return nil
	}
	return fmt.Errorf("%q is the start of %d fingerprints; give more of it", fingerprint, len(found))
}

func findRule(id rules.ID) (rules.Rule, bool) {
	all := rules.All()
	i := slices.IndexFunc(all, func(r rules.Rule) bool { return r.ID == id })
	if i < 0 {
		return rules.Rule{}, false
	}
	return all[i], true
}

func ruleIDs() []string {
	var out []string
	for _, r := range rules.All() {
		out = append(out, string(r.ID)+"\t"+r.Title)
	}
	return out
}
