# Gatehouse. `make` alone lists the verbs.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

GO      ?= go
TOOLS   := $(CURDIR)/.tools/bin
LDFLAGS := -s -w
GOLANGCI_VERSION := v2.15.0
GOTESTSUM_VERSION := v1.13.0
MODULES := libs gateway frontends services
SERVICES := tenant-manager gateway-manager policy-manager analysis-manager devportal-backend bff

export CGO_ENABLED ?= 0

.PHONY: help
help: ## list the verbs
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

DATA ?= gatehouse-data

.PHONY: run
run: build ## run the whole suite in one process; prints the addresses and the one-time sign-in
	@bin/gatehouse standalone --data $(DATA) --ready-file $(DATA)/ready.json

.PHONY: build
build: ui ## build every binary into bin/
	@mkdir -p bin
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./gateway/cmd/gateway ./services/cli/cmd/gatehouse $(foreach s,$(SERVICES),./services/$(s)/cmd/$(s))

# The browser apps are built again when a file of theirs has changed.
.PHONY: ui
ui: frontends/dist/.built ## build the browser apps into frontends/dist

frontends/dist/.built: $(shell find frontends -type f -not -path '*/node_modules/*' -not -path 'frontends/dist/*' -not -name '*.go' 2>/dev/null)
	deploy/ui
	@touch $@

.PHONY: setup
setup: ## install the servers that tests need (Debian packages, when root)
	@deploy/setup

# The race detector runs over everything but the three packages that run whole suites,
# which have it with `make race` (SQLite, in Go, takes some twenty times longer under it):
# on two cores all of it takes about twenty minutes from nothing. Servers, browsers and clocks are real: when a few tests fail, they are given
# two more tries, unless there was a data race, and those that needed them are named at
# the end, to be mended. (A test that ends its process fails all beside it.)
LONGEST := ./services/scenario ./services/tenant-manager ./services/cli
RACED   := $(foreach m,$(MODULES),./$(m)/...)
# CI=true: what tests need is there, or they fail; by hand they are left out without it.
FLAKY   := $(CURDIR)/.tools/flaky
SUM     := CI=true $(TOOLS)/gotestsum --format standard-quiet --rerun-fails=2 --rerun-fails-max-failures=20 --rerun-fails-abort-on-data-race

.PHONY: test
test: setup ui $(TOOLS)/gotestsum ## all tests, with the race detector but for the three longest packages
	deploy/ui test
	@rm -f $(FLAKY) $(FLAKY).longest
	@$(SUM) --rerun-fails-report=$(FLAKY).longest --packages="$(LONGEST)" -- -short -timeout 40m > .tools/longest.log 2>&1 & longest=$$!; \
		failed=0; raced=$$($(GO) list $(RACED) | grep -vxE '[^ ]*/services/(scenario|tenant-manager|cli)'); \
		CGO_ENABLED=1 $(SUM) --rerun-fails-report=$(FLAKY) --packages="$$raced" -- -race -short -timeout 30m || failed=1; \
		wait $$longest || failed=1; cat .tools/longest.log; exit $$failed
	@touch $(FLAKY) $(FLAKY).longest; ! grep -q . $(FLAKY) $(FLAKY).longest || { echo 'These tests failed once and then passed. Mend them:'; cat $(FLAKY) $(FLAKY).longest; }

.PHONY: race
race: setup ui ## the three longest packages with the race detector
	CI=true CGO_ENABLED=1 $(GO) test -race -short -timeout 40m $(LONGEST)

# The tests that have a longer form than `make test` runs.
LONG := Soak|Large|Swaps|Idle|Million|Memory|Conformance|CertificatesChange|ClosedLabels|AgreesWithNaive|ManyEntries

.PHONY: soak
soak: setup ## what takes long: large bodies, many streams, 1,000 swaps under load
	CI=true $(GO) test -timeout 60m -run '$(LONG)' $(foreach m,$(MODULES),./$(m)/...)

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (10s)
	@deploy/fuzz $(or $(FUZZTIME),10s)

.PHONY: bench
bench: build setup ## compare the gateway with other proxies; measure the suite, which fails on a missed target
	cd gateway && $(GO) run ./bench $(BENCHFLAGS)
	cd gateway && $(GO) test -count=1 -run TestSwapsOfManyAPIs -v . | grep -v '"level"'
	cd gateway && FLEET=20x5000 FLEET_GATEWAY=$(CURDIR)/bin/gateway $(GO) test -count=1 -run Fleet -v . | grep -v '"level"'
	cd services && $(GO) run ./bench $(SUITEFLAGS)
	deploy/bench-identity

.PHONY: footprint
footprint: ## what the containers of a running docker compose use, into docs/guide/installing.md
	cd services && $(GO) run ./install/footprint -write ../docs/guide/installing.md

.PHONY: generate
generate: ## schemas, references, goldens that come from code
	@for m in $(MODULES); do (cd $$m && $(GO) generate ./...); done
	cd gateway && $(GO) generate ./internal/gendoc # reads what others have just made
	deploy/ui generate

.PHONY: fmt
fmt: $(TOOLS)/golangci-lint ## format
	@for m in $(MODULES); do (cd $$m && $(TOOLS)/golangci-lint fmt); done

.PHONY: lint
lint: $(TOOLS)/golangci-lint ## golangci-lint in every module; eslint and vue-tsc
	@for m in $(MODULES); do (cd $$m && $(TOOLS)/golangci-lint run ./...); done
	deploy/ui lint
	deploy/ui types

.PHONY: check
check: lint ## lint, and that generated files are fresh
	@$(MAKE) --no-print-directory generate
	@git diff --exit-code --stat -- ':!go.work.sum' || { echo 'generated files are stale: commit the result of make generate'; exit 1; }

$(TOOLS)/gotestsum:
	@mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) $(GO) install gotest.tools/gotestsum@$(GOTESTSUM_VERSION)

$(TOOLS)/golangci-lint:
	@mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
