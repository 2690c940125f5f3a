package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"plimsoll/dashboards"
	"plimsoll/rules"
)

func newDashboards() *cobra.Command {
	cmd := &cobra.Command{Use: "dashboards", Short: "Dashboards for Grafana"}
	cmd.AddCommand(newDashboardsRender())
	return cmd
}

func newDashboardsRender() *cobra.Command {
	var out, prefix string
	cmd := &cobra.Command{
		Use:   "render",
		Short: "Write every dashboard as a JSON file to import into Grafana",
		Long: "Write every dashboard as a JSON file. Import them in Grafana (10 or later) by hand, or by a file provider;\n" +
			"each asks for its data source, which may be Prometheus or `plimsoll serve` itself.",
		Example: "  plimsoll dashboards render --output /etc/grafana/dashboards/plimsoll",
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
			paths, err := dashboards.Render(out, dashboards.Options{UIDPrefix: prefix, Rules: judged})
			if err != nil {
				return err
			}
			for _, path := range paths {
				fmt.Fprintln(cmd.OutOrStdout(), path)
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "dashboards", "folder to write to")
	cmd.Flags().StringVar(&prefix, "uid-prefix", dashboards.DefaultPrefix, "start of each dashboard's uid")
	return cmd
}
