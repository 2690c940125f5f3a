package store

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

func orDiscard(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l
}

// quiet wraps a logger for Prometheus' packages. They log each compaction as
// information, and the same failure for each target on each round. Ours is
// silent in a healthy steady state, so information becomes debug, and the same
// message comes once a minute.
func quiet(l *slog.Logger) *slog.Logger {
	return slog.New(quietHandler{l.Handler(), &lastLogged{at: map[string]time.Time{}}})
}

const logAgainAfter = time.Minute

type quietHandler struct {
	slog.Handler
	last *lastLogged
}

func (h quietHandler) Enabled(ctx context.Context, l slog.Level) bool {
	return h.Handler.Enabled(ctx, demote(l))
}

func (h quietHandler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelWarn && !h.last.due(r.Message, r.Time) {
		return nil
	}
	r.Level = demote(r.Level)
	return h.Handler.Handle(ctx, r)
}

func (h quietHandler) WithAttrs(a []slog.Attr) slog.Handler {
	return quietHandler{h.Handler.WithAttrs(a), h.last}
}

func (h quietHandler) WithGroup(name string) slog.Handler {
	return quietHandler{h.Handler.WithGroup(name), h.last}
}

func demote(l slog.Level) slog.Level {
	if l >= slog.LevelInfo && l < slog.LevelWarn {
		return slog.LevelDebug
	}
	return l
}

// lastLogged remembers when a message was logged. Messages are constants of the
// source, so there are not many.
type lastLogged struct {
	mu sync.Mutex
	at map[string]time.Time
}

func (l *lastLogged) due(message string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if last, seen := l.at[message]; seen && now.Sub(last) < logAgainAfter {
		return false
	}
	l.at[message] = now
	return true
}
