package store

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	config_util "github.com/prometheus/common/config"
)

// Remote is an existing engine that answers Prometheus' HTTP API: Prometheus
// itself, Thanos, Mimir or VictoriaMetrics. It is what the configuration's
// `store:` holds if the series are kept elsewhere.
type Remote struct {
	// URL is where the API begins, without /api/v1: http://prometheus:9090, or
	// https://mimir/prometheus. Redirects are not followed, because they would
	// take the password along.
	URL string `yaml:"url"`
	TLS *TLS   `yaml:"tls_config,omitempty"`
	// BasicAuth or BearerTokenFile is sent with each request, if it is set.
	BasicAuth       *BasicAuth `yaml:"basic_auth,omitempty"`
	BearerTokenFile string     `yaml:"bearer_token_file,omitempty"`
	// Headers are sent too: Mimir wants X-Scope-OrgID, the tenant.
	Headers map[string]string `yaml:"headers,omitempty"`
}

// Querier returns a Querier that asks the engine. Nothing is asked yet.
func (r Remote) Querier() (Querier, error) {
	u, err := url.Parse(r.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("store.url: not a URL; write for example http://prometheus:9090")
	}
	if u.User != nil {
		return nil, errors.New("store.url: has a password in it; use basic_auth with a password_file")
	}
	client, err := config_util.NewClientFromConfig(r.httpConfig(), "store")
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	client.Transport = limited{client.Transport}
	c, err := api.NewClient(api.Config{Address: r.URL, Client: client})
	if err != nil {
		return nil, fmt.Errorf("store.url: %w", err)
	}
	return promv1.NewAPI(c), nil
}

func (r Remote) httpConfig() config_util.HTTPClientConfig {
	c := config_util.HTTPClientConfig{EnableHTTP2: true}
	if t := r.TLS; t != nil {
		c.TLSConfig = config_util.TLSConfig{
			CAFile:             t.CAFile,
			CertFile:           t.CertFile,
			KeyFile:            t.KeyFile,
			ServerName:         t.ServerName,
			InsecureSkipVerify: t.InsecureSkipVerify,
		}
	}
	if b := r.BasicAuth; b != nil {
		c.BasicAuth = &config_util.BasicAuth{Username: b.Username, PasswordFile: b.PasswordFile}
	}
	if r.BearerTokenFile != "" {
		c.Authorization = &config_util.Authorization{Type: "Bearer", CredentialsFile: r.BearerTokenFile}
	}
	if len(r.Headers) > 0 {
		c.HTTPHeaders = &config_util.Headers{Headers: map[string]config_util.Header{}}
		for name, value := range r.Headers {
			c.HTTPHeaders.Headers[name] = config_util.Header{Values: []string{value}}
		}
	}
	return c
}

// limited keeps an engine's answer from filling the memory: client_golang reads
// it whole.
type limited struct{ next http.RoundTripper }

func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.next.RoundTrip(r)
	if err == nil {
		resp.Body = &limitedBody{ReadCloser: resp.Body, left: maxAnswer}
	}
	return resp, err
}

type limitedBody struct {
	io.ReadCloser
	left int
}

func (b *limitedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLarge
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
