package advisor

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/alecthomas/units"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"plimsoll/advisor/store"
	"plimsoll/rules"
)

// Config is the advisor's configuration: /etc/plimsoll/plimsoll.yml. Everything
// is optional.
type Config struct {
	// Data is the folder of series, snapshots, ledger, reports and CA.
	Data string `yaml:"data"`
	// Listen is where pages and API are served. Another address than loopback
	// needs TLS and authentication in WebConfigFile.
	Listen        string `yaml:"listen"`
	WebConfigFile string `yaml:"web_config_file"`
	// Hosts are names by which the advisor may be asked, beside localhost and
	// addresses.
	Hosts  []string       `yaml:"hosts"`
	Agents []store.Agents `yaml:"agents"`
	Store  StoreConfig    `yaml:"store"`
	// Interval is the time between two rounds; Window how far a report looks
	// back.
	Interval Duration                `yaml:"interval"`
	Window   Duration                `yaml:"window"`
	Rules    map[rules.ID]RuleConfig `yaml:"rules"`
	// Acks is the file of acknowledged findings.
	Acks string `yaml:"acks"`
}

// StoreConfig says where series are: in the embedded store, or in an engine that
// speaks Prometheus' API.
type StoreConfig struct {
	Embedded     EmbeddedConfig `yaml:"embedded"`
	store.Remote `yaml:",inline"`
}

// EmbeddedConfig bounds the embedded store.
type EmbeddedConfig struct {
	Retention Duration `yaml:"retention"`
	MaxBytes  Size     `yaml:"max_bytes"`
}

// RuleConfig changes one rule.
type RuleConfig struct {
	Threshold string   `yaml:"threshold"`
	MinWindow Duration `yaml:"min_window"`
	Window    Duration `yaml:"window"`
	Disabled  bool     `yaml:"disabled"`
}

// Duration is a time with its unit: 15s, 24h or 35d.
type Duration struct{ time.Duration }

// UnmarshalYAML reads a duration as Prometheus writes them.
func (d *Duration) UnmarshalYAML(n *yaml.Node) error {
	v, err := model.ParseDuration(n.Value)
	if err != nil {
		return fmt.Errorf("line %d: %q is not a duration with a unit; write it like 15s, 24h or 35d", n.Line, n.Value)
	}
	d.Duration = time.Duration(v)
	return nil
}

// Size is a number of bytes with its unit, such as 20GB.
type Size struct{ Bytes int64 }

// UnmarshalYAML reads a size.
func (s *Size) UnmarshalYAML(n *yaml.Node) error {
	v, err := units.ParseStrictBytes(n.Value)
	if err != nil || v <= 0 {
		return fmt.Errorf("line %d: %q is not a size with a unit; write it like 20GB", n.Line, n.Value)
	}
	s.Bytes = v
	return nil
}

// The defaults of Config.
const (
	DefaultData     = "/var/lib/plimsoll"
	DefaultListen   = "127.0.0.1:9898"
	DefaultInterval = time.Minute
	DefaultWindow   = 24 * time.Hour
	// MaxWindow is how far a report may look back.
	MaxWindow = 35 * 24 * time.Hour
	// DefaultAgent is the agent of this host.
	DefaultAgent = "unix:/run/plimsoll/agent.sock"
)

