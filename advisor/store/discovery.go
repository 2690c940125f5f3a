package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	config_util "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	promconfig "github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/discovery/file"
	httpsd "github.com/prometheus/prometheus/discovery/http"
	"github.com/prometheus/prometheus/discovery/targetgroup"
)

// maxSettle is how long a change may wait for others to come with it.
const maxSettle = time.Second

// Discovery keeps the list of agents up to date. [Store.Scrape] scrapes them, the
// keeper fetches their snapshots. Make one with [NewDiscovery]; agents in
// static_configs are known at once, all others while [Discovery.Run] runs.
type Discovery struct {
	log     *slog.Logger
	agents  []Agents
	config  *promconfig.Config
	clients []*http.Client    // one an entry of agents
	sources map[string]source // by the name that the discovery manager knows
	dialer  *dialer

	mu      sync.Mutex
	found   listing
	changed chan struct{} // closed when found is replaced
}

// source is one way of finding agents.
type source struct {
	pool    int  // index of its entry in agents
	trusted bool // whether its list lies on this host's disk
	config  discovery.Config
}

// NewDiscovery validates the list and reads its certificates. Errors name the
// field by its path. The logger may be nil.
func NewDiscovery(agents []Agents, log *slog.Logger) (*Discovery, error) {
	d := &Discovery{
		log:     orDiscard(log),
		agents:  agents,
		sources: map[string]source{},
		dialer:  newDialer(),
		changed: make(chan struct{}),
	}
	var err error
	if d.config, err = promConfig(agents, quiet(d.log)); err != nil {
		return nil, err
	}
	for i, c := range d.config.ScrapeConfigs {
		client, err := config_util.NewClientFromConfig(c.HTTPClientConfig, "agents", clientOptions(d.dialer)...)
		if err != nil {
			return nil, fmt.Errorf("agents[%d].tls_config: %w", i, err)
		}
		d.clients = append(d.clients, client)
		for j, sd := range c.ServiceDiscoveryConfigs {
			_, local := sd.(*file.SDConfig)
			if list, ok := sd.(*httpsd.SDConfig); ok {
				list.HTTPClientConfig.FollowRedirects = false // the password would go along
			}
			d.sources[fmt.Sprintf("%s.%s[%d]", c.JobName, sd.Name(), j)] = source{i, local, sd}
		}
	}
	d.update(nil)
	return d, nil
}

// Targets returns the agents known now, ordered by name, each once.
func (d *Discovery) Targets() []Target {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.found.targets)
}

// Run watches files, DNS and URLs until ctx ends. The goroutines that watch end
// with it, at the latest when a question they have asked is answered.
func (d *Discovery) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	reg := prometheus.NewRegistry() // Prometheus' discovery insists on one
	metrics, err := discovery.CreateAndRegisterSDMetrics(reg)
	if err != nil {
		return fmt.Errorf("discover agents: %w", err)
	}
	m := discovery.NewManager(ctx, quiet(d.log), reg, metrics, discovery.Updatert(maxSettle), discovery.HTTPClientOptions(
		config_util.WithKeepAlivesDisabled(), // so that the dialer's limit is one a list
		config_util.WithDialContextFunc(dialForList)))
	if m == nil {
		return errors.New("BUG: discovery manager refuses its own metrics")
	}
	configs := map[string]discovery.Configs{}
	for name, s := range d.sources {
		configs[name] = discovery.Configs{s.config}
	}
	if err := m.ApplyConfig(configs); err != nil {
		return fmt.Errorf("discover agents: %w", err)
	}
	var ended sync.WaitGroup
	ended.Go(func() { _ = m.Run() }) // returns ctx's error
	for sets := range m.SyncCh() {   // closed by the manager when ctx ends
		d.update(sets)
	}
	ended.Wait()
	for _, c := range d.clients {
		c.CloseIdleConnections()
	}
	return nil
}

// update replaces the list by the static agents and what discovery has found.
func (d *Discovery) update(sets map[string][]*targetgroup.Group) {
	l := listing{seen: map[string]bool{}, trusted: map[string]bool{}, groups: map[string][]*targetgroup.Group{}}
	for i, a := range d.agents {
		l.groups[poolName(i)] = []*targetgroup.Group{{Source: poolName(i)}}
		for _, s := range a.Static {
			for _, addr := range s.Targets {
				l.add(d, source{pool: i, trusted: true}, addr, s.Labels)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(sets)) {
		for _, g := range sets[name] {
			for _, t := range g.Targets {
				lset := asStrings(g.Labels, t)
				l.add(d, d.sources[name], lset[model.AddressLabel], lset)
			}
		}
	}
	slices.SortFunc(l.targets, func(a, b Target) int { return strings.Compare(a.String(), b.String()) })
	d.dialer.trust(l.trusted)
	d.publish(l)
}

// publish makes a list the current one and logs the entries that were good or
// unseen before and are ignored now.
func (d *Discovery) publish(l listing) {
	d.mu.Lock()
	before := d.found.ignored
	d.found = l
	close(d.changed)
	d.changed = make(chan struct{})
	d.mu.Unlock()
	for _, why := range l.ignored {
		if !slices.Contains(before, why) {
			d.log.Warn("agent ignored", "reason", why)
		}
	}
}

// pools returns the current list as the scraper wants it, and a channel that is
// closed when there is a newer one.
func (d *Discovery) pools() (map[string][]*targetgroup.Group, <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.found.groups, d.changed
}

func asStrings(sets ...model.LabelSet) map[string]string {
	all := map[string]string{}
	for _, set := range sets {
		for name, value := range set {
			all[string(name)] = string(value)
		}
	}
	return all
}
