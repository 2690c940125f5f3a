package config

import (
	"errors"
	"fmt"
	"os"

	"github.com/prometheus/exporter-toolkit/web"
	"go.yaml.in/yaml/v3"
)

// Web is what a web_config_file says about protection.
type Web struct {
	// TLS is true if the listener speaks TLS.
	TLS bool
	// Passwords is true if every request needs a user and a password.
	Passwords bool
	// Certificates is true if every client needs a certificate of ours.
	Certificates bool
}

// Protected is true if a stranger who reaches the port gets nothing.
func (w Web) Protected() bool { return w.TLS && (w.Passwords || w.Certificates) }

// ReadWeb reads the protection that file asks for. An empty name is no
// protection. Exporter-toolkit reads the file again for each request, so what
// it says can change while the agent runs.
func ReadWeb(file string) (Web, error) {
	if file == "" {
		return Web{}, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return Web{}, fmt.Errorf("read web_config_file: %w", err)
	}
	var w struct {
		TLS   web.TLSConfig  `yaml:"tls_server_config"`
		Users map[string]any `yaml:"basic_auth_users"`
	}
	if err := yaml.Unmarshal(text, &w); err != nil {
		return Web{}, fmt.Errorf("read web_config_file %s: %w", file, err)
	}
	return Web{
		TLS:          w.TLS.IsEnabled(),
		Passwords:    len(w.Users) > 0,
		Certificates: w.TLS.ClientAuth == "RequireAndVerifyClientCert",
	}, nil
}

// CheckListen returns an error if Listen would show figures to strangers:
// an address beyond loopback needs TLS and authentication, unless insecure says
// that the network itself is trusted. It also checks the certificates that
// WebConfigFile names.
func (c *Config) CheckListen(insecure bool) error {
	if err := web.Validate(c.WebConfigFile); err != nil {
		return fmt.Errorf("check web_config_file %s: %w", c.WebConfigFile, err)
	}
	w, err := ReadWeb(c.WebConfigFile)
	if err != nil {
		return err
	}
	if c.Listen == "" || Loopback(c.Listen) || w.Protected() || insecure {
		return nil
	}
	return unprotected(c, w)
}

func unprotected(c *Config, w Web) error {
	const remedy = "; run 'plimsoll enroll' and 'plimsoll-agent init --bundle', or listen on " +
		DefaultListen + ", or pass --insecure if the network itself is trusted"
	switch {
	case c.WebConfigFile == "":
		return fmt.Errorf("listen: %s is reachable from other hosts and web_config_file is not set%s", c.Listen, remedy)
	case !w.TLS:
		return fmt.Errorf("listen: %s is reachable from other hosts and %s has no tls_server_config%s", c.Listen, c.WebConfigFile, remedy)
	}
	return errors.New("listen: " + c.Listen + " is reachable from other hosts and " + c.WebConfigFile +
		" asks for no authentication: set basic_auth_users, or client_auth_type: RequireAndVerifyClientCert" + remedy)
}
