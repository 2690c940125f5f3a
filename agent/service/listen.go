package service

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

// Listen listens at path with mode 0660: the folder of the socket says whose group that is. It takes the place of a
// socket that nobody listens on any more, and of nothing else. Errors name the program, and the setting by which it
// was given the path. The file stays when the listener is closed.
func Listen(ctx context.Context, path, program, setting string) (*net.UnixListener, error) {
	if err := checkStale(ctx, path, setting); err != nil {
		return nil, fmt.Errorf("make socket %s: %w", path, err)
	}
	// Under a name of its own until its mode is right: a socket is open to all that its mode admits from the moment
	// it has a name.
	dir, err := os.MkdirTemp(filepath.Dir(path), ".new-")
	if err != nil {
		return nil, fmt.Errorf("make socket %s: %w; the %s's user must be able to write in %s", path, err, program, filepath.Dir(path))
	}
	defer os.RemoveAll(dir)
	fresh := filepath.Join(dir, "s")
	l, err := new(net.ListenConfig).Listen(ctx, "unix", fresh)
	if err != nil {
		return nil, fmt.Errorf("make socket %s: %w", path, err)
	}
	socket := l.(*net.UnixListener)
	socket.SetUnlinkOnClose(false)
	if err := errors.Join(os.Chmod(fresh, 0o660), os.Rename(fresh, path)); err != nil {
		return nil, errors.Join(fmt.Errorf("make socket %s: %w", path, err), socket.Close())
	}
	return socket, nil
}

// checkStale returns an error unless path is free, or a socket that its process left behind.
func checkStale(ctx context.Context, path, setting string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != os.ModeSocket {
		return fmt.Errorf("something else is there; remove it or set %s", setting)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err == nil {
		_ = conn.Close()
		return fmt.Errorf("another process listens there; stop it or set %s", setting)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return nil
}
