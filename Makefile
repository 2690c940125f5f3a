# Plimsoll for developers. `make` alone lists what there is.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS   += --no-print-directory

# The programs have no C in them, so that one file runs on every distribution;
# the version is passed in, so that a checkout without git builds too.
export CGO_ENABLED := 0
export GOFLAGS     := $(shell go env GOFLAGS) -buildvcs=false
VERSION  ?= $(shell .ci/version)
LDFLAGS  := -s -w -X main.version=$(VERSION)
# go's ./... leaves out folders whose name starts with a dot.
PACKAGES := ./... ./.ci/check
# These read the tree through other programs, which go's test cache does not see: they run each time.
UNCACHED := ./.ci/check ./packaging

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: build
build: ## Build the programs into bin/
	go build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/...

.PHONY: demo
demo: ## Start a shop with planted sins and report on it (root on Debian 12)
	go run ./demo

.PHONY: test
test: ## Vet, test on real servers, fuzz each target for 10 s
	.ci/deps test
	go vet $(PACKAGES)
	go test -count=1 $(UNCACHED)
	go test -timeout 15m ./...
	.ci/fuzz 10s

.PHONY: test-full
test-full: export PLIMSOLL_FULL := 1
test-full: ## The long tests too: faults, every sin of the demo, a booted systemd, data races
	.ci/deps test full
	go test -count=1 -timeout 120m $(PACKAGES)
	CGO_ENABLED=1 go test -race -timeout 60m ./agent/... ./advisor/... ./collectors/...

.PHONY: lint
lint: ## Linters, format, import rules, unreachable code, go.mod tidiness
	"$$(.ci/tool golangci-lint)" run $(PACKAGES)
	unreachable=$$("$$(.ci/tool deadcode)" -test -filter ^plimsoll $(PACKAGES)); echo -n "$$unreachable"; test -z "$$unreachable"
	go mod tidy -diff

.PHONY: fmt
fmt: ## Format the code as lint wants it
	"$$(.ci/tool golangci-lint)" fmt $(PACKAGES)

.PHONY: bench
bench: ## All benchmarks of the packages
	go test -run '^$$' -bench . -benchmem $(PACKAGES)

# What costs minutes and needs real servers beside it is skipped by the other benchmarks' run.
# PLIMSOLL_BENCH_SECONDS is how long each thing is watched, from 60, PLIMSOLL_BENCH_ROUNDS how often.
TRIAL := PLIMSOLL_BENCH=1 go test -count=1 -timeout 90m -run '^$$' -benchtime 1x ./fixtures/trial

.PHONY: bench-agent
bench-agent: ## The agent's CPU, memory and connections, beside mysqld_exporter's (45 min)
	$(TRIAL) -bench '^BenchmarkAgent$$'

.PHONY: bench-fleet
bench-fleet: ## The advisor with 1,000 replayed agents (10 min)
	$(TRIAL) -bench '^BenchmarkFleet$$'

.PHONY: bench-probe
bench-probe: ## The probe's accuracy against the scripts' own clocks, and its cost (40 min on idle cores)
	PLIMSOLL_BENCH=1 go test -count=1 -timeout 90m -run '^$$' -benchtime 1x -bench '^BenchmarkProbe' ./collectors/phpfpm/sampler

.PHONY: bench-digest
bench-digest: build ## `plimsoll digest` beside pt-query-digest, go-mysql and a plain scan (5 min)
	cd fixtures/digestbench && go run . -plimsoll ../../bin/plimsoll

.PHONY: bench-index
bench-index: build ## Index advice beside published index sets and peers, on two servers (15 min on idle cores)
	go run ./fixtures/indexbench -plimsoll bin/plimsoll

.PHONY: package
package: build ## Build a .deb and a .rpm of each program into dist/ (the .rpm is built, not tried)
	packaging/build $(VERSION) bin dist

.PHONY: clean
clean: ## Remove what the other targets wrote here
	rm -rf bin dist demo/out
