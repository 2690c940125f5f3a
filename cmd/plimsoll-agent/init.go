package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"time"

	"plimsoll/agent/config"
)

const (
	// certificates is the folder that the package makes for them: root writes
	// there and the agent's group reads.
	certificates = "/etc/plimsoll/agent"
	agentGroup   = "plimsoll"
	agentPort    = "9897"
)

func (p program) init(_ context.Context, args []string) error {
	f := p.flags("init", "Installs the certificates that 'plimsoll enroll' wrote for this host, and prints what\n"+
		"to add to the agent's configuration and to that of Prometheus.")
	bundle := f.String("bundle", "", "tar `file` that 'plimsoll enroll' wrote")
	dir := f.String("dir", certificates, "`folder` to install into")
	if err := p.parse(f, args); err != nil {
		return err
	}
	if *bundle == "" {
		fmt.Fprintln(p.err, "plimsoll-agent init: --bundle is missing; write --bundle FILE, the file that 'plimsoll enroll' wrote")
		return errUsage
	}
	into, err := filepath.Abs(*dir)
	if err != nil {
		return err
	}
	cert, err := install(*bundle, into)
	if err != nil {
		return fmt.Errorf("install %s: %w", *bundle, err)
	}
	p.explain(cert, into)
	return nil
}

// install puts the files of a bundle into dir, after all of them were checked
// together.
func install(bundle, dir string) (*x509.Certificate, error) {
	f, err := os.Open(bundle)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	files, err := readBundle(f)
	if err != nil {
		return nil, err
	}
	cert, err := checkIdentity(files)
	if err != nil {
		return nil, err
	}
	if err := makeFolder(dir); err != nil {
		return nil, err
	}
	if err := rehearse(dir, files); err != nil {
		return nil, err
	}
	return cert, writeFiles(dir, files)
}

// rehearse installs files into a folder of their own, to see that a listener
// with them would admit nobody unknown.
func rehearse(dir string, files map[string][]byte) error {
	trial, err := os.MkdirTemp(dir, ".init-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(trial)
	if err := writeFiles(trial, files); err != nil {
		return err
	}
	c := &config.Config{Listen: ":" + agentPort, WebConfigFile: filepath.Join(trial, webFile)}
	return c.CheckListen(false)
}

// makeFolder makes a folder that the agent's group may read; one that exists
// stays as it is.
func makeFolder(dir string) error {
	err := os.Mkdir(dir, 0o750)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	group, err := user.LookupGroup(agentGroup)
	if err != nil {
		return nil // Not installed from a package: the agent runs as whoever it likes.
	}
	gid, err := strconv.Atoi(group.Gid)
	if err != nil {
		return err
	}
	if err := os.Chown(dir, -1, gid); err != nil && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return nil
}

func (p program) explain(cert *x509.Certificate, dir string) {
	fmt.Fprintf(p.out, `Installed into %s: %s, %s, %s, %s.
The certificate is for %s and holds until %s.

Add to %s, then restart the agent:

listen: 0.0.0.0:%s
web_config_file: %s

Prometheus scrapes this host with the files that 'plimsoll enroll' made for the
advisor, in the folder ca of its data:

scrape_configs:
  - job_name: plimsoll
    honor_labels: true # cluster and host are the agent's own; without it they are renamed
    scrape_interval: 15s
    scheme: https
    tls_config: {ca_file: ca.pem, cert_file: advisor.crt, key_file: advisor.key}
    static_configs:
      - targets: [%q]
`,
		dir, certFile, keyFile, caFile, webFile, certName(cert), cert.NotAfter.UTC().Format(time.DateOnly),
		config.DefaultFile, agentPort, filepath.Join(dir, webFile), net.JoinHostPort(certName(cert), agentPort))
}

// certName is the first name or address of cert.
func certName(cert *x509.Certificate) string {
	if len(cert.DNSNames) > 0 {
		return cert.DNSNames[0]
	}
	if len(cert.IPAddresses) > 0 {
		return cert.IPAddresses[0].String()
	}
	return cmp.Or(cert.Subject.CommonName, "HOST")
}
