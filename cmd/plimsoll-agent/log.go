package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"syscall"
)

// newLog returns the log of a service. The journal stamps lines itself, so that
// there they go without a time.
func newLog(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{}
	if toJournal(w) {
		options.ReplaceAttr = func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// toJournal reports whether w is the stream that systemd connected to the
// journal: JOURNAL_STREAM holds its device and inode, because the variable is
// inherited by programs whose output has gone elsewhere.
func toJournal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && os.Getenv("JOURNAL_STREAM") == fmt.Sprintf("%d:%d", stat.Dev, stat.Ino)
}
