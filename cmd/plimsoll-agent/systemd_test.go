package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"plimsoll/agent"
	"plimsoll/agent/config"
	"plimsoll/collectors"
)

func TestSystemdHearsOfStartLifeAndEnd(t *testing.T) {
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(t.TempDir(), "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.Close() }()
	t.Setenv("NOTIFY_SOCKET", socket.LocalAddr().String())
	t.Setenv("WATCHDOG_USEC", "100000")
	t.Setenv("WATCHDOG_PID", "")
	a := agent.New(agent.Options{Config: &config.Config{}, Jobs: []collectors.Job{}})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- tellSystemd(ctx, a) }()

	for _, want := range []string{"READY=1", "WATCHDOG=1", "WATCHDOG=1"} {
		if got := receive(t, socket); got != want {
			t.Errorf("systemd heard %q, want %q", got, want)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	got := receive(t, socket)
	for got == "WATCHDOG=1" {
		got = receive(t, socket)
	}
	if got != "STOPPING=1" {
		t.Errorf("systemd heard %q at the end, want STOPPING=1", got)
	}
}

func receive(t *testing.T, socket *net.UnixConn) string {
	t.Helper()
	if err := socket.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var message [100]byte
	n, err := socket.Read(message[:])
	if err != nil {
		t.Fatal(err)
	}
	return string(message[:n])
}

func TestOnlyTheJournalGetsLinesWithoutATime(t *testing.T) {
	for name, c := range map[string]struct {
		stream func(*syscall.Stat_t) string
		want   string
	}{
		"the journal":        {func(s *syscall.Stat_t) string { return fmt.Sprintf("%d:%d", s.Dev, s.Ino) }, "level=INFO msg=hello\n"},
		"an inherited value": {func(s *syscall.Stat_t) string { return fmt.Sprintf("%d:%d", s.Dev, s.Ino+1) }, "time="},
		"a terminal":         {func(*syscall.Stat_t) string { return "" }, "time="},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := os.Create(filepath.Join(t.TempDir(), "log"))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			info, err := f.Stat()
			if err != nil {
				t.Fatal(err)
			}
			t.Setenv("JOURNAL_STREAM", c.stream(info.Sys().(*syscall.Stat_t)))
			newLog(f).Info("hello")
			text, err := os.ReadFile(f.Name())
			if err != nil || !strings.HasPrefix(string(text), c.want) {
				t.Errorf("log = %q (%v), want %q", text, err, c.want)
			}
		})
	}
	newLog(io.Discard).Info("hello") // What is no file is no journal.
}
