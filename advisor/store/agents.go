package store

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	config_util "github.com/prometheus/common/config"
	promconfig "github.com/prometheus/prometheus/config"
	// Service discovery registers its configuration's keys with Prometheus'
	// configuration when it is linked.
	_ "github.com/prometheus/prometheus/discovery/dns"
	_ "github.com/prometheus/prometheus/discovery/file"
	_ "github.com/prometheus/prometheus/discovery/http"
	"go.yaml.in/yaml/v3"
)

// Agents is one entry of the advisor's list `agents:`: where agents are found and
// how they are spoken to. It is a part of Prometheus' scrape_config, with the
// same keys and meanings, and with two things of ours:
//
//   - a target unix:PATH, in static_configs and in files only, is an agent's
//     socket on this host;
//   - the scheme is http there and on loopback, and https everywhere else.
type Agents struct {
	Static []StaticAgents `yaml:"static_configs,omitempty"`
	Files  []FileAgents   `yaml:"file_sd_configs,omitempty"`
	DNS    []DNSAgents    `yaml:"dns_sd_configs,omitempty"`
	HTTP   []HTTPAgents   `yaml:"http_sd_configs,omitempty"`

	// TLS is needed wherever the scheme is https; `plimsoll enroll` writes its files.
	TLS *TLS `yaml:"tls_config,omitempty"`
	// BasicAuth is sent to every target of this entry, if it is set.
	BasicAuth *BasicAuth `yaml:"basic_auth,omitempty"`
	// Scheme is http or https if the rule above is not what is wanted: http for
	// agents that were started with --insecure.
	Scheme string `yaml:"scheme,omitempty"`

	// ScrapeInterval is the time between two scrapes; 15 s if zero.
	ScrapeInterval time.Duration `yaml:"scrape_interval,omitempty"`
	// ScrapeTimeout is how long a scrape may take; 10 s if zero, or the interval
	// if that is shorter.
	ScrapeTimeout time.Duration `yaml:"scrape_timeout,omitempty"`
}

// StaticAgents names agents: host:port, or unix:PATH.
type StaticAgents struct {
	Targets []string          `yaml:"targets"`
	Labels  map[string]string `yaml:"labels,omitempty"`
}

// FileAgents names files with lists like static_configs, as JSON or YAML. A
// change is seen at once, and at the latest after RefreshInterval (5 min if zero).
type FileAgents struct {
	Files           []string      `yaml:"files"`
	RefreshInterval time.Duration `yaml:"refresh_interval,omitempty"`
}

// DNSAgents names DNS records: SRV if Type is empty, which carries the port, or
// A and AAAA, which need Port. They are asked for every RefreshInterval (30 s if
// zero).
type DNSAgents struct {
	Names           []string      `yaml:"names"`
	Type            string        `yaml:"type,omitempty"`
	Port            int           `yaml:"port,omitempty"`
	RefreshInterval time.Duration `yaml:"refresh_interval,omitempty"`
}

// HTTPAgents names an URL that answers with a JSON list like static_configs, as
// Prometheus' HTTP service discovery. It is fetched every RefreshInterval (60 s
// if zero).
type HTTPAgents struct {
	URL             string        `yaml:"url"`
	RefreshInterval time.Duration `yaml:"refresh_interval,omitempty"`
	TLS             *TLS          `yaml:"tls_config,omitempty"`
	BasicAuth       *BasicAuth    `yaml:"basic_auth,omitempty"`
}

// TLS is how a client proves itself and what it trusts. Files are read again
// when they change. The system's authorities are trusted if CAFile is empty.
type TLS struct {
	CAFile             string `yaml:"ca_file,omitempty"`
	CertFile           string `yaml:"cert_file,omitempty"`
	KeyFile            string `yaml:"key_file,omitempty"`
	ServerName         string `yaml:"server_name,omitempty"`
	InsecureSkipVerify bool   `yaml:"insecure_skip_verify,omitempty"`
}

