package main

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"plimsoll/advisor/enroll"
)

func newEnroll() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "enroll HOST...",
		Short: "Write a bundle of certificates for each host's agent",
		Long: "Write a bundle for each host: a certificate, its key, the site's authority and web.yml, which lets in\n" +
			"the advisor only. The authority is made once, in the advisor's data folder.",
		Example: "  plimsoll enroll web1 web2 db1.shop.example\n" +
			"  scp plimsoll-web1.tar web1: && ssh web1 plimsoll-agent init --bundle plimsoll-web1.tar",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, hosts []string) error {
			c, err := readConfig(cmd)
			if err != nil {
				return err
			}
			dir := filepath.Join(c.Data, "ca")
			authority, err := enroll.Open(dir, time.Now())
			if err != nil {
				return err
			}
			for _, host := range hosts {
				path := filepath.Join(out, enroll.FileName(host))
				if err := authority.Bundle(path, host); err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s: install it there with: plimsoll-agent init --bundle %s\n", path, filepath.Base(path))
			}
			fmt.Fprintf(cmd.OutOrStdout(), "\nThe certificates hold until %s. In the advisor's configuration:\n%s",
				authority.Ends().Format(time.DateOnly), snippet(dir, hosts))
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", ".", "folder for the bundles")
	return cmd
}

// snippet is what to add to plimsoll.yml.
func snippet(dir string, hosts []string) string {
	var text strings.Builder
	text.WriteString("\nagents:\n  - static_configs:\n      - targets:\n")
	for _, host := range hosts {
		text.WriteString(fmt.Sprintf("          - %q\n", net.JoinHostPort(host, "9897")))
	}
	return text.String() + fmt.Sprintf("    tls_config: {ca_file: %s, cert_file: %s, key_file: %s}\n",
		filepath.Join(dir, "ca.pem"), filepath.Join(dir, enroll.AdvisorCert), filepath.Join(dir, enroll.AdvisorKey))
}
