// Package enroll gives both ends of TLS what they need: a small authority of the
// site's own, a bundle for each host, and the advisor's client certificate.
//
// Only the advisor may ask agents: an agent's certificate is for servers only,
// and each bundle lets in no other name than the advisor's.
package enroll

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"plimsoll/advisor/ledger"
)

// AdvisorName is the name in the advisor's client certificate, and the only one
// that an enrolled agent lets in.
const AdvisorName = "plimsoll-advisor"

// How long certificates hold. An agent's ends before anyone has forgotten how it
// was made, and `plimsoll enroll` is run again.
const (
	authorityYears = 10
	leafYears      = 2
)

// Files in the authority's folder.
const (
	caFile    = "ca.pem"
	caKeyFile = "ca.key"
	// AdvisorCert and AdvisorKey are the advisor's own, for tls_config.
	AdvisorCert = "advisor.crt"
	AdvisorKey  = "advisor.key"
)

// Authority signs certificates of one site.
type Authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	now  time.Time
}

// Open reads the authority in dir, or makes it, once: whoever holds its key can
// read every agent, so that the folder is for its owner only. Whoever runs it,
// the files belong to the owner of the folder above, which is the advisor.
func Open(dir string, now time.Time) (*Authority, error) {
	a := &Authority{dir: dir, now: now}
	if err := a.open(); err != nil {
		return nil, fmt.Errorf("open authority %s: %w", dir, err)
	}
	return a, nil
}

func (a *Authority) open() error {
	if err := os.MkdirAll(a.dir, 0o700); err != nil {
		return err
	}
	if err := a.give(""); err != nil {
		return err
	}
	if !a.has(caFile) {
		if err := a.create(); err != nil {
			return err
		}
	} else if err := a.read(); err != nil {
		return err
	}
	if a.has(AdvisorCert) && a.has(AdvisorKey) {
		return nil
	}
	return a.advisor()
}

func (a *Authority) has(name string) bool {
	_, err := os.Lstat(filepath.Join(a.dir, name))
	return !errors.Is(err, fs.ErrNotExist)
}

// give makes a file, or the folder itself, belong to the owner of the folder
// above. Only root can, and only root must.
func (a *Authority) give(name string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	above, err := os.Stat(filepath.Dir(filepath.Clean(a.dir)))
	if err != nil {
		return err
	}
	owner, ok := above.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return os.Lchown(filepath.Join(a.dir, name), int(owner.Uid), int(owner.Gid))
}

func (a *Authority) read() error {
	cert, err := readPEM(filepath.Join(a.dir, caFile))
	if err != nil {
		return err
	}
	key, err := readPEM(filepath.Join(a.dir, caKeyFile))
	if err != nil {
		return err
	}
	if a.cert, err = x509.ParseCertificate(cert); err != nil {
		return fmt.Errorf("%s: %w", caFile, err)
	}
	if !a.cert.IsCA {
		return fmt.Errorf("%s is not the certificate of an authority", caFile)
	}
	if a.key, err = x509.ParseECPrivateKey(key); err != nil {
		return fmt.Errorf("%s: %w", caKeyFile, err)
	}
	if !a.key.PublicKey.Equal(a.cert.PublicKey) {
		return fmt.Errorf("%s is not the key of %s", caKeyFile, caFile)
	}
	if a.now.After(a.cert.NotAfter) {
		return fmt.Errorf("it ended on %s; move the folder away, and enroll every host anew", a.cert.NotAfter.Format(time.DateOnly))
	}
	return nil
}

func (a *Authority) create() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "Plimsoll site authority"},
		NotBefore:             a.now.Add(-time.Hour),
		NotAfter:              a.now.AddDate(authorityYears, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign,
		BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
	}
	if template.SerialNumber, err = serial(); err != nil {
		return err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		return err
	}
	a.key = key
	// The certificate comes last: without it the next start makes both anew.
	if err := a.writeKey(caKeyFile, key); err != nil {
		return err
	}
	return a.write(caFile, encode("CERTIFICATE", der))
}

// advisor makes the certificate with which the advisor asks agents.
func (a *Authority) advisor() error {
	cert, key, err := a.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: AdvisorName}, DNSNames: []string{AdvisorName},
		NotAfter: a.now.AddDate(authorityYears, 0, 0), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return err
	}
	if err := a.writeKey(AdvisorKey, key); err != nil {
		return err
	}
	return a.write(AdvisorCert, cert)
}

// host makes the certificate of an agent that is reached under name.
func (a *Authority) host(name string) (cert []byte, key *ecdsa.PrivateKey, err error) {
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, NotAfter: a.now.AddDate(leafYears, 0, 0),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip := net.ParseIP(name); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{name}
	}
	return a.sign(template)
}

// sign makes a key, and a certificate for it of template.
func (a *Authority) sign(template *x509.Certificate) ([]byte, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if template.SerialNumber, err = serial(); err != nil {
		return nil, nil, err
	}
	// An hour back, for hosts whose clock runs late.
	template.NotBefore = a.now.Add(-time.Hour)
	if template.NotAfter.After(a.cert.NotAfter) { // it would not be valid without its authority
		template.NotAfter = a.cert.NotAfter
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return nil, nil, err
	}
	return encode("CERTIFICATE", der), key, nil
}

func (a *Authority) writeKey(name string, key *ecdsa.PrivateKey) error {
	text, err := encodeKey(key)
	if err != nil {
		return err
	}
	return a.write(name, text)
}

// write makes a file for its owner alone.
func (a *Authority) write(name string, text []byte) error {
	path := filepath.Join(a.dir, name)
	if err := ledger.WriteFile(path, text); err != nil {
		return err
	}
	return errors.Join(os.Chmod(path, 0o600), a.give(name))
}

func encodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return encode("EC PRIVATE KEY", der), nil
}

func serial() (*big.Int, error) {
	return rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func readPEM(path string) ([]byte, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, fmt.Errorf("%s holds no PEM block", filepath.Base(path))
	}
	return block.Bytes, nil
}
