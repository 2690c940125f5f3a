package keeper

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// sweepHourly removes what outlived its agent: copies beyond their time, and what
// is remembered of agents that are not there. Hosts come and go for years.
func (k *Keeper) sweepHourly() {
	if k.now().Sub(k.swept) < time.Hour {
		return
	}
	k.swept = k.now()
	k.forgetCopies()
	entries, err := os.ReadDir(k.dir)
	for _, e := range entries {
		if e.IsDir() && validID(e.Name()) {
			err = errors.Join(err, k.sweep(e.Name()))
		}
	}
	if err != nil {
		k.log.Warn("cannot remove old snapshots", "error", err)
	}
}

// sweep removes old copies of one agent, files that a killed advisor did not
// complete, and then the folder if nothing is left in it.
func (k *Keeper) sweep(id string) error {
	times, err := k.kept(id)
	if err != nil {
		return err
	}
	if err := k.prune(id, times); err != nil {
		return fmt.Errorf("remove old copies of %s: %w", id, err)
	}
	dir := filepath.Join(k.dir, id)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		return os.Remove(dir)
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && strings.HasPrefix(e.Name(), newPrefix) && k.now().Sub(info.ModTime()) > time.Hour {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// forgetCopies drops from memory what belongs to agents that no target is now.
func (k *Keeper) forgetCopies() {
	k.mu.Lock()
	defer k.mu.Unlock()
	here := map[string]bool{}
	for _, a := range k.targets {
		if a.Latest != nil {
			here[a.Latest.AgentID] = true
		}
	}
	for id := range k.bounds {
		if !here[id] {
			delete(k.bounds, id)
		}
	}
	for path := range k.bases {
		if !here[filepath.Base(filepath.Dir(path))] {
			delete(k.bases, path)
		}
	}
}
