package snapshot

import "time"

// PHP is every PHP-FPM pool of a host as anybody can see it: no privilege is needed. Where a worker's
// time goes is in PHPProfile.
type PHP struct {
	Meta
	// Pools are ordered by name and listen address.
	Pools []FPMPool `json:"pools"`
}

// FPMPool is one pool of a PHP-FPM master.
type FPMPool struct {
	// Name is the pool's, as in its section of the configuration. Server is where it listens, such as
	// /run/php/php8.2-fpm.sock or 127.0.0.1:9000, and tells pools of one name apart.
	Name   string `json:"name"`
	Server string `json:"server"`
	// Version is PHP's, such as 8.2; empty if the master's program does not tell.
	Version string `json:"version,omitempty"`
	// Contained is true for a pool in a network or PID namespace of its own, as in a container.
	Contained bool `json:"contained,omitempty"`
	// Started is when the master started.
	Started time.Time `json:"started"`
	// Config is nil where the files cannot be read.
	Config *FPMConfig `json:"config,omitempty"`
	// Status is nil where the pool has no status page, or none that can be asked without occupying a
	// worker of a busy pool.
	Status *FPMStatus `json:"status,omitempty"`
	// Queue is nil where the kernel does not show it, as for unix sockets of other network namespaces.
	Queue *ListenQueue `json:"queue,omitempty"`
	// QueueLooks is nil until Queue was known once.
	QueueLooks *QueueLooks `json:"queue_looks,omitempty"`
	// Workers is how many processes the pool has now.
	Workers int `json:"workers"`
	// CPUSeconds and RunQueueSeconds are how long workers ran, and how long they waited for a
	// processor, since Epoch, those included that have ended since as far as they were seen.
	// Source: /proc/PID/schedstat.
	CPUSeconds      *float64 `json:"cpu_seconds,omitempty"`
	RunQueueSeconds *float64 `json:"run_queue_seconds,omitempty"`
	// ResidentBytes is the memory of all workers, in which what they share is counted for each of
	// them: an upper bound. Source: /proc/PID/statm.
	ResidentBytes *uint64 `json:"resident_bytes,omitempty"`
}

// FPMConfig is what the pool's files say, with FPM's defaults.
type FPMConfig struct {
	// Manager is pm: static, dynamic or ondemand.
	Manager     string `json:"manager"`
	MaxChildren int    `json:"max_children"`
	// MaxRequests is pm.max_requests; 0 is no limit.
	MaxRequests int `json:"max_requests"`
	// Backlog is listen.backlog; nil for the default, which the kernel bounds.
	Backlog *int `json:"backlog,omitempty"`
	// StatusPath is pm.status_path, StatusListen pm.status_listen; empty if not set.
	StatusPath   string `json:"status_path,omitempty"`
	StatusListen string `json:"status_listen,omitempty"`
	// SlowlogSeconds and TerminateSeconds are request_slowlog_timeout and request_terminate_timeout; 0
	// is off.
	SlowlogSeconds   float64 `json:"slowlog_seconds"`
	TerminateSeconds float64 `json:"terminate_seconds"`
}

// FPMStatus is the pool's status page. Totals are since the pool started.
type FPMStatus struct {
	Started   time.Time `json:"started"`
	Accepted  uint64    `json:"accepted"`
	Idle      int       `json:"idle"`
	Active    int       `json:"active"`
	Total     int       `json:"total"`
	MaxActive int       `json:"max_active"`
	// MaxChildrenReached is how often the pool wanted a worker more than it may have.
	MaxChildrenReached uint64 `json:"max_children_reached"`
	SlowRequests       uint64 `json:"slow_requests"`
}

// ListenQueue is what waits in front of a pool. Source: sock_diag, and /proc/PID/net/tcp for pools in
// other network namespaces: FPM's own figure is always 0 for unix sockets.
type ListenQueue struct {
	// Waiting is how many connections no worker has taken; Length how many there can be, nil where the
	// kernel does not tell.
	Waiting int  `json:"waiting"`
	Length  *int `json:"length,omitempty"`
}

// QueueLooks counts the agent's looks at a listen queue since Epoch: a connection that is just about to be taken waits
// too for one of them.
type QueueLooks struct {
	Looks uint64 `json:"looks"`
	// Waiting is how many of them met connections that waited.
	Waiting uint64 `json:"waiting"`
}