// ReadConfig reads the file at path and fills in defaults. A missing file is an
// error only if required. Each fault is told with file and line.
func ReadConfig(path string, required bool) (*Config, error) {
	raw, err := os.ReadFile(path)
	if err != nil && (required || !errors.Is(err, fs.ErrNotExist)) {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	var c Config
	decoder := yaml.NewDecoder(bytes.NewReader(raw))
	decoder.KnownFields(true)
	if err := decoder.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return nil, explain(path, err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: it holds more than one document; keep what stands before the second ---", path)
	}
	c.setDefaults()
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &c, nil
}

func (c *Config) setDefaults() {
	c.Data = cmp.Or(c.Data, DefaultData)
	c.Listen = cmp.Or(c.Listen, DefaultListen)
	c.Interval.Duration = cmp.Or(c.Interval.Duration, DefaultInterval)
	c.Window.Duration = cmp.Or(c.Window.Duration, DefaultWindow)
	c.Acks = cmp.Or(c.Acks, filepath.Join(c.Data, "acks.yml"))
	if len(c.Agents) == 0 {
		c.Agents = []store.Agents{{Static: []store.StaticAgents{{Targets: []string{DefaultAgent}}}}}
	}
}

func (c *Config) check() error {
	if c.Interval.Duration < time.Second || c.Interval.Duration > 4*time.Minute {
		return fmt.Errorf("interval: %s is out of range; allowed is 1s to 4m, because queries look back five", model.Duration(c.Interval.Duration))
	}
	if c.Window.Duration < 10*time.Second || c.Window.Duration > MaxWindow {
		return fmt.Errorf("window: %s is out of range; allowed is 10s to 35d, which is how long series are kept", model.Duration(c.Window.Duration))
	}
	if err := c.Store.check(); err != nil {
		return err
	}
	_, _, err := rules.Configure(rules.All(), c.Settings())
	return err
}

func (s *StoreConfig) check() error {
	remote := !reflect.ValueOf(s.Remote).IsZero()
	switch {
	case remote && s.Embedded != (EmbeddedConfig{}):
		return errors.New("store: embedded and url exclude each other; keep one")
	case remote && s.URL == "":
		return errors.New("store.url: is missing; write for example http://prometheus:9090")
	case remote:
		_, err := s.Querier()
		return err
	}
	if r := s.Embedded.Retention.Duration; r != 0 && r < 2*time.Hour {
		return fmt.Errorf("store.embedded.retention: %s is out of range; allowed is 2h and more", model.Duration(r))
	}
	if n := s.Embedded.MaxBytes.Bytes; n != 0 && n < minBytes {
		return fmt.Errorf("store.embedded.max_bytes: %d is out of range; allowed is 100MB and more", n)
	}
	return nil
}

// minBytes is less than what one block of a small site takes.
const minBytes = 100e6

// Settings returns what the configuration changes of rules.
func (c *Config) Settings() map[rules.ID]rules.Setting {
	out := map[rules.ID]rules.Setting{}
	for id, r := range c.Rules {
		out[id] = rules.Setting{
			Threshold: r.Threshold, MinWindow: r.MinWindow.Duration, Window: r.Window.Duration, Disabled: r.Disabled,
		}
	}
	return out
}

// The two faults of a file that YAML tells in the words of Go.
var (
	unknownField = regexp.MustCompile(`^line (\d+): field (\S+) not found in type (\S+)$`)
	wrongKind    = regexp.MustCompile(`^line (\d+): cannot unmarshal !!(\w+)(?s:.*) into `)
)

// explain says in the file's words what YAML says in those of Go.
func explain(path string, err error) error {
	var typeError *yaml.TypeError
	if !errors.As(err, &typeError) {
		return fmt.Errorf("%s: %s", path, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	var faults []error
	for _, text := range typeError.Errors {
		if m := unknownField.FindStringSubmatch(text); m != nil {
			text = fmt.Sprintf("line %s: %s: unknown key; allowed are %s", m[1], m[2], allowed(m[3]))
		} else if m := wrongKind.FindStringSubmatch(text); m != nil {
			text = fmt.Sprintf("line %s: %s does not belong here; docs/configuration.md has an example", m[1], kind(m[2]))
		}
		faults = append(faults, fmt.Errorf("%s: %s", path, text))
	}
	return errors.Join(faults...)
}

// kind says what YAML calls seq, map, str, int and so on.
func kind(tag string) string {
	switch tag {
	case "seq":
		return "a list"
	case "map":
		return "a mapping"
	}
	return "a single value"
}

// allowed lists the keys of one of the configuration's types.
func allowed(name string) string {
	for _, t := range []reflect.Type{
		reflect.TypeFor[Config](), reflect.TypeFor[StoreConfig](), reflect.TypeFor[store.Remote](), reflect.TypeFor[EmbeddedConfig](), reflect.TypeFor[RuleConfig](),
		reflect.TypeFor[store.Agents](), reflect.TypeFor[store.StaticAgents](), reflect.TypeFor[store.FileAgents](),
		reflect.TypeFor[store.DNSAgents](), reflect.TypeFor[store.HTTPAgents](), reflect.TypeFor[store.TLS](), reflect.TypeFor[store.BasicAuth](),
	} {
		if t.String() == name {
			return strings.Join(keys(t), ", ")
		}
	}
	return "those of docs/configuration.md"
}

func keys(t reflect.Type) []string {
	var out []string
	for f := range t.Fields() {
		if key, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); key != "" {
			out = append(out, key)
		} else {
			out = append(out, keys(f.Type)...)
		}
	}
	return out
}
