package agent

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// The file is {"crc32c":"…","state":…}: a flipped bit in a number would
// otherwise read as a total.
const (
	envelopeHead = `{"crc32c":"`
	envelopeMid  = `","state":`
	envelopeTail = "}\n"
	sumLength    = 8
)

func sum(body []byte) string {
	return fmt.Sprintf("%08x", crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
}

// writeState replaces the state in dir whole, and returns when it is on disk.
func writeState(dir string, body []byte) error {
	file := filepath.Join(dir, stateFile)
	fresh := file + ".tmp"
	err := writeSynced(fresh, []byte(envelopeHead+sum(body)+envelopeMid), body, []byte(envelopeTail))
	if err != nil {
		_ = os.Remove(fresh) // On a full disk it would hold the last of the room.
		return err
	}
	if err := os.Rename(fresh, file); err != nil {
		return err
	}
	return syncFolder(dir)
}

func writeSynced(file string, pieces ...[]byte) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	for _, piece := range pieces {
		if _, err := f.Write(piece); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return errors.Join(f.Sync(), f.Close())
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// The reasons why totals start anew.
var (
	errMissing = errors.New("there is no state file")
	errDamaged = errors.New("the state file is damaged")
	errForeign = errors.New("the state file belongs to another host")
)

// readState returns the state in dir, or one of the reasons to start anew. What
// cannot be used is put aside, for whoever wants to know what happened to it.
// Any other error is about the file's permissions or its disk: those are
// repaired, and the totals are not lost.
func readState(dir, host string) (*stored, error) {
	file := filepath.Join(dir, stateFile)
	s, err := parseState(file, host)
	if errors.Is(err, errDamaged) || errors.Is(err, errForeign) {
		kept, asideErr := setAside(file)
		if asideErr != nil {
			return nil, fmt.Errorf("put %s aside: %w", file, asideErr)
		}
		return nil, fmt.Errorf("%w and is kept as %s", err, kept)
	}
	return s, err
}

func parseState(file, host string) (*stored, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errMissing
	}
	if err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	body, ok := unwrap(text)
	if !ok {
		return nil, errDamaged
	}
	s := newStored(host)
	if err := json.Unmarshal(body, &s); err != nil || s.Format != stateFormat || s.AgentID == "" || s.Keepers == nil {
		return nil, errDamaged
	}
	if s.Machine != machine(host) {
		return nil, errForeign
	}
	return &s, nil
}

// unwrap takes the envelope off and checks it.
func unwrap(text []byte) (body []byte, ok bool) {
	rest, head := bytes.CutPrefix(text, []byte(envelopeHead))
	rest, tail := bytes.CutSuffix(rest, []byte(envelopeTail))
	if !head || !tail || len(rest) < sumLength {
		return nil, false
	}
	want := string(rest[:sumLength])
	body, mid := bytes.CutPrefix(rest[sumLength:], []byte(envelopeMid))
	return body, mid && sum(body) == want
}

// setAside renames file to the name that it returns, and keeps one such file at
// most.
func setAside(file string) (string, error) {
	older, err := filepath.Glob(file + ".corrupt-*")
	if err != nil {
		return "", err
	}
	for _, name := range older {
		if err := os.Remove(name); err != nil {
			return "", err
		}
	}
	name := file + ".corrupt-" + strconv.FormatInt(time.Now().Unix(), 10)
	return name, os.Rename(file, name)
}
