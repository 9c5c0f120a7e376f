# firedrill. `make demo` shows it, `make test` doubts it, `make help` lists the rest.
CC      ?= cc
CFLAGS  ?= -O2 -g
SAN     ?=
BUILD   ?= build/$(or $(subst $(comma),-,$(SAN)),plain)
PREFIX  ?= /usr/local
DESTDIR ?=
VERSION := 0.1.0
Q       := $(if $(V),,@)# make V=1 shows the commands
comma   := ,

PKGS    := libcurl libssh libcjson sqlite3 yaml-0.1 libpq libcrypto libpng hiredis libmariadb libmicrohttpd
WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
           -Wconversion -Wwrite-strings -Wcast-qual -Wvla -Wformat=2 -Wundef -Wswitch-enum \
           $(if $(WERROR),-Werror)
# tests/hardening.sh reads in the program whether these have had their effect. The sanitizers look at
# the same calls as fortify does, and it would hide them.
BRANCH  := $(if $(filter x86_64-%,$(shell $(CC) -dumpmachine)),-fcf-protection=full,)
HARDEN  := -fPIE -fstack-protector-strong -fstack-clash-protection $(BRANCH) \
           -Wformat -Wformat-security $(if $(SAN),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
FLAGS   := -std=c17 -D_GNU_SOURCE -DFIREDRILL_VERSION='"$(VERSION)"' $(WARN) $(HARDEN) -Iharness -I. \
           -MMD -MP -pthread $(shell pkg-config --cflags $(PKGS) 2>/dev/null) \
           $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer)
LINK    := -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code -pthread $(if $(SAN),-fsanitize=$(SAN))
LIBS    := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lplot -lm

