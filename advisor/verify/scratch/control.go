package scratch

import (
	"context"
	"fmt"
	"io"
	"os"
	"syscall"
)

// Pid is the process id of the server, also after it has ended.
func (s *Server) Pid() int { return s.process.pid }

// DSN is how go-sql-driver reaches the server by its socket as a user without
// a password.
func (s *Server) DSN(user string) string {
	return fmt.Sprintf("%s@unix(%s)/", user, s.Socket)
}

// Pause stops the process where it stands (SIGSTOP): it keeps its socket and
// connections but answers nothing until Continue.
func (s *Server) Pause() error { return s.process.signal(syscall.SIGSTOP) }

// Continue lets a paused server go on.
func (s *Server) Continue() error { return s.process.signal(syscall.SIGCONT) }

// Kill ends the server at once, as a crash would, and keeps its folder for
// Restart. A server that has ended already is left as it is.
func (s *Server) Kill() { s.process.kill() }

// Stop shuts the server down and keeps its folder for Restart. MySQL waits 2 s
// for idle connections and 10 s for replicas. If the context ends first, the
// server is killed, and the error says so.
func (s *Server) Stop(ctx context.Context) error { return s.process.stop(ctx) }

// Restart stops the server if it runs and starts it again on the same data,
// socket and port.
func (s *Server) Restart(ctx context.Context) error {
	if err := s.Stop(ctx); err != nil {
		return fmt.Errorf("restart scratch server: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if err := s.launch(ctx); err != nil {
		return fmt.Errorf("restart scratch server: %w", err)
	}
	return nil
}

// Close ends the server and removes its folder. It does not wait for an orderly
// shutdown, which takes seconds and serves nothing once the data is gone. It
// can be called again.
func (s *Server) Close() error {
	if s.process != nil {
		s.process.kill()
	}
	_ = s.owner.Close() // gives up the lock; a second time it is closed already
	return os.RemoveAll(s.Dir)
}

// LogTail returns the last n lines of the server's log, of its last 64 KiB at
// most.
func (s *Server) LogTail(n int) string {
	f, err := os.Open(s.logFile())
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	const most = 64 << 10
	if info, err := f.Stat(); err == nil && info.Size() > most {
		_, _ = f.Seek(-most, io.SeekEnd)
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return err.Error()
	}
	return lastLines(string(text), n)
}
