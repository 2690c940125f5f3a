package enroll

import (
	"archive/tar"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

func open(t *testing.T, dir string, now time.Time) *Authority {
	t.Helper()
	a, err := Open(dir, now)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// unpack returns the files of a bundle.
func unpack(t *testing.T, path string) map[string][]byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for r := tar.NewReader(bytes.NewReader(raw)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

// bundle enrols a host and returns its certificate, verified.
func bundle(t *testing.T, a *Authority, host string, at time.Time) (*x509.Certificate, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), FileName(host))
	if err := a.Bundle(path, host); err != nil {
		t.Fatal(err)
	}
	files := unpack(t, path)
	if len(files) != 4 {
		t.Fatalf("the bundle holds %d files, want 4", len(files))
	}
	pair, err := tls.X509KeyPair(files["agent.crt"], files["agent.key"])
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(files["ca.pem"])
	_, err = pair.Leaf.Verify(x509.VerifyOptions{
		Roots: roots, DNSName: host, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	return pair.Leaf, err
}

func TestABundleIsGoodForItsHostAndTime(t *testing.T) {
	a := open(t, filepath.Join(t.TempDir(), "ca"), noon)
	for _, host := range []string{"web1", "db1.shop.example", "10.0.0.7", "2001:db8::7"} {
		cert, err := bundle(t, a, host, noon.AddDate(1, 11, 0))
		if err != nil {
			t.Errorf("%s: %v", host, err)
		}
		if !cert.NotAfter.Equal(a.Ends()) {
			t.Errorf("%s: ends %s, want %s", host, cert.NotAfter, a.Ends())
		}
		if err := cert.VerifyHostname("other.example"); err == nil {
			t.Errorf("%s: holds for another host too", host)
		}
		if _, err := bundle(t, a, host, noon.AddDate(2, 0, 1)); err == nil {
			t.Errorf("%s: still holds after two years", host)
		}
	}
}

func TestAnAgentsCertificateLetsNobodyIn(t *testing.T) {
	a := open(t, filepath.Join(t.TempDir(), "ca"), noon)
	cert, _ := bundle(t, a, "web1", noon)
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: noon, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err == nil {
		t.Error("an agent's certificate is good for asking other agents")
	}
}

func TestACertificateEndsWithItsAuthority(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ca")
	open(t, dir, noon)
	late := open(t, dir, noon.AddDate(9, 0, 0))
	if cert, err := bundle(t, late, "web1", noon.AddDate(9, 11, 0)); err != nil || cert.NotAfter.After(late.cert.NotAfter) || !late.Ends().Equal(late.cert.NotAfter) {
		t.Errorf("certificate ends %s, stated is %s, and its authority %s: %v", cert.NotAfter, late.Ends(), late.cert.NotAfter, err)
	}
	if _, err := Open(dir, noon.AddDate(11, 0, 0)); err == nil || !strings.Contains(err.Error(), "enroll every host anew") {
		t.Errorf("error after ten years = %v, want what to do", err)
	}
}

func TestKeysAreForTheirOwnerOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ca")
	a := open(t, dir, noon)
	out := filepath.Join(t.TempDir(), "web1.tar")
	if err := a.Bundle(out, "web1"); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{
		dir: 0o700 | os.ModeDir, filepath.Join(dir, caKeyFile): 0o600, filepath.Join(dir, AdvisorKey): 0o600, out: 0o600,
	} {
		info, err := os.Stat(path)
		if err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v, want %v", path, info.Mode(), err, want)
		}
	}
}

func TestTheFilesBelongToTheAdvisorWhoeverEnrols(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	data := t.TempDir()
	const advisor = 4711
	if err := os.Chown(data, advisor, advisor); err != nil {
		t.Fatal(err)
	}
	open(t, filepath.Join(data, "ca"), noon)
	for _, name := range []string{"", caFile, caKeyFile, AdvisorCert, AdvisorKey} {
		info, err := os.Stat(filepath.Join(data, "ca", name))
		if err != nil {
			t.Fatal(err)
		}
		if uid := info.Sys().(*syscall.Stat_t).Uid; uid != advisor {
			t.Errorf("ca/%s belongs to %d, want the owner of the data folder", name, uid)
		}
	}
}

func TestAnAuthorityIsNeverMadeOverAnother(t *testing.T) {
	for name, spoil := range map[string]func(dir string) error{
		"its key is elsewhere":        func(dir string) error { return os.Remove(filepath.Join(dir, caKeyFile)) },
		"its key is damaged":          func(dir string) error { return os.WriteFile(filepath.Join(dir, caKeyFile), []byte("x"), 0o600) },
		"its certificate is damaged":  func(dir string) error { return os.WriteFile(filepath.Join(dir, caFile), []byte("x"), 0o600) },
		"its certificate is no key's": func(dir string) error { return os.Rename(filepath.Join(dir, AdvisorCert), filepath.Join(dir, caFile)) },
		"its key is that of the client": func(dir string) error {
			return os.Rename(filepath.Join(dir, AdvisorKey), filepath.Join(dir, caKeyFile))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "ca")
			open(t, dir, noon)
			if err := spoil(dir); err != nil {
				t.Fatal(err)
			}
			before, err := os.ReadFile(filepath.Join(dir, caFile))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Open(dir, noon); err == nil {
				t.Error("Open succeeded, want an error")
			}
			after, err := os.ReadFile(filepath.Join(dir, caFile))
			if err != nil || !bytes.Equal(before, after) {
				t.Errorf("the certificate was replaced (%v)", err)
			}
		})
	}
}

func TestAMissingClientCertificateIsMadeAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ca")
	first := open(t, dir, noon)
	if err := os.Remove(filepath.Join(dir, AdvisorCert)); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir, noon)
	if diff := cmp.Diff(first.cert.Raw, again.cert.Raw); diff != "" {
		t.Error("the authority changed")
	}
	raw, err := os.ReadFile(filepath.Join(dir, AdvisorCert))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(raw)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil || cert.Subject.CommonName != AdvisorName || cert.CheckSignatureFrom(again.cert) != nil {
		t.Errorf("client certificate of %q: %v", cert.Subject, err)
	}
}

func TestANameThatLeadsOutIsRefused(t *testing.T) {
	a, dir := open(t, filepath.Join(t.TempDir(), "ca"), noon), t.TempDir()
	for _, name := range []string{"", ".", "..", "../evil", "a/b", "/etc/passwd", "a\x00b", "a b", "-x", "a\nb", "*.shop.example", "web1.", "fe80::1%eth0", strings.Repeat("a", 300), "ünïcode"} {
		if err := a.Bundle(filepath.Join(dir, FileName(name)), name); err == nil {
			t.Errorf("%q was enrolled", name)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("files were written: %v, %v", entries, err)
	}
}
