package expose

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/prometheus/exporter-toolkit/web"

	"plimsoll/agent/config"
	"plimsoll/agent/service"
)

// Limits of a listener: whoever reaches it can hold a bounded number of
// connections for a bounded time, before and after it said who it is.
const (
	maxConnections = 64
	headerTimeout  = 5 * time.Second
	readTimeout    = 10 * time.Second
	writeTimeout   = time.Minute
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 16 << 10
	stopTimeout    = 3 * time.Second
)

// Options says where a Server listens.
type Options struct {
	// Socket is the path of the unix socket; empty for none. Its folder says
	// who may come near it, its mode (0660) who may connect.
	Socket string
	// Address is the TCP address; empty for none. WebConfigFile is its TLS and
	// authentication.
	Address       string
	WebConfigFile string
	// Insecure serves snapshots to everyone who reaches Address.
	Insecure bool
	Log      *slog.Logger
}

// Server serves a Handler on its listeners.
type Server struct {
	options Options
	handler *Handler
	unix    *net.UnixListener // nil for none
	tcp     net.Listener      // nil for none
}

// Listen opens the listeners of o, so that clients can connect from now on.
func (h *Handler) Listen(ctx context.Context, o Options) (*Server, error) {
	s := &Server{options: o, handler: h}
	var err error
	if o.Socket != "" {
		if s.unix, err = service.Listen(ctx, o.Socket, "agent", "socket"); err != nil {
			return nil, err
		}
	}
	if o.Address != "" {
		if s.tcp, err = new(net.ListenConfig).Listen(ctx, "tcp", o.Address); err != nil {
			return nil, errors.Join(fmt.Errorf("listen on %s: %w", o.Address, err), s.closeUnix())
		}
	}
	return s, nil
}

// Address is where the Server listens on TCP; empty if it does not.
func (s *Server) Address() string {
	if s.tcp == nil {
		return ""
	}
	return s.tcp.Addr().String()
}

// Serve answers until ctx ends, then ends the requests under way. It returns
// early with an error if a listener fails.
func (s *Server) Serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		running sync.WaitGroup
		mu      sync.Mutex
		errs    []error
	)
	serve := func(server *http.Server, run func() error) {
		running.Go(func() {
			<-ctx.Done()
			stop(context.WithoutCancel(ctx), server)
		})
		running.Go(func() {
			defer cancel()
			if err := run(); !errors.Is(err, http.ErrServerClosed) {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
			}
		})
	}
	if s.unix != nil {
		server := s.server(s.handler)
		serve(server, func() error { return server.Serve(limit(s.unix)) })
	}
	if s.tcp != nil {
		server := s.server(s.handler.routes(s.allow))
		flags := &web.FlagConfig{WebConfigFile: &s.options.WebConfigFile}
		serve(server, func() error { return web.Serve(limit(s.tcp), server, flags, s.options.Log) })
	}
	<-ctx.Done()
	running.Wait()
	return errors.Join(append(errs, s.closeUnix())...)
}

func (s *Server) server(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		// Port scanners would otherwise fill the log with broken handshakes.
		ErrorLog: slog.NewLogLogger(s.options.Log.Handler(), slog.LevelDebug),
	}
}

func stop(ctx context.Context, server *http.Server) {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		_ = server.Close()
	}
}

// closeUnix removes the socket; a file that is not there is none of our making.
func (s *Server) closeUnix() error {
	if s.unix == nil {
		return nil
	}
	_ = s.unix.Close() // Closed already if it served.
	if err := os.Remove(s.options.Socket); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// allow says why a client on TCP gets no snapshot. It is asked for each
// request, because exporter-toolkit reads its file again for each.
func (s *Server) allow(r *http.Request) error {
	if s.options.Insecure {
		return nil
	}
	const remedy = "; use the unix socket, or TLS with authentication: plimsoll enroll, plimsoll-agent init --bundle"
	if r.TLS == nil {
		return errors.New("snapshots hold the text of statements and the structure of tables, and are not served on plain TCP" + remedy)
	}
	if len(r.TLS.VerifiedChains) > 0 {
		return nil
	}
	// Passwords were checked before the request came here, if there are any.
	if w, err := config.ReadWeb(s.options.WebConfigFile); err == nil && w.Passwords {
		return nil
	}
	return errors.New("snapshots are served to clients that are authenticated" + remedy)
}
