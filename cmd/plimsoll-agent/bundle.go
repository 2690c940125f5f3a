package main

import (
	"archive/tar"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// The files of a bundle, by which a host gets its identity. Paths in web.yml
// are relative to its folder.
const (
	certFile = "agent.crt"
	keyFile  = "agent.key"
	caFile   = "ca.pem"
	webFile  = "web.yml"
)

// maxBundleFile bounds each file of a bundle.
const maxBundleFile = 1 << 20

func bundleFiles() []string { return []string{certFile, keyFile, caFile, webFile} }

// readBundle returns the content of the files of a bundle, by name. Only the
// names of a bundle are taken, each once, and as plain files: whatever else a
// tar can hold (links, folders, paths that lead out) is an error.
func readBundle(r io.Reader) (map[string][]byte, error) {
	files := map[string][]byte{}
	for in := tar.NewReader(r); ; {
		head, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("not a tar file: %w", err)
		}
		name := strings.TrimPrefix(head.Name, "./")
		if err := checkEntry(head, name, files); err != nil {
			return nil, err
		}
		if files[name], err = io.ReadAll(in); err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
	}
	for _, name := range bundleFiles() {
		if files[name] == nil {
			return nil, fmt.Errorf("%s is missing; a bundle holds %s", name, strings.Join(bundleFiles(), ", "))
		}
	}
	return files, nil
}

func checkEntry(head *tar.Header, name string, files map[string][]byte) error {
	switch {
	case !slices.Contains(bundleFiles(), name):
		return fmt.Errorf("%.80q does not belong into a bundle, which holds %s", head.Name, strings.Join(bundleFiles(), ", "))
	case head.Typeflag != tar.TypeReg:
		return fmt.Errorf("%s is not a plain file", name)
	case files[name] != nil:
		return fmt.Errorf("%s is there twice", name)
	case head.Size > maxBundleFile:
		return fmt.Errorf("%s has %d bytes, at most %d are allowed", name, head.Size, maxBundleFile)
	}
	return nil
}

// checkIdentity returns the certificate of a bundle, if key and authority fit.
func checkIdentity(files map[string][]byte) (*x509.Certificate, error) {
	pair, err := tls.X509KeyPair(files[certFile], files[keyFile])
	if err != nil {
		return nil, fmt.Errorf("%s and %s do not fit together: %w", certFile, keyFile, err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(files[caFile]) {
		return nil, fmt.Errorf("%s holds no certificate", caFile)
	}
	_, err = pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	if err != nil {
		return nil, fmt.Errorf("%s is not signed by %s: %w", certFile, caFile, err)
	}
	return pair.Leaf, nil
}

// writeFiles writes files into dir, each whole or not at all.
func writeFiles(dir string, files map[string][]byte) error {
	for _, name := range bundleFiles() {
		if err := writeFile(filepath.Join(dir, name), files[name]); err != nil {
			return fmt.Errorf("install %s: %w", name, err)
		}
	}
	return nil
}

// writeFile writes a file that the group of its folder may read, and nobody
// else.
func writeFile(path string, content []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	group, err := groupOf(filepath.Dir(path))
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Chown(-1, group), f.Chmod(0o640), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func groupOf(dir string) (int, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return 0, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, fmt.Errorf("%s has no group", dir)
	}
	return int(stat.Gid), nil
}
