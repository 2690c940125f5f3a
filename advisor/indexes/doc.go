// Package indexes is what stands around the index analysis of rules/index: it reads its facts from
// dumps, statistics, digests and snapshots in files, or from a server, and renders its report.
package indexes
