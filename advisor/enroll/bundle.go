package enroll

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
	"time"

	"plimsoll/advisor/ledger"
)

// hostName is what a certificate and a file name may be made of.
var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$`)

// webConfig is what the agent's listener is protected by, in the exporter
// toolkit's format. Paths are beside the file.
const webConfig = `# Written by plimsoll enroll. Only the advisor's certificate is let in.
tls_server_config:
  cert_file: agent.crt
  key_file: agent.key
  client_ca_file: ca.pem
  client_auth_type: RequireAndVerifyClientCert
  client_allowed_sans: [` + AdvisorName + `]
  min_version: TLS12
`

// Bundle writes to path what `plimsoll-agent init --bundle` installs on the host
// that is reached under name: certificate, key, ca.pem and web.yml, as a tar
// file that only its owner may read.
func (a *Authority) Bundle(path, name string) error {
	if !hostName.MatchString(name) && net.ParseIP(name) == nil {
		return fmt.Errorf("%.64q is neither a host name nor an address", name)
	}
	cert, key, err := a.host(name)
	if err != nil {
		return fmt.Errorf("sign certificate of %s: %w", name, err)
	}
	keyText, err := encodeKey(key)
	if err != nil {
		return fmt.Errorf("encode key of %s: %w", name, err)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range []struct {
		name string
		mode int64
		body []byte
	}{
		{"agent.crt", 0o644, cert},
		{"agent.key", 0o640, keyText},
		{"ca.pem", 0o644, encode("CERTIFICATE", a.cert.Raw)},
		{"web.yml", 0o644, []byte(webConfig)},
	} {
		err = errors.Join(err, w.WriteHeader(&tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.body)), ModTime: a.now}))
		_, writeErr := w.Write(f.body)
		err = errors.Join(err, writeErr)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		return fmt.Errorf("write bundle: %w", err)
	}
	err = ledger.WriteFile(path, b.Bytes())
	if err == nil {
		err = os.Chmod(path, 0o600) // it holds a key
	}
	if err != nil {
		return fmt.Errorf("write bundle: %w", err)
	}
	return nil
}

// Ends returns until when certificates that are signed now hold.
func (a *Authority) Ends() time.Time {
	end := a.now.AddDate(leafYears, 0, 0)
	if end.After(a.cert.NotAfter) {
		return a.cert.NotAfter
	}
	return end
}

// FileName returns the name of a host's bundle.
func FileName(host string) string {
	return "plimsoll-" + strings.NewReplacer(":", "-", "%", "-").Replace(host) + ".tar"
}
