package scratch

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// copyDataDir copies a stopped server's data directory. It leaves out
// auto.cnf, which holds MySQL's server_uuid: each copy makes its own.
func copyDataDir(to, from string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch target := filepath.Join(to, rel); {
		case entry.IsDir():
			return os.Mkdir(target, 0o700)
		case entry.Name() == "auto.cnf" || !entry.Type().IsRegular():
			return nil
		default:
			return copyFile(target, path)
		}
	})
}

// copyFile lets the kernel copy, which shares the blocks where the file system
// can (copy_file_range, used by io.Copy between files).
func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}
