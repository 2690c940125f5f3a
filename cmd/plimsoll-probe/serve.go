package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"plimsoll/collectors/phpfpm"
	"plimsoll/collectors/phpfpm/sampler"
	"plimsoll/collectors/snapshot"
)

const (
	// patience is how long a reader may take.
	patience = 5 * time.Second
	// maxReaders is how many may read at a time: the agent, and somebody who looks.
	maxReaders = 4
)

// serve answers each connection with one profile, until ctx ends.
func serve(ctx context.Context, l *net.UnixListener, profile func() *snapshot.PHPProfile, log *slog.Logger) error {
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	var readers sync.WaitGroup
	defer readers.Wait()
	places := make(chan struct{}, maxReaders)
	for {
		c, err := l.AcceptUnix()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept on %s: %w", l.Addr(), err)
		}
		places <- struct{}{}
		readers.Go(func() {
			defer func() { <-places }()
			if err := answer(c, profile); err != nil {
				log.Warn("reader got no answer", "reason", err)
			}
		})
	}
}

var errStranger = errors.New("reader is neither root nor of the probe's group")

func answer(c *net.UnixConn, profile func() *snapshot.PHPProfile) error {
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if err := admit(c); err != nil {
		return err
	}
	return write(c, profile())
}

// admit asks the kernel who connected. The mode of the socket says the same, unless somebody changed it.
func admit(c *net.UnixConn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var who *unix.Ucred
	var whoErr error
	if err := raw.Control(func(fd uintptr) {
		who, whoErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return err
	}
	if whoErr != nil {
		return fmt.Errorf("ask who connected: %w", whoErr)
	}
	if who.Uid == 0 || int(who.Uid) == os.Geteuid() || int(who.Gid) == os.Getegid() {
		return nil
	}
	return fmt.Errorf("%w: user %d", errStranger, who.Uid)
}

// write writes a profile as JSON of at most phpfpm.MaxProfile bytes, if need be without its smallest rows.
func write(w io.Writer, p *snapshot.PHPProfile) error {
	for {
		text, err := json.Marshal(p)
		if err != nil {
			return fmt.Errorf("write the profile: %w", err)
		}
		if len(text) < phpfpm.MaxProfile {
			_, err := w.Write(append(text, '\n'))
			return err
		}
		sampler.Shorten(p)
	}
}
