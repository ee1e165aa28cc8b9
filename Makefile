# SPDX-License-Identifier: Apache-2.0
# Every target is one line; what has more to it lives in tools/. Start with `make run` or `make test`.

PYTHON = /usr/bin/python3
SECONDS =
FUZZ_SECONDS = 30
BENCH =
DESTDIR =
PREFIX = /usr/local

.PHONY: run test test-long build check proof soak analyze bench fuzz-quick asan tsan coverage format docs lint install deb \
	packages clean help

help:
	@echo 'make run [SECONDS=10]   install what is missing, build, start Anna here, show her live'
	@echo 'make test               everything: build, lint, unit, scenario, sanitizers (<= 20 minutes)'
	@echo 'make test-long          the same with the long runs'
	@echo 'make build              build/annad and build/annactl (release)'
	@echo 'make check              unit tests only, under a minute'
	@echo 'make proof              1,000 simulated hours from seeds, 10,000 crash schedules of the journal'
	@echo 'make proof-NAME         one guarantee: bounded, gapless, acked, explained or undoable'
	@echo 'make soak               48 hours of load: memory and descriptors stay; a build that leaks is found'
	@echo 'make analyze            gcc -fanalyzer, clang-tidy, the unit tests under valgrind'
	@echo 'make asan | tsan        unit and scenario tests under the sanitizers'
	@echo 'make fuzz-quick         every fuzz target for FUZZ_SECONDS=30'
	@echo 'make bench [BENCH=name] the table of speed and size, and build/bench.json'
	@echo 'make coverage           line coverage of src/, in build/coverage.txt'
	@echo 'make lint | format | docs | clean'
	@echo 'make install DESTDIR= PREFIX= | deb   here, or as a Debian package in build/'

run:
	@tools/packages build
	@echo 'building ...'
	@tools/build release
	@$(PYTHON) tools/run $(SECONDS)

test:
	@tools/packages build test
	@$(PYTHON) tools/test all

test-long:
	@tools/packages build test
	@$(PYTHON) tools/test long

build:
	@tools/packages build
	@tools/build release

check:
	@tools/packages build test
	@$(PYTHON) tools/test unit

# proof-bounded, -gapless, -acked, -explained, -undoable
proof-%:
	@tools/packages build test
	@$(PYTHON) tools/guarantee $*

proof soak analyze:
	@tools/packages build test
	@$(PYTHON) tools/test $@

asan tsan:
	@tools/packages build test
	@$(PYTHON) tools/test $@

bench:
	@tools/packages build test bench
	@$(PYTHON) bench/bench.py $(BENCH)

fuzz-quick:
	@tools/packages build test
	@$(PYTHON) tools/fuzz $(FUZZ_SECONDS)

coverage:
	@tools/packages build test
	@$(PYTHON) tools/coverage

lint:
	@tools/packages build test
	@$(PYTHON) tools/lint

format:
	@tools/packages build test
	@find src tests bench -name '*.[ch]' | xargs clang-format -i

docs:
	@tools/packages build
	@tools/build release
	@$(PYTHON) tools/docs

install:
	@tools/build release --prefix=$(PREFIX)
	@tools/install release $(PREFIX) $(DESTDIR)

deb:
	@tools/packages build deb
	@tools/deb

clean:
	rm -rf build
