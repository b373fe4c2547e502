# The two commands: `make run` serves the whole system on this machine, `make test`
# tests it. Both set up what they need; a machine needs Go, Node.js and make.

ADDR ?= 127.0.0.1:8080
DATA ?= .local
CDK  := infra/node_modules/.bin/cdk
EMULATOR := localstack/node_modules/.package-lock.json

# The same flags for every local build: others compile everything again.
GO_LOCAL := CGO_ENABLED=0 go
NOT_INFRA = $$(go list ./... | grep -v '^latchkey/infra')

export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := $(shell node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/')

.DEFAULT_GOAL := help

.PHONY: help
help: ## show this
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name what; do \
		printf '  make %-10s %s\n' "$$name" "$$what"; done

.PHONY: tools
tools:
	@command -v go >/dev/null 2>&1 || { echo 'Go is missing: install Go 1.26 or later from https://go.dev/dl and try again.' >&2; exit 1; }
	@command -v npm >/dev/null 2>&1 || { echo 'Node.js with npm is missing: install it from https://nodejs.org and try again.' >&2; exit 1; }

.PHONY: setup
setup: tools $(EMULATOR) ## fetch what running and testing need

$(EMULATOR): localstack/package.json localstack/package-lock.json
	@echo 'Fetching the DynamoDB emulator…'
	@cd localstack && npm ci --silent --no-audit --no-fund
	@touch $@

# `go build -v` names each package that it compiles; they are counted.
.PHONY: build
build: setup ## build the functions and the local stack for this machine
	@echo 'Building the functions and the local stack…'
	@{ $(GO_LOCAL) build -v -o dist/local/ ./functions/... ./localstack; echo "exit $$?"; } 2>&1 | awk ' \
		/^exit [0-9]+$$/ { code = $$2; next } \
		/^[a-zA-Z0-9._\/-]+$$/ { if (++count % 20 == 0) printf "  %d packages\n", count; fflush(); next } \
		{ print; fflush() } \
		END { exit code }'

.PHONY: run
run: build ## serve everything locally (ADDR=127.0.0.1:8080 DATA=.local)
	@exec dist/local/localstack -addr $(ADDR) -data $(DATA)

.PHONY: invoke
invoke: ## send an event to a function of the running stack (OP=… EVENT=… DATA=…)
	@test -n '$(OP)' || { echo 'Say which operation: make invoke OP=validate-api-key' >&2; exit 1; }
	@test -x dist/local/localstack || { echo 'The local stack is not built: start it with make run.' >&2; exit 1; }
	@dist/local/localstack invoke -op '$(OP)' -data '$(DATA)' $(if $(EVENT),-event '$(EVENT)')

.PHONY: reset
reset: ## forget the local stack's data (DATA=.local)
	@test -x dist/local/localstack || { echo 'The local stack is not built: start it with make run.' >&2; exit 1; }
	@dist/local/localstack reset -data '$(DATA)'

.PHONY: test
test: setup ## test everything, the infrastructure last
	$(GO_LOCAL) test $(NOT_INFRA)
	$(GO_LOCAL) test ./infra/...

.PHONY: lint
lint: tools ## gofmt, go vet and staticcheck
	@unformatted=$$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -l); test -z "$$unformatted" || { echo "gofmt would change: $$unformatted" >&2; exit 1; }
	go vet ./...
	go tool staticcheck ./...

.PHONY: race
race: setup ## test the domain and the store under the race detector
	go test -race ./shared/...

.PHONY: bench
bench: setup ## measure against the bare-bones limits
	$(GO_LOCAL) test -run '^$$' -bench . ./shared/...

# -buildvcs=false: a commit that changes no function redeploys none.
.PHONY: lambda
lambda: tools ## build the functions for AWS, into dist/lambda/<operation>/bootstrap
	@rm -rf dist/lambda && mkdir -p dist/lambda
	CGO_ENABLED=0 GOOS=linux GOARCH=arm64 go build -trimpath -buildvcs=false -ldflags='-s -w' -tags lambda.norpc \
		-o dist/lambda/ ./functions/...
	@cd dist/lambda && for name in *; do mv $$name .built && mkdir $$name && mv .built $$name/bootstrap || exit 1; done

$(CDK): infra/package.json infra/package-lock.json
	@cd infra && npm ci --silent --no-audit --no-fund
	@touch $@

.PHONY: synth
synth: lambda $(CDK) ## write the CloudFormation template to infra/cdk.out
	$(CDK) synth --quiet --no-notices --no-version-reporting $(ARGS)

.PHONY: deploy
deploy: lambda $(CDK) ## deploy to the AWS account of your credentials (ARGS='…' for cdk)
	$(CDK) deploy --no-notices --no-version-reporting $(ARGS)

.PHONY: destroy
destroy: lambda $(CDK) ## delete the deployment; the table stays
	$(CDK) destroy --no-notices --no-version-reporting $(ARGS)

.PHONY: bootstrap
bootstrap: tools ## make an administrator's key of a deployed NAMESPACE (STACK=latchkey)
	@test -n '$(NAMESPACE)' || { echo 'Say which namespace: make bootstrap NAMESPACE=demo' >&2; exit 1; }
	@go run ./infra/bootstrap -namespace '$(NAMESPACE)' $(if $(STACK),-stack '$(STACK)')
