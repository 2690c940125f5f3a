package expose

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// listenUnix listens at path with mode 0660. It takes the place of a socket
// that nobody listens on any more, and of nothing else.
func listenUnix(ctx context.Context, path string) (net.Listener, error) {
	if err := checkStale(ctx, path); err != nil {
		return nil, err
	}
	// Under a name of its own until its mode is right: a socket is open to all
	// that its mode admits from the moment it has a name.
	dir, err := os.MkdirTemp(filepath.Dir(path), ".new-")
	if err != nil {
		return nil, fmt.Errorf("make socket %s: %w; the agent's user must be able to write in %s", path, err, filepath.Dir(path))
	}
	defer os.RemoveAll(dir)
	fresh := filepath.Join(dir, "s")
	l, err := new(net.ListenConfig).Listen(ctx, "unix", fresh)
	if err != nil {
		return nil, fmt.Errorf("make socket %s: %w", path, err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := errors.Join(os.Chmod(fresh, 0o660), os.Rename(fresh, path)); err != nil {
		return nil, errors.Join(fmt.Errorf("make socket %s: %w", path, err), l.Close())
	}
	return l, nil
}

// checkStale returns an error unless path is free, or a socket that its process
// left behind.
func checkStale(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("make socket %s: %w", path, err)
	}
	if info.Mode().Type() != os.ModeSocket {
		return fmt.Errorf("make socket %s: something else is there; remove it or set socket", path)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err == nil {
		_ = conn.Close()
		return fmt.Errorf("make socket %s: another process listens there; stop it or set socket", path)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("make socket %s: %w", path, err)
	}
	return nil
}

// closeUnix removes the socket; a file that is not there is none of our making.
func (s *Server) closeUnix() error {
	if s.unix == nil {
		return nil
	}
	_ = s.unix.Close() // Closed already if it served.
	if err := os.Remove(s.options.Socket); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
