package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// formats are those of reports and digests.
func formats() []string { return []string{"text", "html", "md", "json"} }

// formatFlags let a command line say how something is written, and where to.
func formatFlags(cmd *cobra.Command, format, to *string) {
	cmd.Flags().StringVarP(format, "format", "f", "text", listed(formats()))
	cmd.Flags().StringVarP(to, "output", "o", "", "file to write (default: standard output)")
	complete(cmd, "format", formats()...)
}

// checkValue refuses a value of a flag that is not among those that are allowed.
func checkValue[T ~string](flag string, value T, allowed []T) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return fmt.Errorf("--%s %q: allowed are %s", flag, value, listed(allowed))
}

// complete lets a shell complete the values of a flag.
func complete[T ~string](cmd *cobra.Command, flag string, values ...T) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(names(values), cobra.ShellCompDirectiveNoFileComp))
}

func names[T ~string](values []T) []string {
	out := make([]string, 0, len(values))
	for _, v := range values {
		out = append(out, string(v))
	}
	return out
}

// listed writes values for a sentence.
func listed[T ~string](values []T) string {
	all := names(values)
	last := len(all) - 1
	return strings.Join(all[:last], ", ") + " or " + all[last]
}
