package web

import (
	"fmt"
	"net"
	"net/netip"
)

// CheckListener refuses an address that is not loopback unless webConfig (TLS
// and authentication, in the exporter toolkit's format) is given: statements and
// findings are for the operators of a site only.
func CheckListener(listen, webConfig string, insecure bool) error {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("listen: %q is not host:port; write it like 127.0.0.1:9898", listen)
	}
	ip, err := netip.ParseAddr(host)
	loopback := host == "localhost" || (err == nil && ip.IsLoopback())
	if loopback || webConfig != "" || insecure {
		return nil
	}
	return fmt.Errorf("listen: %s is not loopback and nothing protects it; "+
		"set web_config_file: (TLS and authentication), or start with --insecure", listen)
}
