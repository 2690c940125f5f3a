package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// freePort returns a TCP port of loopback that nobody uses now.
func freePort(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, errors.Join(err, l.Close())
}

// status CODE ARGS... runs the program and wants that exit code.
func status(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	exit := new(exec.ExitError)
	if err := ts.Exec("plimsoll-agent", args[1:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// expand FILE... replaces $VARIABLES in files of the script.
func expand(ts *testscript.TestScript, _ bool, files []string) {
	for _, file := range files {
		text := os.Expand(ts.ReadFile(file), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(file), []byte(text), 0o600))
	}
}

// await FILE waits until there is such a file.
func await(ts *testscript.TestScript, _ bool, args []string) {
	for range 200 {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("no %s after 10 s", args[0])
}

// get OUT URL [SOCKET] writes status and body of an answer to a file, and with
// ! wants that there is none.
func get(ts *testscript.TestScript, neg bool, args []string) {
	transport := &http.Transport{DisableKeepAlives: true}
	if len(args) > 2 {
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", args[2])
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, args[1], nil)
	ts.Check(err)
	answer, err := transport.RoundTrip(r)
	if neg {
		if err == nil {
			_ = answer.Body.Close()
			ts.Fatalf("%s answered %s", args[1], answer.Status)
		}
		return
	}
	ts.Check(err)
	body, err := io.ReadAll(answer.Body)
	ts.Check(errors.Join(err, answer.Body.Close()))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), append([]byte(answer.Status+"\n"), body...), 0o600))
}

// poll PATTERN OUT URL [SOCKET] gets until the answer matches.
func poll(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile(args[0])
	for range 200 {
		get(ts, false, args[1:])
		if pattern.MatchString(ts.ReadFile(args[1])) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("nothing at %s matches %s within 10 s:\n%s", args[2], pattern, ts.ReadFile(args[1]))
}

// bundle FILE KIND writes a bundle as 'plimsoll enroll' does, or one that is
// wrong in some way.
func bundle(ts *testscript.TestScript, _ bool, args []string) {
	files := identity(ts)
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	add := func(name string, body []byte) {
		ts.Check(w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(body))}))
		_, err := w.Write(body)
		ts.Check(err)
	}
	switch args[1] {
	case "traversal":
		add("../agent.key", []byte("evil"))
	case "absolute":
		add("/etc/plimsoll/agent.key", []byte("evil"))
	case "link":
		ts.Check(w.WriteHeader(&tar.Header{Name: keyFile, Typeflag: tar.TypeSymlink, Linkname: "/etc/shadow"}))
	case "huge":
		add(caFile, make([]byte, maxBundleFile+1))
	case "twice":
		add(caFile, files[caFile])
	case "incomplete":
		delete(files, keyFile)
	case "other key":
		files[keyFile] = identity(ts)[keyFile]
	case "other authority":
		files[caFile] = identity(ts)[caFile]
	case "open":
		files[webFile] = []byte("tls_server_config: {cert_file: agent.crt, key_file: agent.key}\n")
	}
	for _, name := range bundleFiles() {
		if files[name] != nil {
			add("./"+name, files[name])
		}
	}
	ts.Check(w.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), out.Bytes(), 0o600))
}

// identity makes an authority and a certificate of host web1.
func identity(ts *testscript.TestScript) map[string][]byte {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	until := time.Date(2099, 12, 31, 0, 0, 0, 0, time.UTC)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "site"}, NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{"web1.shop.example"}, NotAfter: until,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	caCert, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	ts.Check(err)
	cert, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, caKey)
	ts.Check(err)
	text, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	return map[string][]byte{
		certFile: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}),
		keyFile:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text}),
		caFile:   pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caCert}),
		webFile: []byte(strings.Join([]string{
			"tls_server_config:", "  cert_file: agent.crt", "  key_file: agent.key",
			"  client_ca_file: ca.pem", "  client_auth_type: RequireAndVerifyClientCert", "",
		}, "\n")),
	}
}