// PHPProfile is where the time of PHP workers goes, as plimsoll-probe sampled it. Totals are since
// Epoch. It is what the probe hands to the agent, and travels as it is.
type PHPProfile struct {
	Meta
	// Version is the probe's.
	Version string    `json:"version"`
	Started time.Time `json:"started"`
	// Hertz is how often workers are looked at now; the probe lowers it to keep within its limit.
	Hertz float64 `json:"hertz"`
	// Ticks are the looks, LateTicks those that came more than a period late, Samples the workers
	// looked at, and CPUSeconds what it cost.
	Ticks      uint64        `json:"ticks"`
	LateTicks  uint64        `json:"late_ticks"`
	Samples    uint64        `json:"samples"`
	CPUSeconds float64       `json:"cpu_seconds"`
	Pools      []PoolProfile `json:"pools"`
	// Texts say what the fingerprints in the rows stand for, without literals.
	Texts []DigestText `json:"texts,omitempty"`
}

// PHPState is what a worker does. States are exclusive, and a worker is always in one of them.
type PHPState string

// The states.
const (
	PHPCPU       PHPState = "cpu"       // runs
	PHPRunQueue  PHPState = "runqueue"  // could run, and waits for a processor
	PHPMySQL     PHPState = "mysql"     // waits for a database server
	PHPRedis     PHPState = "redis"     //
	PHPMemcached PHPState = "memcached" //
	PHPSearch    PHPState = "search"    // Elasticsearch, OpenSearch, Solr, Sphinx
	PHPAMQP      PHPState = "amqp"      //
	PHPHTTP      PHPState = "http"      // waits for another web service
	PHPSMTP      PHPState = "smtp"      //
	PHPDNS       PHPState = "dns"       //
	PHPDisk      PHPState = "disk"      //
	PHPNetFS     PHPState = "netfs"     // a file on another machine
	PHPLock      PHPState = "lock"      // a file's lock, mostly that of a session
	PHPSleep     PHPState = "sleep"     // sleeps because it was told to
	PHPChild     PHPState = "child"     // waits for a process that it started
	PHPClient    PHPState = "client"    // reads the request or writes the answer
	PHPUnknown   PHPState = "unknown"   // could not be told
	PHPIdle      PHPState = "idle"      // has no request
)

// PHPStates returns all states in the order of their explanation.
func PHPStates() []PHPState {
	return []PHPState{
		PHPCPU, PHPRunQueue, PHPMySQL, PHPRedis, PHPMemcached, PHPSearch, PHPAMQP, PHPHTTP, PHPSMTP, PHPDNS,
		PHPDisk, PHPNetFS, PHPLock, PHPSleep, PHPChild, PHPClient, PHPUnknown, PHPIdle,
	}
}

// PoolProfile is where the time of one pool's workers went.
type PoolProfile struct {
	// Name and Server are those of FPMPool.
	Name   string `json:"name"`
	Server string `json:"server"`
	// Version is PHP's, such as 8.2.35. Tested is false where its layout in memory is derived from
	// headers and was never tried.
	Version string `json:"version,omitempty"`
	Tested  bool   `json:"tested"`
	// WorkerSeconds is for how long workers existed, summed over them: the sum over States.
	WorkerSeconds float64 `json:"worker_seconds"`
	// Requests are those that ended, and Durations how long they took.
	Requests  uint64   `json:"requests"`
	Durations []Bucket `json:"durations,omitempty"`
	// Workers and Busy are now; MaxBusy is since Epoch; SaturatedSeconds is for how long no worker was
	// free of as many as the pool may have.
	Workers          int     `json:"workers"`
	Busy             int     `json:"busy"`
	MaxBusy          int     `json:"max_busy"`
	SaturatedSeconds float64 `json:"saturated_seconds"`
	// States has every state.
	States map[PHPState]StateTime `json:"states"`
	// Backends are States by whom they waited for: at most MaxPHPPeers, the rest under the peer other.
	Backends []BackendTime `json:"backends,omitempty"`
	// Routes are at most MaxPHPRoutes by their time, the rest under the route other.
	Routes []RouteTime `json:"routes,omitempty"`
	// Rows are at most MaxPHPRows by their time, the rest in OtherRow. What leaves
	// the list is added to that.
	Rows []ProfileRow `json:"rows,omitempty"`
	// Memory is nil until a worker was looked at.
	Memory *WorkerMemory `json:"memory,omitempty"`
}

// The limits of a PoolProfile.
const (
	MaxPHPPeers  = 50
	MaxPHPRoutes = 200
	MaxPHPRows   = 200
	// OtherRoute and OtherPeer are the names of the rest.
	OtherRoute = "other"
	OtherPeer  = "other"
)

