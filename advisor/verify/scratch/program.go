package scratch

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Family is what a server descends from; it decides about settings and SQL.
type Family string

// The two families.
const (
	MariaDB Family = "MariaDB"
	MySQL   Family = "MySQL"
)

// Program is a server's binary and the folder which its other files lie in.
type Program struct {
	Family Family
	Path   string // of mariadbd or mysqld

	// Root is the folder of unpacked packages that holds the server and all
	// its libraries, or "/" for an installed server.
	Root string
}

// Find returns the server below root, "/" for an installed one. MariaDB goes
// first, because it installs a mysqld too, a link to mariadbd.
func Find(root string) (Program, error) {
	for _, name := range []string{"mariadbd", "mysqld"} {
		for _, dir := range []string{"usr/sbin", "usr/libexec", "usr/local/sbin", "usr/bin"} {
			path := filepath.Join(root, dir, name)
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
				return Program{Family: familyOf(name), Path: path, Root: root}, nil
			}
		}
	}
	return Program{}, fmt.Errorf("no mariadbd or mysqld below %s: install mariadb-server-core or mysql-server-core", root)
}

func familyOf(name string) Family {
	if name == "mariadbd" {
		return MariaDB
	}
	return MySQL
}

// Version asks the binary for its version line, such as
// "mariadbd  Ver 10.11.18-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64".
func (p Program) Version(ctx context.Context) (string, error) {
	line, err := p.commandLine(p.Path)
	if err != nil {
		return "", err
	}
	// --no-defaults must come first: the system's option files are not ours.
	line = append(line, "--no-defaults", "--version")
	out, err := exec.CommandContext(ctx, line[0], line[1:]...).Output()
	if err != nil {
		return "", fmt.Errorf("ask %s for its version: %w", p.Path, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// commandLine is how to run a binary of this program: directly if it is
// installed, else by the loader of its own folder.
func (p Program) commandLine(binary string) ([]string, error) {
	if p.Root == "/" {
		return []string{binary}, nil
	}
	loader, libraries, err := Loader(p.Root)
	if err != nil {
		return nil, err
	}
	return []string{loader, "--library-path", strings.Join(libraries, ":"), binary}, nil
}

// Loader returns the dynamic loader below root and the library folders to give
// it by --library-path. So a binary of another release runs with the C library
// it was built for: no chroot, no root, and the rest of the system stays in
// sight.
func Loader(root string) (path string, libraries []string, err error) {
	// An unpacked /lib64/ld-linux-x86-64.so.2 is a link to the same absolute
	// path, that is to the host's loader: only the regular file will do.
	for _, pattern := range []string{"usr/lib/*/ld-linux-*.so.*", "lib/*/ld-linux-*.so.*", "lib64/ld-linux-*.so.*", "usr/lib64/ld-linux-*.so.*"} {
		for _, file := range glob(root, pattern) {
			if info, err := os.Lstat(file); err == nil && info.Mode().IsRegular() {
				return file, libraryFolders(root), nil
			}
		}
	}
	return "", nil, fmt.Errorf("no dynamic loader below %s: unpack libc6 there too", root)
}

func libraryFolders(root string) []string {
	folders := glob(root, "usr/lib/*-linux-gnu*")
	folders = append(folders, glob(root, "lib/*-linux-gnu*")...)
	return append(folders, glob(root, "usr/lib/mysql/private")...)
}

// paths are the settings which tell the server where its own files are; an
// unpacked one would otherwise look for them below the host's /usr.
func (p Program) paths() []string {
	paths := []string{"basedir=" + filepath.Join(p.Root, "usr")}
	for _, share := range p.shareFolders() {
		paths = append(paths, "lc-messages-dir="+share, "character-sets-dir="+filepath.Join(share, "charsets"))
	}
	for _, plugins := range glob(p.Root, "usr/lib/mysql/plugin") {
		paths = append(paths, "plugin-dir="+plugins)
	}
	return paths
}

// shareFolders finds the folder of messages and character sets, which MariaDB
// has moved from share/mysql to share/mariadb.
func (p Program) shareFolders() []string {
	for _, name := range []string{"mariadb", "mysql"} {
		share := filepath.Join(p.Root, "usr/share", name)
		if _, err := os.Stat(filepath.Join(share, "charsets", "Index.xml")); err == nil {
			return []string{share}
		}
	}
	return nil
}

// glob has no error to report: our patterns are well-formed.
func glob(root, pattern string) []string {
	found, _ := filepath.Glob(filepath.Join(root, pattern))
	return found
}
