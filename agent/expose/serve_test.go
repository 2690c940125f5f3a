package expose

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// listen serves until the test ends, on the unix socket and on TCP with what
// the web configuration says.
func listen(t *testing.T, o Options) *Server {
	t.Helper()
	revision := "r1"
	o.Log = slog.New(slog.DiscardHandler)
	o.Socket, o.Address = filepath.Join(t.TempDir(), "agent.sock"), "127.0.0.1:0"
	s, err := serving(known(), &revision).Listen(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return s
}

// ask returns status and text of a GET, over a connection of its own.
func ask(t *testing.T, transport *http.Transport, url string, user ...string) (int, string) {
	t.Helper()
	transport.DisableKeepAlives = true
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(user) == 2 {
		r.SetBasicAuth(user[0], user[1])
	}
	answer, err := transport.RoundTrip(r)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

func unixTransport(path string) *http.Transport {
	return &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}
}

func TestSnapshotsAreNeverServedOnPlainTCP(t *testing.T) {
	s := listen(t, Options{})
	base := "http://" + s.Address()
	for _, path := range []string{"/v1/snapshot", "/v1/snapshot/digests", "/v1/snapshot/nothing"} {
		status, body := ask(t, &http.Transport{}, base+path)
		if status != http.StatusForbidden || !strings.Contains(body, "are not served on plain TCP; use the unix socket") {
			t.Errorf("GET %s on plain TCP: %d %s, want 403 with the reason", path, status, body)
		}
	}
	for _, path := range []string{"//v1/snapshot", "/v1//snapshot", "/x/../v1/snapshot", "/%76%31/snapshot", "/v1%2Fsnapshot", "/v1/snapshot/"} {
		if status, body := ask(t, &http.Transport{}, base+path); status == http.StatusOK {
			t.Errorf("GET %s on plain TCP: %d %s, want no snapshot", path, status, body)
		}
	}
	for _, path := range []string{"/metrics", "/healthz", "/"} {
		if status, _ := ask(t, &http.Transport{}, base+path); status != http.StatusOK {
			t.Errorf("GET %s on plain TCP: %d, want 200", path, status)
		}
	}
}

func TestSnapshotsAreServedOnTheUnixSocket(t *testing.T) {
	s := listen(t, Options{})
	info, err := os.Stat(s.options.Socket)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o660 {
		t.Errorf("socket has mode %o, want 660", info.Mode().Perm())
	}
	if status, body := ask(t, unixTransport(s.options.Socket), "http://agent/v1/snapshot"); status != http.StatusOK {
		t.Errorf("GET /v1/snapshot on the socket: %d %s", status, body)
	}
}

func TestInsecureServesSnapshotsToEveryone(t *testing.T) {
	s := listen(t, Options{Insecure: true})
	if status, body := ask(t, &http.Transport{}, "http://"+s.Address()+"/v1/snapshot"); status != http.StatusOK {
		t.Errorf("GET /v1/snapshot: %d %s", status, body)
	}
}

func TestOverTLSSnapshotsNeedAuthentication(t *testing.T) {
	ca := newAuthority(t)
	server, client, stranger := ca.issue(t, "agent"), ca.issue(t, "advisor"), newAuthority(t).issue(t, "advisor")
	// bcrypt of "secret", at its lowest cost.
	const users = "basic_auth_users: {ann: $2a$04$ovZOSr615J5AUDdNqbTYFe0mn/PtrJTyQComVtcSLQl2yn8wlcsUm}\n"
	const needs = "snapshots are served to clients that are authenticated"
	for name, c := range map[string]struct {
		auth, users string
		cert        *tls.Certificate
		login       []string
		status      int
		text        string
	}{
		"no authentication":       {status: http.StatusForbidden, text: needs},
		"optional, none given":    {auth: "VerifyClientCertIfGiven", status: http.StatusForbidden, text: needs},
		"optional, given":         {auth: "VerifyClientCertIfGiven", cert: client, status: http.StatusOK},
		"required, given":         {auth: "RequireAndVerifyClientCert", cert: client, status: http.StatusOK},
		"required, none given":    {auth: "RequireAndVerifyClientCert", text: "certificate required"},
		"required, of a stranger": {auth: "RequireAndVerifyClientCert", cert: stranger, text: "certificate"},
		"any, of a stranger":      {auth: "RequireAnyClientCert", cert: stranger, status: http.StatusForbidden, text: needs},
		"password, right":         {users: users, login: []string{"ann", "secret"}, status: http.StatusOK},
		"password, wrong":         {users: users, login: []string{"ann", "guess"}, status: http.StatusUnauthorized},
		"password, none given":    {users: users, status: http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			s := listen(t, Options{WebConfigFile: webConfig(t, ca, server, c.auth, c.users)})
			transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ca.pool(), ServerName: "agent"}}
			if c.cert != nil {
				transport.TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
					return c.cert, nil
				}
			}
			status, body := ask(t, transport, "https://"+s.Address()+"/v1/snapshot", c.login...)
			if status != c.status || !strings.Contains(body, c.text) {
				t.Errorf("GET /v1/snapshot: %d %s, want %d %s", status, body, c.status, c.text)
			}
		})
	}
}

func webConfig(t *testing.T, ca *authority, server *tls.Certificate, auth, users string) string {
	t.Helper()
	dir := t.TempDir()
	config := "tls_server_config:\n  cert_file: agent.crt\n  key_file: agent.key\n"
	if auth != "" {
		config += "  client_auth_type: " + auth + "\n  client_ca_file: ca.pem\n"
	}
	key, err := x509.MarshalPKCS8PrivateKey(server.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"web.yml":   []byte(config + users),
		"agent.crt": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate[0]}),
		"agent.key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
		"ca.pem":    pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.cert.Raw}),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "web.yml")
}

// authority signs certificates for tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{cert, key}
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

func (a *authority) issue(t *testing.T, name string) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestTheSocketGoesWhenTheServerStops(t *testing.T) {
	revision := "r1"
	path := filepath.Join(t.TempDir(), "agent.sock")
	s, err := serving(known(), &revision).Listen(t.Context(), Options{Socket: path, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Serve(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the socket is still there")
	}
}

func TestAnAddressInUseIsAnErrorAndLeavesNoSocket(t *testing.T) {
	other, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	revision := "r1"
	path := filepath.Join(t.TempDir(), "agent.sock")
	_, err = serving(known(), &revision).Listen(t.Context(), Options{Socket: path, Address: other.Addr().String()})
	if err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("Listen: %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the socket is still there")
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	s := listen(t, Options{})
	var held []net.Conn
	defer func() {
		for _, c := range held {
			_ = c.Close()
		}
	}()
	for range maxConnections {
		c, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.Address())
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, c)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Address()+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	if answer, err := transport.RoundTrip(r); err == nil {
		_ = answer.Body.Close()
		t.Errorf("connection %d was answered, want it to wait", maxConnections+1)
	}
	_ = held[0].Close()
	_ = held[1].Close()
	if status, body := ask(t, &http.Transport{}, "http://"+s.Address()+"/healthz"); status != http.StatusOK {
		t.Errorf("after one left: %d %s, want 200", status, body)
	}
}
