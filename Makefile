# The only entry to building, testing and measuring popupd.
GO      ?= go
TOOL     = $(GO) tool -modfile=internal/tools/go.mod
PACKAGES = ./...

.PHONY: run build test test-short race lint fmt vuln cover fuzz chaos bench microbench wrk load envelope outage overload pgo ladder timewait stores

run: ## the demo: embedded stores, three sample popups
	$(GO) run . -demo

build: ## ./popupd
	$(GO) build -trimpath -o popupd .

test: stores ## every test, on a real MariaDB and a real Redis
	$(GO) -C bench/rivals vet ./...
	POPUPD_REQUIRE_STORES=1 $(GO) test -timeout 10m $$($(GO) list $(PACKAGES) | grep -v '/e2e$$')
	POPUPD_REQUIRE_STORES=1 $(GO) test -timeout 10m -count=1 -parallel 4 ./e2e # uncached: go test does not see that the popupd it builds has changed

test-short: ## what needs nothing installed, in seconds
	$(GO) test -short $(PACKAGES)

race: stores ## the tests under the race detector
	POPUPD_REQUIRE_STORES=1 $(GO) test -race -short -timeout 15m $(PACKAGES)

lint: ## gofmt, go vet, staticcheck
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'run: make fmt'; exit 1; }
	$(GO) vet $(PACKAGES)
	$(GO) -C bench/rivals vet ./...
	$(TOOL) staticcheck $(PACKAGES)
	$(GO) -C bench/rivals tool -modfile=$(CURDIR)/internal/tools/go.mod staticcheck ./...

fmt:
	gofmt -w .

vuln: ## known vulnerabilities in what is linked in; needs https://vuln.go.dev
	@$(TOOL) govulncheck $(PACKAGES) || { code=$$?; [ $$code -eq 3 ] || echo 'vuln: not checked: https://vuln.go.dev is out of reach from here'; exit $$code; }

cover: stores
	POPUPD_REQUIRE_STORES=1 $(GO) test -timeout 10m -coverprofile=cover.out $(PACKAGES)
	$(GO) tool cover -func=cover.out | tail -n 1

FUZZTIME ?= 20s
fuzz: ## every fuzz target for FUZZTIME each
	@for p in $$($(GO) list $(PACKAGES)); do \
	  for f in $$($(GO) test -pgo=off -list '^Fuzz' $$p | grep '^Fuzz'); do \
	    echo "$$p $$f"; $(GO) test -pgo=off -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p || exit 1; \
	  done; \
	done

ITER ?= 30
SEED ?= 1
chaos: stores ## TestChaos for ITER iterations from SEED, some seconds each; FAULTS=regexp for some faults, RACE=1 for the race detector
	POPUPD_REQUIRE_STORES=1 $(GO) test $(if $(RACE),-race) -v -timeout 3h -run '^TestChaos$$' ./e2e -args -chaos.iterations=$(ITER) -chaos.seed=$(SEED) -chaos.faults='$(FAULTS)'

BENCHED = bench/results/bench.txt
bench: ## a decision in process, against bench/results/bench.txt, which RENEW=1 renews
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT INT TERM && \
	TMPDIR="$$dir" $(GO) test -run '^$$' -bench '^BenchmarkDecision$$' -benchtime 300ms -count 6 -cpu 1 ./bench | tee "$$dir/now.txt" && \
	grep -q '^PASS' "$$dir/now.txt" && ! grep -q -e '--- FAIL' "$$dir/now.txt" && \
	if [ -n "$(RENEW)" ]; then cp "$$dir/now.txt" $(BENCHED); else $(TOOL) benchstat committed=$(BENCHED) now="$$dir/now.txt"; fi

microbench: stores ## the benchmarks beside the code
	POPUPD_REQUIRE_STORES=1 $(GO) test -run '^$$' -bench . -benchmem $$($(GO) list $(PACKAGES) | grep -v /bench)

wrk: ## popupd beside nginx, net/http and a bare fasthttp handler; ARGS="-rounds 9" and so on
	@command -v wrk >/dev/null || ( $(call install,wrk) ) || true
	@command -v nginx >/dev/null || test -x /usr/sbin/nginx || ( $(call install,nginx) ) || true
	@$(MAKE) --no-print-directory stores || true # it says what is missing, and goes on without
	$(GO) run ./bench/wrk $(ARGS)

load: stores ## 10 s of the mix at 50,000 requests/s, open loop
	$(GO) run ./bench/load

envelope: stores ## the same for a minute with every event counted; one connection per request; beside a bare fasthttp handler; ARGS="-out bench/results"
	$(GO) run ./bench/load -late 0.05 $(ARGS) envelope close compare # the generator shares a core with the stores, and may be late

outage: stores ## 20,000 requests/s for a minute with both stores down, between two minutes with both up; ARGS="-out bench/results"
	$(GO) run ./bench/load -late 0.05 $(ARGS) outage

overload: stores ## more than can be answered, with and without shedding; ARGS="-out bench/results"
	$(GO) run ./bench/load $(ARGS) overload

pgo: stores ## renew default.pgo, the profile of the mix that popupd is compiled with
	$(GO) run ./bench/load -out . profile

ladder: stores ## the ways to popupd: the same load on a server that asks MySQL in every poll, on two steps between, on popupd; ARGS="-out bench/results"
	@command -v wrk >/dev/null || $(call install,wrk)
	$(GO) run ./bench/ladder $(ARGS)

timewait: ## a connection per request and TIME_WAIT, before and after each setting; as root; ARGS="-out bench/results"
	$(GO) run ./bench/timewait $(ARGS)

stores: ## install MariaDB and Redis, and strace that has system calls fail, where they are missing (Debian, as root)
	@{ command -v mariadbd || test -x /usr/sbin/mariadbd; } >/dev/null && command -v redis-server >/dev/null && command -v strace >/dev/null || $(call install,mariadb-server redis-server strace)

install = { apt-get update -qq && DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $(1) >/dev/null; } || { echo 'needed: apt-get install $(1)' >&2; exit 1; }
