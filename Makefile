# The one front door. `make help` lists what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

# servers of NATS in the embedded mode, and nodes
NATS ?= 1
NODES ?= 3

.PHONY: help up down status test faults lint format bench tools crds image kind kind-down e2e

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

node_modules: package.json package-lock.json
	@echo "installing npm packages"
	@npm ci --no-audit --no-fund --loglevel=error
	@touch node_modules

tools: node_modules ## build Kubernetes, etcd, helm and nats-server once (cached outside this folder)
	@./quartet tools

up: node_modules ## everything on this computer: control plane, operator, four services, samples (NATS=3, NODES=4)
	@./quartet up --nats $(NATS) --nodes $(NODES)

down: node_modules ## stop everything; the state stays for the next `make up`
	@./quartet down

status: node_modules ## what runs, and how it is
	@./quartet status

# tiers of `make test`: unit, integration, faults (three minutes of them), e2e (one embedded Quartet), kind (needs Docker)
TIERS ?= unit integration faults e2e
# tiers besides
MORE ?=

test: node_modules tools ## all tests that need no Docker; real servers and processes are started and killed
	@node hack/test.ts $(TIERS) $(MORE)

image: node_modules ## the image, from this checkout (BASE=, SYSTEM=: other base images, TAG=: one more name)
	@node hack/image/main.ts

kind: node_modules ## a kind cluster with everything on it, or an upgrade of the one that runs (WORKERS=3)
	@node hack/kind/main.ts up

kind-down: node_modules ## delete the kind cluster; stop Docker if `make kind` started it
	@node hack/kind/main.ts down

e2e: node_modules ## break Quartet on a kind cluster, under load; takes the cluster of `make kind` or makes one
	@node hack/test.ts kind

faults: node_modules tools ## break a database for MINUTES=30 and check what its clients saw (SEED=...)
	@node e2e/faults/main.ts --minutes $(or $(MINUTES),30) $(if $(SEED),--seed $(SEED))

lint: node_modules ## types, style, limits, import rules, stale generated files
	@tsc --noEmit
	@oxlint
	@prettier --check --log-level=warn .
	@node hack/check-imports.ts

format: node_modules ## format the sources
	@prettier --write --log-level=warn .

crds: node_modules ## generate the CRD YAML from the schemas
	@node crds/generate.ts

bench: node_modules tools ## run Quartet beside its peers and print the ratios (needs nginx, redis, wrk)
	@node bench/main.ts