// StateTime is how long workers were in a state.
type StateTime struct {
	Seconds float64 `json:"seconds"`
	// Variance is that of Seconds, in square seconds, as a sum over independent waits: the 95 % interval
	// of a difference is 1.96 times the root of the difference of the variances. It is 0 where the
	// time is the kernel's own figure, as for cpu and runqueue.
	Variance float64 `json:"variance"`
	// Waits is how many waits were seen; of those shorter than a look is apart, only some are.
	Waits uint64 `json:"waits"`
}

// Plus returns the sum of t and o.
func (t StateTime) Plus(o StateTime) StateTime {
	return StateTime{Seconds: t.Seconds + o.Seconds, Variance: t.Variance + o.Variance, Waits: t.Waits + o.Waits}
}

// BackendTime is how long workers waited for one peer.
type BackendTime struct {
	State PHPState `json:"state"`
	// Peer is an address, the path of a unix socket, or for files the folder.
	Peer string `json:"peer"`
	StateTime
}

// RouteTime is where the time of one kind of request went.
type RouteTime struct {
	Method string `json:"method"`
	// Route is the path of the URL with what varies taken out: /product/{id}. A query is no part of it.
	Route string `json:"route"`
	// Requests are those that ended; those that came and went between two looks are shared out as the
	// others of the pool are.
	Requests uint64               `json:"requests"`
	Seconds  map[PHPState]float64 `json:"seconds"`
	// Variance is that of how the time was shared out over states, as StateTime's, without states of which the
	// part is exact; BusyVariance that of the whole, from requests that nobody looked at. That of some states is
	// their Variance and, by their part of the whole squared, BusyVariance. Both are nil where the probe does not
	// tell.
	Variance     map[PHPState]float64 `json:"variance,omitzero"`
	BusyVariance *float64             `json:"busy_variance,omitempty"`
}

// BusySeconds is the time of the requests: the sum over states.
func (r RouteTime) BusySeconds() float64 {
	var sum float64
	for _, s := range PHPStates() {
		sum += r.Seconds[s]
	}
	return sum
}

// ProfileRow is time that workers spent in one state, at one place of a program, for one kind of
// request.
type ProfileRow struct {
	ProfileKey
	// Line is the line of File that was seen last.
	Line int `json:"line,omitempty"`
	StateTime
	// Samples is how often it was seen.
	Samples uint64 `json:"samples"`
	// Repeats counts waits for the statement that came after another one for it in the same request,
	// and Identical those of them whose literals were the same too.
	Repeats   uint64 `json:"repeats,omitempty"`
	Identical uint64 `json:"identical,omitempty"`
}

// ProfileKey is what tells the rows of a profile apart.
type ProfileKey struct {
	Method string   `json:"method"`
	Route  string   `json:"route"`
	State  PHPState `json:"state"`
	Peer   string   `json:"peer,omitempty"`
	// Call is PHP's own function that waited, such as PDOStatement::execute, curl_exec or usleep.
	Call string `json:"call,omitempty"`
	// Via is the function that called it, Code the nearest function that is no library's, and File its
	// file below the folder of the application.
	Via  string `json:"via,omitempty"`
	Code string `json:"code,omitempty"`
	File string `json:"file,omitempty"`
	// Package is what the file belongs to, such as plugin/woocommerce, theme/storefront,
	// module/views or vendor/acme/shipping; empty for the application's own code.
	Package string `json:"package,omitempty"`
	// Fingerprint is sqltext's identity of the statement; empty if it is none, or not known.
	Fingerprint string `json:"fingerprint,omitempty"`
}

// OtherRow is the key of the row that holds the rest.
func OtherRow() ProfileKey { return ProfileKey{Route: OtherRoute} }

// WorkerMemory is what workers use for themselves (USS), and with their share of what they have in
// common (PSS), over those looked at since the pool's workers were last all seen. Source:
// /proc/PID/smaps_rollup.
type WorkerMemory struct {
	Workers      int    `json:"workers"`
	MeanUSSBytes uint64 `json:"mean_uss_bytes"`
	P95USSBytes  uint64 `json:"p95_uss_bytes"`
	MeanPSSBytes uint64 `json:"mean_pss_bytes"`
	P95PSSBytes  uint64 `json:"p95_pss_bytes"`
	// SharedBytes is what the pool's workers share, counted once: opcache, APCu, the program.
	SharedBytes uint64 `json:"shared_bytes"`
}
