package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"plimsoll/advisor"
)

// served is the configuration of an advisor whose one agent is away.
func served(t *testing.T, listen string) *advisor.Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), "plimsoll.yml")
	write(t, path, fmt.Sprintf("data: %s\nlisten: %s\ninterval: 1s\nagents: [{static_configs: [{targets: [\"unix:/nonexistent/agent.sock\"]}]}]\n", t.TempDir(), listen))
	c, err := advisor.ReadConfig(path, true)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestServeIsReadyWhenItAnswersWithAReport(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	systemd, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = systemd.Close() }() // the test is over
	t.Setenv("NOTIFY_SOCKET", socket)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, served(t, address), false, slog.New(slog.DiscardHandler)) }()

	message := make([]byte, 100)
	if err := systemd.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	n, err := systemd.Read(message)
	if err != nil || string(message[:n]) != "READY=1" {
		t.Fatalf("first word to systemd = %q, %v, want READY=1", message[:n], err)
	}
	for path, want := range map[string]string{"/healthz": "ok\n", "/report.txt": "nonexistent"} {
		answer, err := http.Get("http://" + address + path)
		if err != nil {
			t.Fatalf("it said that it is ready: %v", err)
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
			t.Errorf("GET %s = %d %.200s, %v, want %q", path, answer.StatusCode, body, err, want)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("serve: %v", err)
	}
}

func TestServeOnAnAddressInUseSaysSoAtOnce(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	err = serve(t.Context(), served(t, taken.Addr().String()), false, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "address already in use") || !strings.Contains(err.Error(), "set another address") {
		t.Errorf("serve = %v, want that the address is in use, and what to do", err)
	}
}
