package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"plimsoll/advisor/report"
	"plimsoll/rules"
)

// source is where a command gets the report from.
type source struct{ file, url string }

func (s *source) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.file, "file", "", "report to read (default: the one that `plimsoll serve` wrote last)")
	cmd.Flags().StringVar(&s.url, "url", "", "address of a running advisor, such as http://127.0.0.1:9898")
	cmd.MarkFlagsMutuallyExclusive("file", "url")
}

func (s *source) read(cmd *cobra.Command) (*report.Report, error) {
	if s.url != "" {
		return fetchReport(cmd.Context(), s.url)
	}
	path := s.file
	if path == "" {
		c, err := readConfig(cmd)
		if err != nil {
			return nil, err
		}
		path = filepath.Join(c.Data, "reports", "latest.json")
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && s.file == "" {
		return nil, fmt.Errorf("there is no report at %s yet: start `plimsoll serve`, or run `plimsoll check`", path)
	}
	if err != nil {
		return nil, fmt.Errorf("read report: %w", err)
	}
	defer f.Close()
	return report.Read(f)
}

// maxReport is far above what a thousand hosts' report takes.
const maxReport = 64 << 20

func fetchReport(ctx context.Context, base string) (*report.Report, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("--url %q is not an address; write it like http://127.0.0.1:9898", base)
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.JoinPath("report.json").String(), nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, fmt.Errorf("fetch report: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 300))
		return nil, fmt.Errorf("fetch report from %s: %s: %s", u.Host, answer.Status, strings.TrimSpace(string(text)))
	}
	return report.Read(io.LimitReader(answer.Body, maxReport))
}

// output is how a command writes a report.
type output struct {
	format string
	to     string
	failOn string
	strict bool
}

func (o *output) flags(cmd *cobra.Command) {
	formatFlags(cmd, &o.format, &o.to)
	cmd.Flags().StringVar(&o.failOn, "fail-on", "", "exit with 1 if a finding is open at this severity or above: "+listed(severities()))
	cmd.Flags().BoolVar(&o.strict, "strict", false, "exit with 3 if a rule could not judge or an agent could not be read")
	complete(cmd, "fail-on", severities()...)
}

func severities() []rules.Severity {
	return []rules.Severity{rules.Critical, rules.High, rules.Medium, rules.Low, rules.Info}
}

func (o *output) check() error {
	if err := checkValue("format", o.format, formats()); err != nil || o.failOn == "" {
		return err
	}
	return checkValue("fail-on", rules.Severity(o.failOn), severities())
}

// write renders r, and returns the exit that --fail-on and --strict ask for.
func (o *output) write(cmd *cobra.Command, r *report.Report) error {
	body, err := o.render(cmd, r)
	if err != nil {
		return internal(err)
	}
	if o.to != "" {
		if err := os.WriteFile(o.to, body, 0o644); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	} else if _, err := cmd.OutOrStdout().Write(body); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if o.failOn != "" && slices.ContainsFunc(r.Findings, func(e report.Entry) bool {
		return e.Open() && e.Severity.Rank() <= rules.Severity(o.failOn).Rank()
	}) {
		return exit{code: exitFindings}
	}
	if o.strict && len(r.NotReady)+len(r.Unreachable) > 0 {
		return exit{code: exitStrict}
	}
	return nil
}

func (o *output) render(cmd *cobra.Command, r *report.Report) ([]byte, error) {
	switch o.format {
	case "html":
		return r.HTML()
	case "md":
		return r.Markdown()
	case "json":
		return r.JSON()
	}
	return r.Text(report.TextOptions{Width: 80, Colour: o.to == "" && colourful(cmd.OutOrStdout())}), nil
}

func newReport() *cobra.Command {
	var from source
	var out output
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Show the latest report in any format",
		Example: "  plimsoll report\n" +
			"  plimsoll report --format html --output report.html\n" +
			"  plimsoll report --url http://127.0.0.1:9898 --fail-on high",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := out.check(); err != nil {
				return err
			}
			r, err := from.read(cmd)
			if err != nil {
				return err
			}
			return out.write(cmd, r)
		},
	}
	from.flags(cmd)
	out.flags(cmd)
	return cmd
}
