package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOnlyLoopbackMayBeListenedOnUnprotected(t *testing.T) {
	for _, address := range []string{"127.0.0.1:9897", "127.8.9.10:1", "[::1]:9897", "localhost:9897", ""} {
		if err := (&Config{Listen: address}).CheckListen(false); err != nil {
			t.Errorf("CheckListen(%q): %v", address, err)
		}
	}
	for _, address := range []string{":9897", "0.0.0.0:9897", "[::]:9897", "10.0.0.5:9897", "web1:9897", "127.0.0.1.example.org:9897"} {
		err := (&Config{Listen: address}).CheckListen(false)
		if err == nil || !strings.Contains(err.Error(), "web_config_file is not set; run 'plimsoll enroll'") {
			t.Errorf("CheckListen(%q): %v, want a refusal with its remedy", address, err)
		}
		if err := (&Config{Listen: address}).CheckListen(true); err != nil {
			t.Errorf("CheckListen(%q, insecure): %v", address, err)
		}
	}
}

func TestAWebConfigFileWithoutBothTLSAndAuthenticationDoesNotProtect(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"empty":     {"", "has no tls_server_config"},
		"passwords": {"basic_auth_users: {a: $2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi}", "has no tls_server_config"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "web.yml")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			err := (&Config{Listen: ":9897", WebConfigFile: file}).CheckListen(false)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("CheckListen: %v, want %q", err, c.want)
			}
		})
	}
}

func TestWebProtection(t *testing.T) {
	const tls = "tls_server_config: {cert_file: a, key_file: b"
	for text, want := range map[string]Web{
		"":        {},
		tls + "}": {TLS: true},
		tls + ", client_auth_type: VerifyClientCertIfGiven}":    {TLS: true},
		tls + ", client_auth_type: RequireAndVerifyClientCert}": {TLS: true, Certificates: true},
		tls + "}\nbasic_auth_users: {a: b}":                     {TLS: true, Passwords: true},
	} {
		file := filepath.Join(t.TempDir(), "web.yml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := ReadWeb(file); err != nil || got != want {
			t.Errorf("ReadWeb(%s) = %+v, %v, want %+v", text, got, err, want)
		}
	}
}

func TestAMissingWebConfigFileIsRefusedOnLoopbackToo(t *testing.T) {
	c := &Config{Listen: DefaultListen, WebConfigFile: filepath.Join(t.TempDir(), "web.yml")}
	if err := c.CheckListen(true); err == nil || !strings.Contains(err.Error(), c.WebConfigFile) {
		t.Errorf("CheckListen: %v, want an error that names the file", err)
	}
}