// BasicAuth is a user and a file with the password; passwords do not stand in
// configuration files.
type BasicAuth struct {
	Username     string `yaml:"username"`
	PasswordFile string `yaml:"password_file"`
}

const (
	defaultScrapeInterval = 15 * time.Second
	defaultScrapeTimeout  = 10 * time.Second
)

// scrapeConfig is what Prometheus' configuration gets for one Agents. The limits
// are ten times what an agent exposes at most, so that they stop a mistake and
// an attack, not a large server.
type scrapeConfig struct {
	JobName         string `yaml:"job_name"`
	HonorLabels     bool   `yaml:"honor_labels"`     // the agent says which cluster, host and server it means
	HonorTimestamps bool   `yaml:"honor_timestamps"` // a sample from next year would block this year's
	FollowRedirects bool   `yaml:"follow_redirects"` // a redirect leads where the dialer's rules do not look
	BodySizeLimit   string `yaml:"body_size_limit"`
	SampleLimit     int    `yaml:"sample_limit"`
	LabelLimit      int    `yaml:"label_limit"`
	LabelNameLimit  int    `yaml:"label_name_length_limit"`
	LabelValueLimit int    `yaml:"label_value_length_limit"`

	Agents `yaml:",inline"`
}

// promConfig turns the list into Prometheus' configuration with one scrape pool
// an entry, and lets Prometheus validate it. Static targets are left out: a
// unix:PATH is no address for it.
func promConfig(list []Agents, log *slog.Logger) (*promconfig.Config, error) {
	var doc struct {
		ScrapeConfigs []scrapeConfig `yaml:"scrape_configs"`
	}
	for i, a := range list {
		if err := a.check(); err != nil {
			return nil, fmt.Errorf("agents[%d].%w", i, err)
		}
		doc.ScrapeConfigs = append(doc.ScrapeConfigs, a.scrapeConfig(i))
	}
	text, err := yaml.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("agents: %w", err)
	}
	c, err := promconfig.Load(string(text), log)
	if err != nil {
		return nil, fmt.Errorf("agents: %w", err)
	}
	return c, nil
}

// check refuses what Prometheus would not notice.
func (a Agents) check() error {
	switch {
	case len(a.Static)+len(a.Files)+len(a.DNS)+len(a.HTTP) == 0:
		return errors.New("static_configs: no agents; name one, for example [{targets: [\"unix:/run/plimsoll/agent.sock\"]}]")
	case a.Scheme != "" && a.Scheme != "http" && a.Scheme != "https":
		return fmt.Errorf("scheme: %q is neither http nor https", a.Scheme)
	case a.ScrapeInterval < 0:
		return fmt.Errorf("scrape_interval: %s is negative", a.ScrapeInterval)
	}
	for i, s := range a.Static {
		for j, addr := range s.Targets {
			if _, err := a.target(addr, s.Labels, true); err != nil {
				return fmt.Errorf("static_configs[%d].targets[%d]: %w", i, j, err)
			}
		}
	}
	return nil
}

func (a Agents) scrapeConfig(i int) scrapeConfig {
	a.Static, a.Scheme = nil, ""
	if a.ScrapeInterval == 0 {
		a.ScrapeInterval = defaultScrapeInterval
	}
	if a.ScrapeTimeout == 0 {
		a.ScrapeTimeout = min(defaultScrapeTimeout, a.ScrapeInterval)
	}
	return scrapeConfig{
		JobName:         poolName(i),
		HonorLabels:     true,
		BodySizeLimit:   "16MiB",
		SampleLimit:     20_000,
		LabelLimit:      maxLabels,
		LabelNameLimit:  maxLabelName,
		LabelValueLimit: maxLabelValue,
		Agents:          a,
	}
}

func poolName(i int) string { return fmt.Sprintf("agents[%d]", i) }

// clientOptions makes Prometheus' HTTP clients dial through d.
func clientOptions(d *dialer) []config_util.HTTPClientOption {
	return []config_util.HTTPClientOption{config_util.WithDialContextFunc(d.dial)}
}
