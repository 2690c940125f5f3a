package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// decoder walks the nodes of a file by hand: a decoder by reflection would name
// Go types in its errors, and forget the line of a value that parses but is not
// allowed.
type decoder struct {
	file     string
	known    []string
	problems []error
}

// field takes the value of one key. Path names the key, such as mysql[0].name.
type field func(n *yaml.Node, path string)

func (d *decoder) document(text []byte, c *Config) {
	var root yaml.Node
	in := yaml.NewDecoder(bytes.NewReader(text))
	err := in.Decode(&root)
	if errors.Is(err, io.EOF) {
		return
	}
	if err != nil {
		d.syntax(err)
		return
	}
	if err := in.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		d.problem(&root, "", "a second document follows; one file holds one configuration")
	}
	d.config(root.Content[0], c)
}

func (d *decoder) config(n *yaml.Node, c *Config) {
	d.mapping(n, "", map[string]field{
		"cluster":         d.label(&c.Cluster),
		"host":            d.label(&c.Host),
		"labels":          d.labels(c),
		"socket":          d.socket(&c.Socket),
		"state":           d.folder(&c.State),
		"listen":          d.address(&c.Listen),
		"web_config_file": d.filePath(&c.WebConfigFile, c.dir()),
		"probe":           d.probe(&c.Probe),
		"mysql":           d.servers(c),
		"jobs":            d.jobs(c),
	})
}

func (d *decoder) servers(c *Config) field {
	return func(n *yaml.Node, path string) {
		d.sequence(n, path, func(n *yaml.Node, path string) {
			m, before := MySQL{}, len(d.problems)
			d.mapping(n, path, map[string]field{
				"name":     d.label(&m.Name),
				"dsn_file": d.filePath(&m.DSNFile, c.dir()),
				"socket":   d.socket(&m.Socket),
				"user":     d.label(&m.User),
				"slow_log": d.slowLog(&m.SlowLog),
			})
			if len(d.problems) == before {
				d.server(n, path, m, c.MySQL)
			}
			c.MySQL = append(c.MySQL, m)
		})
	}
}

func (d *decoder) jobs(c *Config) field {
	return func(n *yaml.Node, path string) {
		c.Jobs = map[string]Job{}
		d.each(n, path, func(key, value *yaml.Node, path string) {
			names := jobKeys(d.known)
			if !slices.Contains(names, key.Value) {
				d.problem(key, path, "unknown job; "+suggest(key.Value, names))
				return
			}
			c.Jobs[key.Value] = d.job(value, path)
		})
	}
}

func (d *decoder) job(n *yaml.Node, path string) Job {
	j, enabled := Job{}, true
	d.mapping(n, path, map[string]field{
		"every":   d.duration(&j.Every, time.Second, 24*time.Hour),
		"timeout": d.duration(&j.Timeout, 100*time.Millisecond, 10*time.Minute),
		"enabled": d.boolean(&enabled),
	})
	j.Disabled = !enabled
	return j
}

// mapping hands each value of n to the field of its key and refuses keys
// without one.
func (d *decoder) mapping(n *yaml.Node, path string, fields map[string]field) {
	d.each(n, path, func(key, value *yaml.Node, path string) {
		take, ok := fields[key.Value]
		if !ok {
			d.problem(key, path, "unknown key; "+suggest(key.Value, slices.Sorted(maps.Keys(fields))))
			return
		}
		take(value, path)
	})
}

func (d *decoder) each(n *yaml.Node, path string, visit func(key, value *yaml.Node, path string)) {
	n = resolve(n)
	if isNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		d.problem(n, path, "wants keys and values, one a line")
		return
	}
	lines := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, inner := n.Content[i], join(path, n.Content[i].Value)
		if first, twice := lines[key.Value]; twice {
			d.problem(key, inner, fmt.Sprintf("stands twice, first in line %d", first))
			continue
		}
		lines[key.Value] = key.Line
		if value := resolve(n.Content[i+1]); !isNull(value) {
			visit(key, value, inner)
			continue
		}
		visit(key, n.Content[i+1], inner)
	}
}

func (d *decoder) sequence(n *yaml.Node, path string, take field) {
	if isNull(n) {
		return
	}
	if n.Kind != yaml.SequenceNode {
		d.problem(n, path, "wants a list; start each entry with -")
		return
	}
	for i, item := range n.Content {
		take(resolve(item), fmt.Sprintf("%s[%d]", path, i))
	}
}

// scalar returns the text of n, or false after a problem or for null.
func (d *decoder) scalar(n *yaml.Node, path string) (string, bool) {
	if isNull(n) {
		return "", false
	}
	if n.Kind != yaml.ScalarNode {
		d.problem(n, path, "wants one value, not a list or a mapping")
		return "", false
	}
	return n.Value, true
}

func (d *decoder) boolean(to *bool) field {
	return func(n *yaml.Node, path string) {
		text, ok := d.scalar(n, path)
		if !ok {
			return
		}
		v, err := strconv.ParseBool(text)
		if err != nil || n.Tag != "!!bool" {
			d.problem(n, path, fmt.Sprintf("%.64q is neither true nor false", text))
			return
		}
		*to = v
	}
}

func (d *decoder) duration(to *time.Duration, low, high time.Duration) field {
	return func(n *yaml.Node, path string) {
		text, ok := d.scalar(n, path)
		if !ok {
			return
		}
		v, err := parseDuration(text)
		switch {
		case err != nil:
			d.problem(n, path, err.Error())
		case v < low || v > high:
			d.problem(n, path, fmt.Sprintf("%q is out of range; allowed is %s to %s", text, short(low), short(high)))
		default:
			*to = v
		}
	}
}

func (d *decoder) problem(n *yaml.Node, path, reason string) {
	where := fmt.Sprintf("%s:%d: ", d.file, n.Line)
	if path != "" {
		where += path + ": "
	}
	d.problems = append(d.problems, errors.New(where+reason))
}

var syntaxLine = regexp.MustCompile(`^yaml: line (\d+): (.*)`)

func (d *decoder) syntax(err error) {
	if m := syntaxLine.FindStringSubmatch(err.Error()); m != nil {
		d.problems = append(d.problems, fmt.Errorf("%s:%s: %s", d.file, m[1], m[2]))
		return
	}
	d.problems = append(d.problems, fmt.Errorf("%s: %s", d.file, strings.TrimPrefix(err.Error(), "yaml: ")))
}

func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
