package web

import (
	"fmt"
	"net"
	"net/netip"
	"os"

	toolkit "github.com/prometheus/exporter-toolkit/web"
	"go.yaml.in/yaml/v3"
)

// CheckListener refuses an address that is not loopback unless webConfig (in the
// exporter toolkit's format) asks for TLS and authentication: statements and
// findings are for the operators of a site only. What webConfig says is checked
// in any case.
func CheckListener(listen, webConfig string, insecure bool) error {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("listen: %q is not host:port; write it like 127.0.0.1:9898", listen)
	}
	protected, err := protects(webConfig)
	if err != nil {
		return err
	}
	ip, err := netip.ParseAddr(host)
	loopback := host == "localhost" || (err == nil && ip.IsLoopback())
	if loopback || protected || insecure {
		return nil
	}
	if webConfig != "" {
		return fmt.Errorf("listen: %s is not loopback and %s does not protect it; it needs tls_server_config, and "+
			"basic_auth_users or client_auth_type: RequireAndVerifyClientCert", listen, webConfig)
	}
	return fmt.Errorf("listen: %s is not loopback and nothing protects it; "+
		"set web_config_file: (TLS and authentication), or start with --insecure", listen)
}

// protects reports whether a stranger gets nothing from a listener with this
// configuration.
func protects(webConfig string) (bool, error) {
	if webConfig == "" {
		return false, nil
	}
	if err := toolkit.Validate(webConfig); err != nil {
		return false, fmt.Errorf("web_config_file %s: %w", webConfig, err)
	}
	text, err := os.ReadFile(webConfig)
	if err != nil {
		return false, fmt.Errorf("web_config_file: %w", err)
	}
	var c struct {
		TLS   toolkit.TLSConfig `yaml:"tls_server_config"`
		Users map[string]any    `yaml:"basic_auth_users"`
	}
	if err := yaml.Unmarshal(text, &c); err != nil {
		return false, fmt.Errorf("web_config_file %s: %w", webConfig, err)
	}
	return c.TLS.IsEnabled() && (len(c.Users) > 0 || c.TLS.ClientAuth == "RequireAndVerifyClientCert"), nil
}
