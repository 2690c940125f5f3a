package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"plimsoll/agent/service"
	"plimsoll/collectors/phpfpm"
	"plimsoll/collectors/snapshot"
)

// serving serves a profile and returns the socket.
func serving(t *testing.T, profile *snapshot.PHPProfile) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	ctx, cancel := context.WithCancel(t.Context())
	l, err := service.Listen(ctx, path, "probe", "-socket")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		done <- serve(ctx, l, func() *snapshot.PHPProfile { return profile }, slog.New(slog.DiscardHandler))
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return path
}

func TestEachConnectionGetsOneProfile(t *testing.T) {
	profile := &snapshot.PHPProfile{Version: "1.2.3"}
	profile.Taken, profile.Epoch = time.Unix(1, 0).UTC(), "e"
	path := serving(t, profile)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for range 2 * maxReaders {
		got, err := phpfpm.FetchProfile(ctx, path)
		if err != nil || got.Version != "1.2.3" {
			t.Fatalf("FetchProfile = %+v, %v", got, err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("mode of the socket = %v, %v, want 0660", info.Mode(), err)
	}
}

func TestReaderThatWaitsKeepsNobodyFromReading(t *testing.T) {
	path := serving(t, &snapshot.PHPProfile{})
	for range maxReaders - 1 {
		c, err := new(net.Dialer).DialContext(t.Context(), "unix", path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
	}
	c, err := new(net.Dialer).DialContext(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if text, err := io.ReadAll(c); err != nil || !bytes.HasSuffix(text, []byte("}\n")) {
		t.Errorf("read %q, %v", text, err)
	}
}

func TestASecondProbeDoesNotTakeTheSocket(t *testing.T) {
	path := serving(t, &snapshot.PHPProfile{})
	if _, err := service.Listen(t.Context(), path, "probe", "-socket"); err == nil || !strings.Contains(err.Error(), "another process listens there") {
		t.Errorf("listen = %v, want that another process listens there", err)
	}
}

func TestWhatAKilledProbeLeftIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := service.Listen(t.Context(), path, "probe", "-socket")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l, err = service.Listen(t.Context(), path, "probe", "-socket")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
}

func TestALargeProfileIsCutByRankWithAGap(t *testing.T) {
	p := &snapshot.PHPProfile{}
	for pool := range 40 {
		one := snapshot.PoolProfile{Name: fmt.Sprint(pool)}
		for row := range snapshot.MaxPHPRows {
			one.Rows = append(one.Rows, snapshot.ProfileRow{
				ProfileKey: snapshot.ProfileKey{Route: fmt.Sprintf("/%d/%s", row, strings.Repeat("x", 500))},
				StateTime:  snapshot.StateTime{Seconds: float64(snapshot.MaxPHPRows - row)},
			})
		}
		p.Pools = append(p.Pools, one)
	}
	var out bytes.Buffer
	if err := write(&out, p); err != nil {
		t.Fatal(err)
	}
	var got snapshot.PHPProfile
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || out.Len() > phpfpm.MaxProfile {
		t.Fatalf("%d bytes, %v", out.Len(), err)
	}
	if len(got.Gaps) != 1 || !strings.Contains(got.Gaps[0].Reason, "4 MiB") {
		t.Errorf("gaps = %+v, want that it was cut", got.Gaps)
	}
	var sum float64
	for _, r := range got.Pools[0].Rows {
		sum += r.Seconds
	}
	rows := got.Pools[0].Rows
	if want := float64(snapshot.MaxPHPRows*(snapshot.MaxPHPRows+1)) / 2; sum != want || rows[0].Seconds != snapshot.MaxPHPRows {
		t.Errorf("rows add up to %g, the first is %g; want %g, %d", sum, rows[0].Seconds, want, snapshot.MaxPHPRows)
	}
}
