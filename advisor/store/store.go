package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/scrape"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/fileutil"
	"github.com/prometheus/prometheus/util/compression"
)

const (
	defaultRetention = 35 * 24 * time.Hour
	defaultMaxBytes  = 20e9

	// lockPatience is how long Open waits for the folder's lock: after a kill -9
	// the kernel may hold it until the old process is reaped.
	lockPatience = 30 * time.Second
	lockRetry    = 200 * time.Millisecond

	// outOfOrder is how late a sample may come. A host whose clock was a day
	// ahead and is set right would otherwise be refused until the day is over.
	outOfOrder = 24 * time.Hour

	blockDuration = 2 * time.Hour

	// samplesPerChunk is half of Prometheus' own. A series' last chunk is the one
	// that is in memory, and where all series began together all chunks are full
	// together: with 475,000 series of which many never repeat a value, that was a
	// quarter of the heap.
	samplesPerChunk = 60
)

// Options says where and how much a Store keeps. Only Dir is needed.
type Options struct {
	// Dir is the database's own folder. It is made if it is missing.
	Dir string
	// Retention is how long samples are kept; 35 days if zero.
	Retention time.Duration
	// MaxBytes is how large the database may grow before its oldest blocks go;
	// 20 GB if zero. Whichever of the two is reached first decides.
	MaxBytes int64
	// Logger gets warnings and errors; what Prometheus logs as information
	// comes as debug. Nothing is logged if it is nil.
	Logger *slog.Logger
	// Registerer gets Prometheus' own metrics of the database, the queries and
	// the scrapes, prometheus_*. None are exposed if it is nil.
	Registerer prometheus.Registerer
	// Now is the clock that samples are checked against and that an instant
	// query without a time means; time.Now if nil.
	Now func() time.Time
}

// Store is an embedded Prometheus: samples in, PromQL out. It is safe for use
// by several goroutines. Make one with [Open].
type Store struct {
	dir    string
	now    func() time.Time
	log    *slog.Logger
	reg    prometheus.Registerer
	lock   fileutil.Releaser
	db     *tsdb.DB
	engine *promql.Engine
	parser parser.Parser

	mu      sync.Mutex
	scraper *scrape.Manager // nil while nothing is scraped
	paused  error           // ErrNoRoom while the disk is too full
}

// Open opens the database in o.Dir and replays its log, which takes about a
// second for each 30,000 series. It waits up to 30 seconds while another process
// holds the folder, then fails; it also gives up when ctx ends. The caller closes
// the store.
func Open(ctx context.Context, o Options) (*Store, error) {
	o = o.withDefaults()
	if err := os.MkdirAll(o.Dir, 0o750); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	lock, err := lockDir(ctx, o.Dir)
	if err != nil {
		return nil, err
	}
	db, err := tsdb.Open(o.Dir, quiet(o.Logger), o.Registerer, tsdbOptions(o), nil)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open store in %s: %w", o.Dir, err), lock.Release())
	}
	p := parser.NewParser(parser.Options{})
	return &Store{
		dir:    o.Dir,
		now:    o.Now,
		log:    o.Logger,
		reg:    o.Registerer,
		lock:   lock,
		db:     db,
		parser: p,
		engine: newEngine(o, p),
	}, nil
}

// Close stops the database's work in the background, writes what is pending and
// gives the folder back. [Store.Scrape] must have returned.
func (s *Store) Close() error {
	return errors.Join(s.engine.Close(), s.db.Close(), s.lock.Release())
}

func (o Options) withDefaults() Options {
	if o.Retention == 0 {
		o.Retention = defaultRetention
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = defaultMaxBytes
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Logger = orDiscard(o.Logger)
	return o
}

func tsdbOptions(o Options) *tsdb.Options {
	t := tsdb.DefaultOptions()
	t.RetentionDuration = o.Retention.Milliseconds()
	t.MaxBytes = o.MaxBytes
	t.MinBlockDuration = blockDuration.Milliseconds()
	// A block goes only as a whole: Prometheus' own rule keeps the largest at a
	// tenth of the retention, so that a tenth more is kept at most.
	t.MaxBlockDuration = max(o.Retention/10, blockDuration).Milliseconds()
	t.SamplesPerChunk = samplesPerChunk
	t.WALCompression = compression.Snappy
	t.OutOfOrderTimeWindow = outOfOrder.Milliseconds()
	t.NoLockfile = true // lockDir holds the same file, with patience
	return t
}

// lockDir takes the lock that Prometheus itself would take on dir, and keeps
// trying for lockPatience.
func lockDir(ctx context.Context, dir string) (fileutil.Releaser, error) {
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	path := filepath.Join(dir, "lock")
	for {
		lock, _, err := fileutil.Flock(path)
		if err == nil {
			return lock, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock store: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("lock store: %s is in use by another process; stop it, or choose another data folder: %w", dir, err)
		case <-time.After(lockRetry):
		}
	}
}
