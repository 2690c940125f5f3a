package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"plimsoll/collectors/snapshot"
	"plimsoll/fixtures/servers"
)

func TestTheProbeWorksWithTheUnitsCapabilitiesAndSaysWhatOthersLack(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to give the probe less")
	}
	fpm := servers.StartPHP(t, servers.PHP82)
	fpm.Script(t, "index.php", "<?php usleep(400000); echo 'done';")
	nginx := servers.StartNginx(t, servers.FrontController(fpm.Root, fpm.Listen("www"))...)
	const traced, read = unix.CAP_SYS_PTRACE, unix.CAP_DAC_READ_SEARCH

	all := runAs(t, nginx.URL, traced, read)
	pool := poolAt(all, fpm.Listen("www"))
	if pool == nil || pool.States[snapshot.PHPSleep].Seconds < 0.5 || len(pool.Routes) != 1 || pool.Routes[0].Route != "/sleepy/{id}" {
		t.Errorf("with both capabilities: %+v", pool)
	}
	if gaps := gapsAbout(all, fpm.Listen("www")); len(gaps) > 0 {
		t.Errorf("with both capabilities there are gaps: %+v", gaps)
	}
	tests := []struct {
		name, reason string
		given        []uintptr
	}{
		{"none", "which workers are busy is unknown", nil},
		{"CAP_DAC_READ_SEARCH", "which workers are busy is unknown", []uintptr{read}},
		{"CAP_SYS_PTRACE", "what workers wait for is unknown", []uintptr{traced}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := runAs(t, nginx.URL, test.given...)
			if !slices.ContainsFunc(p.Gaps, func(g snapshot.Gap) bool {
				return strings.HasPrefix(g.Reason, test.reason) && strings.Contains(g.Remedy, "AmbientCapabilities=CAP_SYS_PTRACE CAP_DAC_READ_SEARCH")
			}) {
				t.Errorf("gaps = %+v, want that %s, and the remedy", p.Gaps, test.reason)
			}
		})
	}
}

// runAs runs the program as nobody with these capabilities, while pages are asked for.
func runAs(t *testing.T, url string, given ...uintptr) *snapshot.PHPProfile {
	t.Helper()
	cmd := servers.AsNobody(t, "plimsoll-probe", "-print", "2500ms")
	cmd.SysProcAttr.AmbientCaps = given
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case err := <-ended:
			var p snapshot.PHPProfile
			if err := errors.Join(err, json.Unmarshal(out.Bytes(), &p)); err != nil {
				t.Fatalf("%v: %s", err, log.Bytes())
			}
			return &p
		default:
		}
		if err := ask(t.Context(), http.DefaultClient, url+"/sleepy/4711"); err != nil {
			t.Fatal(err)
		}
	}
}

func poolAt(p *snapshot.PHPProfile, server string) *snapshot.PoolProfile {
	i := slices.IndexFunc(p.Pools, func(x snapshot.PoolProfile) bool { return x.Server == server })
	if i < 0 {
		return nil
	}
	return &p.Pools[i]
}

// gapsAbout returns the gaps about a pool, or about the whole host: other tests' pools have some while they start and
// end.
func gapsAbout(p *snapshot.PHPProfile, server string) (gaps []snapshot.Gap) {
	for _, gap := range p.Gaps {
		if gap.Subject == "" || strings.Contains(gap.Subject, server) {
			gaps = append(gaps, gap)
		}
	}
	return gaps
}
