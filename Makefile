# Conveniences only: with .venv active, `snakemake` needs nothing from here.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Snakemake keeps a cache in the home directory and does not start where there is none.
ifneq ($(shell test -w "$$HOME" && echo yes),yes)
export XDG_CACHE_HOME ?= $(CURDIR)/.snakemake/cache
endif

reliability_tests := reliability archive/test_memory.py study/test_yamlfile.py study/test_config.py \
	study/test_load.py measure/test_run.py end_to_end/test_pipeline.py

# Rooms whose tests take minutes. The longest parts come first and lint last, so that both processes
# end together; no part is longer than a third of the whole.
long_rooms := end_to_end archive measure reliability
parts := all_studies rest end_to_end reliability odd_studies archive measure
# What reads the results of AlexNet's study reads those of the run of all.
tests_of_all_studies := $(addprefix tests/end_to_end/test_,all_studies.py browser.py pdf.py pipeline.py)
tests_of_odd_studies := tests/end_to_end/test_odd_studies.py
own_parts := $(tests_of_all_studies) $(tests_of_odd_studies)
tests_of_end_to_end := tests/end_to_end $(own_parts:%=--ignore=%)
tests_of_rest := tests $(long_rooms:%=--ignore=tests/%)

.PHONY: $(parts:%=test-%) results/.run
.PHONY: help report environment test reliability bench zoo zoo-packages explain test-environment test-slurm lint format lock example verify clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' Makefile | expand -t 20

ifeq ($(shell test -w . && echo yes),yes)
report: environment ## measure the studies of config.yaml and write results/
	python -m reconcile recover
	snakemake --quiet rules host progress

else
# On a disk that is read-only but for results/, a run keeps its logs, locks and caches there too.
elsewhere := --directory results/.run
export RUFF_CACHE_DIR := $(CURDIR)/results/.run/ruff
export MYPY_CACHE_DIR := $(CURDIR)/results/.run/mypy
export PYTEST_ADDOPTS += -p no:cacheprovider
lint: results/.run
report: environment results/.run
	cd results/.run && python -m reconcile recover
	snakemake --quiet rules host progress --directory results/.run

endif
# Each time: a set-up that was killed may have made the folder and not its links.
results/.run:
	mkdir -p $@
	ln -sfn ../../studies ../../config.yaml $@
	ln -sfn .. $@/results

environment: ## make .venv
	@tools/setup.sh

test: test-environment ## run every test, and check the style and types
	@tools/fetch_zoo.sh "$$ZOO" || echo "tests of their networks are skipped"
	$(MAKE) --no-print-directory --jobs=2 --keep-going --output-sync=line $(parts:%=test-%) lint

# One part after the other in two processes, since a test by itself keeps one core busy.
$(parts:%=test-%): test-%: test-environment
	pytest $(or $(tests_of_$*),tests/$*)

# What `make test` takes a sample of: faults, bad input and hostile input, all of it.
# It takes hours: with PART, words that pytest takes, the rows of what is not run stay.
reliability: test-environment ## try every fault and every hostile text; write docs/reliability.md
	RELIABILITY=$(if $(PART),part,table) pytest $(or $(PART),$(addprefix tests/,$(reliability_tests)))

test-environment: ## make .venv with what the tests need
	@tools/setup.sh --test

test-slurm: test-environment ## test the SLURM profile on a small cluster on this machine (root)
	tools/test_slurm.sh

bench: test-environment ## measure the pipeline against its peers; write docs/benchmarks.md
	bench/environment.sh
	python bench/run.py

# What the zoos need beside .venv, in a folder of its own; ZOO=FOLDER takes one that is there.
export ZOO ?= $(CURDIR)/.zoo
zoo-packages: test-environment
	@tools/fetch_zoo.sh "$$ZOO"

zoo: zoo-packages ## count the networks of the zoos; write docs/zoo.md
	python tools/zoo.py $(ZOOS)
	pytest tests/zoo

explain: zoo-packages ## ask public questions; write docs/explain-answers.md
	PYTHONPATH=workflow:"$$ZOO" python tools/explain.py $(QUESTIONS)

lint: test-environment ## check the style, the types and the workflow
	ruff check
	ruff format --check
	snakefmt --check Snakefile workflow/rules
	mypy
	snakemake --lint $(elsewhere)

format: test-environment ## put Python and Snakemake files into shape
	ruff check --fix
	ruff format
	snakefmt Snakefile workflow/rules

lock: ## choose the newest pins that pyproject.toml allows
	tools/lock.sh

example: test-environment report ## refresh docs/example/ and the pictures of the README
	python tools/example.py

verify: environment ## check an archive: make verify ARCHIVE=file.zip
	python -m reconcile verify "$${ARCHIVE:?which one? make verify ARCHIVE=file.zip}"

clean: ## remove results, logs and caches; .venv stays
	find results -mindepth 1 ! -path results/README.md -delete
	rm -rf logs .snakemake .mypy_cache .pytest_cache .ruff_cache .hypothesis
