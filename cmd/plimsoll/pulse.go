package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// pulse tells systemd how the advisor is: ready after the first report, and alive
// as long as rounds end. A round may take longer than the watchdog is patient;
// one that takes longer than any round can hangs, and then systemd restarts us.
type pulse struct {
	patience time.Duration
	notify   func(state string) error
	ready    func()

	mu   sync.Mutex
	last time.Time // when a round ended
}

func newPulse(patience time.Duration) *pulse {
	p := &pulse{patience: patience, last: time.Now(), notify: func(state string) error {
		_, err := daemon.SdNotify(false, state) // without systemd there is nobody to tell
		return err
	}}
	p.ready = sync.OnceFunc(func() { _ = p.notify(daemon.SdNotifyReady) })
	return p
}

// beat says that a round ended.
func (p *pulse) beat() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = time.Now()
}

// alive reports whether a round ended of late.
func (p *pulse) alive() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Since(p.last) <= p.patience
}

// run feeds systemd's watchdog until ctx ends.
func (p *pulse) run(ctx context.Context) error {
	watchdog, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return fmt.Errorf("read WATCHDOG_USEC: %w", err)
	}
	return p.feed(ctx, watchdog)
}

func (p *pulse) feed(ctx context.Context, watchdog time.Duration) error {
	var tick <-chan time.Time
	if watchdog > 0 {
		ticker := time.NewTicker(watchdog / 2)
		defer ticker.Stop()
		tick = ticker.C
	}
	for {
		select {
		case <-tick:
			if !p.alive() {
				continue
			}
			if err := p.notify(daemon.SdNotifyWatchdog); err != nil {
				return fmt.Errorf("notify systemd: %w", err)
			}
		case <-ctx.Done():
			_ = p.notify(daemon.SdNotifyStopping) // it sees us end anyway
			return nil
		}
	}
}
