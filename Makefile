# The two commands: `make run` serves the whole system on this machine, `make test`
# tests it. Both set up what they need; a machine needs Go, Node.js and make.

ADDR ?= 127.0.0.1:8080
EXAMPLE_ADDR ?= 127.0.0.1:8081
DATA ?= .local

# The stack that commands are for: as on the command line, or as the context has it.
STACK_NAME = $(or $(STACK),$(shell sed -n 's/.*"stack": *"\([^"]*\)".*/\1/p' cdk.json))

CDK = infra/node_modules/.bin/cdk
CDK_FLAGS = --no-notices --no-version-reporting $(if $(STACK),-c 'stack=$(STACK)') $(ARGS)
VERIFY = infra/verify/node_modules/.package-lock.json
EMULATOR = $(or $(wildcard localstack/node_modules/@dynoxide/*/dynoxide),localstack/node_modules/emulator)

# The function of the example: an API of somebody else's, which Latchkey protects.
EXAMPLE = ./infra/example/orders

# The same flags for every local build: others compile everything again. Without the
# commit in them, a new commit links nothing anew.
GO_LOCAL = CGO_ENABLED=0 go
NOT_INFRA = $$(go list ./... | grep -v '^latchkey/infra' | grep -v '^latchkey/localstack')

# jsii's own way not to be told each time that a version of Node.js is old.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := $(shell node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/')

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

.PHONY: help
help: ## show this
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name what; do \
		printf '  make %-16s %s\n' "$$name" "$$what"; done

.PHONY: tools
tools:
	@command -v go >/dev/null 2>&1 || { echo 'Go is missing: install Go 1.26 or later from https://go.dev/dl and try again.' >&2; exit 1; }

.PHONY: node
node:
	@command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 || \
		{ echo 'Node.js with npm is missing: install it from https://nodejs.org and try again.' >&2; exit 1; }

# Another DynamoDB, or another emulator, needs none from npm.
.PHONY: setup
setup: tools $(if $(LATCHKEY_DYNOXIDE)$(AWS_ENDPOINT_URL_DYNAMODB),,$(EMULATOR)) ## fetch what running and testing need

# npm passes over an optional package that it cannot get, and says nothing.
$(EMULATOR): localstack/package.json localstack/package-lock.json | node
	@echo 'Fetching the DynamoDB emulator…'
	@cd localstack && npm ci --loglevel=error --no-audit --no-fund >/dev/null
	@ls localstack/node_modules/@dynoxide/*/dynoxide >/dev/null 2>&1 || { echo \
		'npm could not fetch the DynamoDB emulator: check the network and try again, or name a dynoxide binary in LATCHKEY_DYNOXIDE.' >&2; \
		exit 1; }
	@touch localstack/node_modules/@dynoxide/*/dynoxide

# `go build -v` names each package that it compiles; they are counted.
.PHONY: build
build: setup ## build the functions and the local stack for this machine
	@echo 'Building the functions and the local stack…'
	@{ $(GO_LOCAL) build -v -buildvcs=false -o dist/local/ ./functions/... $(EXAMPLE) ./localstack; echo "exit $$?"; } 2>&1 | awk ' \
		/^exit [0-9]+$$/ { code = $$2; next } \
		/^[a-zA-Z0-9._\/-]+$$/ { if (++count % 20 == 0) printf "  %d packages\n", count; fflush(); next } \
		{ print; fflush() } \
		END { exit code }'

.PHONY: run
run: build ## serve everything locally (ADDR=127.0.0.1:8080 EXAMPLE_ADDR=127.0.0.1:8081 DATA=.local NEW_SESSION_KEY=)
	@exec dist/local/localstack -addr '$(ADDR)' -example-addr '$(EXAMPLE_ADDR)' -data '$(DATA)' $(if $(NEW_SESSION_KEY),-new-session-key)

.PHONY: invoke
invoke: ## send an event to a function of the running stack (OP=… EVENT=… DATA=…)
	@test -n '$(OP)' || { echo 'Say which operation: make invoke OP=validate-api-key' >&2; exit 1; }
	@test -x dist/local/localstack || { echo 'The local stack is not built: start it with make run.' >&2; exit 1; }
	@dist/local/localstack invoke -op '$(OP)' -data '$(DATA)' $(if $(EVENT),-event '$(EVENT)')

.PHONY: reset
reset: ## forget the local stack's data (DATA=.local)
	@test -x dist/local/localstack || { echo 'The local stack is not built: start it with make run.' >&2; exit 1; }
	@dist/local/localstack reset -data '$(DATA)'

# The local stack's tests build and start programs, which the test cache cannot see.
.PHONY: test
test: setup node ## test everything, the infrastructure last
	$(GO_LOCAL) test $(NOT_INFRA)
	$(GO_LOCAL) test -count=1 ./localstack/...
	$(GO_LOCAL) test ./infra/...

.PHONY: lint
lint: tools ## gofmt, go vet and staticcheck
	@unformatted=$$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -l); test -z "$$unformatted" || { echo "gofmt would change: $$unformatted" >&2; exit 1; }
	go vet ./...
	go tool staticcheck ./...

# The race detector allocates by itself.
.PHONY: race
race: setup ## test the domain and the store under the race detector
	go test -race -skip '^TestAllocations' ./shared/...
	go test -race -tags watchdog ./localstack/child

.PHONY: bench
bench: setup ## measure everything against its bar, in some minutes
	@$(GO_LOCAL) run -buildvcs=false ./localstack/bench

.PHONY: load
load: build ## put a local stack of its own under load, and hold it to its word (DURATION=1m CLIENTS=8 KEYS=400)
	@dist/local/localstack load $(if $(DURATION),-duration '$(DURATION)') $(if $(CLIENTS),-clients '$(CLIENTS)') \
		$(if $(KEYS),-keys '$(KEYS)')

.PHONY: runtimes
runtimes: setup ## measure what the catalogue's memory sizes and settings of Go's runtime are chosen by, on Linux
	$(GO_LOCAL) test -run '^$$' -bench . -benchtime 1x ./localstack/runtimecost

.PHONY: sizes
sizes: tools ## hold the functions for AWS to their size
	$(GO_LOCAL) test -run '^$$' -bench BootstrapLength -benchtime 1x ./localstack/coldstart

# -buildvcs=false: a commit that changes no function redeploys none.
.PHONY: lambda
lambda: tools ## build the functions for AWS, into dist/lambda/<operation>/bootstrap
	@rm -rf dist/lambda && mkdir -p dist/lambda
	CGO_ENABLED=0 GOOS=linux GOARCH=arm64 go build -trimpath -buildvcs=false -ldflags='-s -w' -tags lambda.norpc \
		-o dist/lambda/ ./functions/... $(EXAMPLE)
	@cd dist/lambda && for name in *; do mv $$name .built && mkdir $$name && mv .built $$name/bootstrap || exit 1; done

$(CDK): infra/package.json infra/package-lock.json | node
	@cd infra && npm ci --loglevel=error --no-audit --no-fund >/dev/null
	@touch $@

.PHONY: synth
synth: lambda $(CDK) ## write the CloudFormation template to infra/cdk.out
	$(CDK) synth --quiet $(CDK_FLAGS)

$(VERIFY): infra/verify/package.json infra/verify/package-lock.json | node
	@echo 'Fetching cdk-nag and cloudformation-validate…'
	@cd infra/verify && npm ci --loglevel=error --no-audit --no-fund >/dev/null
	@touch $@

.PHONY: nag
nag: tools $(VERIFY) ## hold the templates against cfn-lint's rules and cdk-nag's
	@node --test --test-reporter=spec infra/verify/verify.test.mjs
	@rm -rf dist/verify
	@$(GO_LOCAL) run ./infra/verify dist/verify
	@node infra/verify/verify.mjs dist/verify/*/*.template.json

.PHONY: prepare
prepare: lambda $(CDK) ## prepare an AWS account and region for deployments, once
	$(CDK) bootstrap $(CDK_FLAGS)

.PHONY: deploy
deploy: lambda $(CDK) ## deploy to the AWS account of your credentials (STACK=latchkey ARGS='…')
	$(CDK) deploy $(CDK_FLAGS)

.PHONY: destroy
destroy: lambda $(CDK) ## delete the deployment; the table and the session keys stay, unless removalPolicy is destroy
	$(CDK) destroy $(CDK_FLAGS)

.PHONY: diff
diff: lambda $(CDK) ## show what a deployment would change
	$(CDK) diff $(CDK_FLAGS)

.PHONY: locate
locate: tools ## tell which keys are in a leaked text, given as the standard input
	@go run ./infra/locate

.PHONY: bootstrap
bootstrap: tools ## make an administrator's key of a deployed NAMESPACE (STACK=latchkey)
	@test -n '$(NAMESPACE)' || { echo 'Say which namespace: make bootstrap NAMESPACE=demo' >&2; exit 1; }
	@go run ./infra/bootstrap -namespace '$(NAMESPACE)' $(if $(STACK_NAME),-stack '$(STACK_NAME)')

.PHONY: delete-namespace
delete-namespace: tools ## delete a deployed NAMESPACE with all below it for good (CONFIRM=… STACK=latchkey)
	@test -n '$(NAMESPACE)' || { echo 'Say which namespace: make delete-namespace NAMESPACE=demo CONFIRM=demo' >&2; exit 1; }
	@go run ./infra/delete-namespace -namespace '$(NAMESPACE)' -confirm '$(CONFIRM)' $(if $(STACK_NAME),-stack '$(STACK_NAME)') $(if $(PAUSE),-pause '$(PAUSE)')
