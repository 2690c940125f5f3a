// Package store keeps the series: what says when. It embeds Prometheus (its
// time series database, its query engine, its scraper and its service
// discovery), so that one program without a second server remembers a fleet for
// weeks, and so that Grafana can use that program as its data source.
//
// # Five parts
//
// [Discovery] finds the agents from Prometheus service discovery (static, file,
// DNS, HTTP) and keeps a list of [Target] values with an HTTP client each. It
// does not need a store: whoever fetches snapshots asks the same list.
//
// [Store] is the embedded database. [Store.Scrape] fills it from the targets of
// a Discovery, [Store.Append] takes the advisor's own series, and
// [Store.Handler] serves the read-only part of Prometheus' HTTP API.
//
// [Querier] is how the advisor reads series, the only way. It is the narrow part
// of client_golang's API client that is used, and there are two of it:
// [Store.Querier] calls the embedded store's handler in memory, [Remote] calls
// an existing Prometheus, Thanos, Mimir or VictoriaMetrics. Both answers went
// through the same wire format, so what works on one works on the other, and one
// conformance suite runs over all.
//
// # What it survives
//
// A killed process leaves a write-ahead log which [Open] replays. The lock on
// the folder can outlive a killed process for a moment, so Open tries for
// half a minute. A full disk is met twice: ingestion pauses while the file
// system has less than a floor of free space, because a log that was torn by
// ENOSPC is what Prometheus loses data by (prometheus/prometheus#13027), and
// if something else fills the last byte, commits fail and the store goes on
// when there is space again.
//
// What it does not survive: Prometheus calls fsync only when it cuts a segment
// of the log (128 MiB), so a power failure can cost the newest samples, and a
// flipped bit in the log costs the rest of the log. The totals live in the
// agents and in the snapshots; lost here is resolution, never a total.
//
// # What it costs
//
// The scraper needs Prometheus' config package, which links the AWS, Azure and
// Google SDKs of remote write although nothing here calls them: about 7 MB of
// the advisor's binary. There is no way around it: scrape's own types are that
// package's. The packages of its web API are not linked; the handlers here are
// the few that are needed.
package store