SRC     := $(wildcard harness/*/*.c probes/*.c reports/*.c)
OBJ     := $(SRC:%.c=$(BUILD)/%.o)
PARTS   := $(filter-out %/cli/main.o,$(OBJ))
FUZZERS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/fuzz_*.c))
UNIT    := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/test_*.c tests/unit.c fixtures/*.c)) $(FUZZERS)
FIXTURES := $(patsubst %.c,$(BUILD)/%.o,$(wildcard fixtures/*.c))
# What benchmarks use of the fixtures: nothing that needs the test framework.
PROPS   := $(patsubst %,$(BUILD)/fixtures/%.o,due_try pg_server probe_try script_pg script_server \
           ssh_server stories story_draft story_lag tcp_server temp_dir truth)
BENCH   := $(patsubst tests/%.c,$(BUILD)/%,$(wildcard tests/bench_*.c))
CHECK   := $(shell pkg-config --libs check 2>/dev/null)
# What tests/points.c stands around, in the programs that are linked with it.
POINTS  := $(BUILD)/tests/points.o
WRAPS   := $(patsubst %,-Wl$(comma)--wrap=%,store_run_begin store_run_end store_append store_heal_put \
           store_heal_mark store_lock_take store_locks_drop store_track_put store_ledger_read_put \
           store_run_beat store_approve store_stop store_resume store_set_begin store_set_end \
           remote_opener_real fault_find clock_system)

.PHONY: all
all: $(BUILD)/firedrill

$(BUILD)/firedrill: $(OBJ)
	@echo "  link $@"
	$(Q)$(CC) $(CFLAGS) $(LINK) -o $@ $^ $(LIBS)
# The same firedrill with crash points: see tests/points.h.
$(BUILD)/firedrill_points: $(OBJ) $(POINTS)
	@echo "  link $@"
	$(Q)$(CC) $(CFLAGS) $(LINK) $(WRAPS) -o $@ $^ $(LIBS)
$(BUILD)/unit: $(UNIT) $(POINTS) $(PARTS)
	@echo "  link $@"
	$(Q)$(CC) $(CFLAGS) $(LINK) $(WRAPS) -o $@ $^ $(LIBS) $(CHECK)
# A program of its own for each lab test: tests/lab_<what>.c
$(BUILD)/lab_%: $(BUILD)/tests/lab_%.o $(FIXTURES) $(PARTS)
	@echo "  link $@"
	$(Q)$(CC) $(CFLAGS) $(LINK) -o $@ $^ $(LIBS) $(CHECK)
# What the oracle of tests/oracle.sh doubts.
$(BUILD)/oracle_%: $(BUILD)/tests/oracle_%.o $(FIXTURES) $(PARTS)
	@echo "  link $@"
	$(Q)$(CC) $(CFLAGS) $(LINK) -o $@ $^ $(LIBS) $(CHECK)
# No memory and no disk at every call: this one stands before malloc and write.
$(BUILD)/shortage: $(patsubst %,$(BUILD)/%.o,tests/shortage tests/shortage_calls \
           fixtures/fuzzed_store) $(PROPS) $(PARTS)
	@echo "  link $@"
	$(Q)$(CC) $(CFLAGS) $(LINK) -o $@ $^ $(LIBS)
# Every harness in one program: clang's libFuzzer drives it. `make fuzz` sets what it is built with.
FUZZ_PROPS := $(patsubst %,$(BUILD)/fixtures/%.o,answer_server answer_try fake_remote fuzz_input \
           fuzzed_store lsan probe_try sim_clock temp_dir)
$(BUILD)/fuzz: $(BUILD)/tests/fuzz.o $(FUZZERS) $(FUZZ_PROPS) $(PARTS)
	@echo "  link $@"
	$(Q)$(CC) $(CFLAGS) $(LINK) -fsanitize=fuzzer -o $@ $^ $(LIBS)
-include $(BUILD)/tests/fuzz.d $(BUILD)/tests/shortage.d $(BUILD)/tests/shortage_calls.d
# What fills the store of `make demo-serve`.
$(BUILD)/seed_month: $(patsubst %,$(BUILD)/fixtures/%.o,demo/seed_month month habits fake_remote sim_clock \
           sim_outside temp_dir) $(PARTS)
	@echo "  link $@"
	$(Q)$(CC) $(CFLAGS) $(LINK) -o $@ $^ $(LIBS)
-include $(BUILD)/fixtures/demo/seed_month.d
# And for each benchmark: tests/bench_<what>.c. The one that measures memory must itself be small.
$(BUILD)/bench_time: $(BUILD)/tests/bench_time.o
	@echo "  link $@"
	$(Q)$(CC) $(CFLAGS) $(LINK) -o $@ $^
$(BUILD)/bench_%: $(BUILD)/tests/bench_%.o $(PROPS) $(PARTS)
	@echo "  link $@"
	$(Q)$(CC) $(CFLAGS) $(LINK) -o $@ $^ $(LIBS)
$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  cc $<"
	$(Q)$(CC) $(CFLAGS) $(FLAGS) -c -o $@ $<

# ---- what a new user runs ----

.PHONY: demo
demo:
	@packaging/deps.sh build lab
	@$(MAKE) --no-print-directory -j2 all
	@fixtures/demo.sh $(BUILD)/firedrill

# Everything that runs by itself, until Ctrl-C; DEMO_SECONDS=n ends it after so long.
.PHONY: demo-serve
demo-serve:
	@packaging/deps.sh build lab demo
	@$(MAKE) --no-print-directory -j2 all $(BUILD)/seed_month $(BUILD)/bench_server
	@fixtures/demo/serve.sh $(BUILD)

.PHONY: test
test:
	@packaging/deps.sh build lab test
	@tests/all.sh

.PHONY: test-unit
test-unit: $(BUILD)/unit
	@tests/unit.sh $(BUILD)/unit

# The page in a real browser; screenshots in BUILD/page. Not in `make test`: a browser is half a gigabyte.
.PHONY: test-page
test-page:
	@packaging/deps.sh build test page
	@$(MAKE) --no-print-directory -s -j2 all $(BUILD)/bench_kpi
	@tests/page.sh $(BUILD)

.PHONY: test-losses
test-losses:
	@packaging/deps.sh build lab test
	@$(MAKE) --no-print-directory -s -j2 all
	@tests/lab_losses.sh $(BUILD)/firedrill

# Every fault at every point of its run, on six hosts: some twenty minutes. `make test` runs a sample of it.
.PHONY: crash-matrix
crash-matrix:
	@packaging/deps.sh build lab
	@$(MAKE) --no-print-directory -s -j2 all $(BUILD)/firedrill_points
	@tests/crash_matrix.sh $(BUILD)

.PHONY: bench
bench:
	@packaging/deps.sh build bench
	@$(MAKE) --no-print-directory -s -j2 all $(BENCH)
	@tests/bench.sh $(BUILD)

# How long each harness is tried; `make test` tries 3,000 inputs of each, the same ones each time.
FUZZ_SECONDS ?= 60
FUZZ_MAKE := $(MAKE) --no-print-directory -j2 CC=clang BUILD=build/fuzz SAN=address,undefined \
	CFLAGS='-O1 -g -fsanitize=fuzzer-no-link -fno-sanitize-recover=undefined'
.PHONY: fuzz-build
fuzz-build:
	@$(FUZZ_MAKE) build/fuzz/fuzz

# The unit tests under AddressSanitizer and UBSan, of the objects that the fuzzer is made of: half of a build less.
.PHONY: test-unit-asan
test-unit-asan: fuzz-build
	@$(FUZZ_MAKE) build/fuzz/unit
	@tests/unit.sh build/fuzz/unit

# Races are between threads, not in what the optimiser makes of them; -O1 builds in two thirds of the time.
.PHONY: test-unit-tsan
test-unit-tsan:
	@$(MAKE) --no-print-directory -j2 SAN=thread CFLAGS='-O1 -g1' build/thread/unit
	@tests/unit.sh build/thread/unit

.PHONY: fuzz
fuzz:
	@packaging/deps.sh build test
	@$(MAKE) --no-print-directory -s fuzz-build
	@tests/fuzz.sh build/fuzz/fuzz $(FUZZ_SECONDS)

# Every call up to the 2,000th, and as many again of the others; `make test` tries fewer.
.PHONY: shortage
shortage: $(BUILD)/shortage
	@$(BUILD)/shortage 2000

.PHONY: lint
lint:
	@packaging/deps.sh build test lint
	tests/scripts.sh
	# internalAstError: cppcheck 2.10 cannot parse a compound literal within ?:
	cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability --inline-suppr \
		--suppress=missingIncludeSystem --suppress=internalAstError -Iharness -I. harness probes reports
	@printf '%s\n' $(SRC) | xargs -P 2 -I FILE sh -c 'echo "  clang-tidy FILE"; \
		exec clang-tidy --quiet --warnings-as-errors="*" FILE -- "$$@" 2>/dev/null' sh $(FLAGS)

.PHONY: install
install: all
	install -D -m 755 $(BUILD)/firedrill $(DESTDIR)$(PREFIX)/bin/firedrill
	install -D -m 644 docs/firedrill.1 $(DESTDIR)$(PREFIX)/share/man/man1/firedrill.1
	install -d $(DESTDIR)$(PREFIX)/share/doc/firedrill/experiments
	install -m 644 experiments/*.yaml experiments/*.ics $(DESTDIR)$(PREFIX)/share/doc/firedrill/experiments
	install -m 644 packaging/sudoers.example $(DESTDIR)$(PREFIX)/share/doc/firedrill

.PHONY: clean
clean:
	$(RM) -r build

.PHONY: help
help:
	@echo 'make            build build/plain/firedrill'
	@echo 'make demo       a real failover drill on a lab of real hosts (root)'
	@echo 'make demo-serve a store, a month of history, workers and the page, and a drill that is due (root)'
	@echo 'make test       every test (root for the lab)'
	@echo 'make test-unit  the unit tests alone: no root, seconds'
	@echo 'make test-page  the page in headless Chromium, with screenshots'
	@echo 'make test-losses  what each mode of replication loses under each fault (root)'
	@echo 'make crash-matrix  kill, fail and cut at every point of every fault (root)'
	@echo 'make bench      ratios against pgbench, pdsh and others'
	@echo 'make fuzz       every parser against libFuzzer, FUZZ_SECONDS=60 each'
	@echo 'make shortage   every allocation and every write fails once'
	@echo 'make lint       clang-tidy, cppcheck, shellcheck'
	@echo 'make install    to PREFIX (default /usr/local), below DESTDIR'

.SECONDARY:
-include $(OBJ:.o=.d) $(UNIT:.o=.d) $(POINTS:.o=.d) $(BUILD)/tests/oracle_ledger.d $(BUILD)/tests/oracle_kpi.d $(BENCH:$(BUILD)/%=$(BUILD)/tests/%.d)
