# make lab    JupyterLab on the first lesson         make test    everything, in a real browser too
# make demo   the lab for a class, full screen       make soak    what takes long: hours of use
# make docs   the documents, in build/docs/html      make site    the lessons without a server
# The virtual environment is made once; pip runs again only when pyproject.toml changes, so the
# second time works offline.

VENV := .venv
BIN := $(VENV)/bin
# JupyterLite's kernel puts an extension into every JupyterLab of its environment: it has its own.
DOCS := $(VENV)/docs
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet
BUILD := build
FIRST := lessons/00_start_here.ipynb
# JupyterLab refuses to run as root unless told so; its other defaults stay.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)
NBVAL := --nbval --nbval-current-env --nbval-sanitize-with .ci/nbval_sanitize.cfg \
         --nbval-cell-timeout 900 --nbval-kernel-startup-timeout 300
BROWSER = GRADLAB_BROWSER="$$($(BIN)/python .ci/find_browser.py --install)"

# The matrices are small: a second thread gains a tenth on an idle machine, and beside other work the
# threads wait for each other, which makes an event of the lab several times as long.
export OPENBLAS_NUM_THREADS ?= 1

# Containers like to set it. Every kernel, server and command that the tests start would compile
# all of gradlab anew, and every worker all of the tests.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: lab demo map test soak-browser soak test-frameworks test-documents lint lessons docs site \
        benchmarks reliability benchmark-hub clean

lab: $(VENV)/.lab
	$(BIN)/jupyter lab --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/$(FIRST) $(AS_ROOT) $(LAB_ARGS)

demo: $(VENV)/.demo
	$(BIN)/gradlab demo -- $(DEMO_ARGS)

# The browser's tests mostly wait for it: a third worker uses what they leave of two cores.
test: $(VENV)/.test lint
	export $(BROWSER) && test -n "$$GRADLAB_BROWSER" && $(BIN)/pytest $(NBVAL) -n 3 --dist loadscope \
	    --no-loadscope-reorder tests/browser tests lessons --ignore tests/frameworks

# Each has a short form among the tests; here time is no matter, and a limit only ends what hangs.
soak: $(VENV)/.test test-documents
	$(BIN)/pytest -m soak --timeout 7200 -n 2 tests --ignore tests/browser --ignore tests/frameworks \
	    --ignore tests/documents

# Every scenario at every size, every lesson: for whoever changed how the lab looks.
soak-browser: $(VENV)/.test
	export $(BROWSER) && test -n "$$GRADLAB_BROWSER" && $(BIN)/pytest -m soak --timeout 7200 tests/browser

test-frameworks: $(VENV)/.frameworks
	$(BIN)/pytest tests/frameworks

# Builds the documents and the site, in folders of its own, as `make docs` and `make site` do.
test-documents: $(DOCS)/.docs
	$(DOCS)/bin/pytest -m "soak or not soak" tests/documents

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# Where to look: every file of gradlab/ with its first line.
map:
	@grep -rEm1 '^("{3}|// )' gradlab --include='*.py' --include='*.js' | sed -E 's|:("{3}\|// )|  |; s|"{3}$$||' | sort

# Execute every lesson anew and store it clean; look at the difference before you commit it.
lessons: $(VENV)/.test
	$(BIN)/python .ci/execute_lessons.py lessons/*.ipynb

# Warnings are errors. BUILD=folder puts the outputs elsewhere.
docs: $(DOCS)/.docs
	$(DOCS)/bin/python docs/build.py $(BUILD)/docs

site: $(DOCS)/.docs
	$(DOCS)/bin/python docs/lite.py $(BUILD)/site

benchmarks: $(VENV)/.test
	$(BIN)/python benchmarks/numerical_gradient.py
	$(BIN)/python benchmarks/checkers.py
	$(BIN)/python benchmarks/diagnosis.py
	$(BIN)/python benchmarks/lab_controls.py
	$(BIN)/python benchmarks/first_paint.py
	export $(BROWSER) && test -n "$$GRADLAB_BROWSER" && $(BIN)/python benchmarks/lab_latency.py \
	    && $(BIN)/python benchmarks/lab_distance.py

# What it withstands, as one table: a quarter of an hour, with other Pythons and versions twice that.
reliability: $(VENV)/.test
	export $(BROWSER) && test -n "$$GRADLAB_BROWSER" && $(BIN)/python benchmarks/reliability.py $(ROWS)

# A class of 30 kernels at work at once: 4 GB of memory.
benchmark-hub: $(VENV)/.test
	$(BIN)/python benchmarks/hub.py

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache build dist test-results
	find . -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/.made:
	.ci/venv.sh $(VENV)
	touch $@

# Editable, so that a change in gradlab/ counts at once; the server extension comes with it.
$(VENV)/.lab: $(VENV)/.made pyproject.toml
	@echo "installing gradlab and JupyterLab into $(VENV) (a minute or two, this once)"
	$(PIP) --editable .
	touch $@

$(VENV)/.demo: $(VENV)/.made pyproject.toml
	@echo "installing gradlab and Voilà into $(VENV) (a minute or two, this once)"
	$(PIP) --editable '.[demo]'
	touch $@ $(VENV)/.lab

$(VENV)/.test: $(VENV)/.made pyproject.toml
	@echo "installing gradlab and what its tests need into $(VENV) (a minute or two, this once)"
	$(PIP) --editable '.[test]'
	touch $@ $(VENV)/.lab $(VENV)/.demo

$(VENV)/.frameworks: $(VENV)/.test
	@echo "installing PyTorch and JAX into $(VENV) (large, this once)"
	$(PIP) --editable '.[test,frameworks]'
	touch $@

$(DOCS)/.docs: $(VENV)/.made pyproject.toml
	@echo "installing Sphinx, JupyterLite and repo2docker into $(DOCS) (this once)"
	test -x $(DOCS)/bin/python || .ci/venv.sh $(DOCS)
	PIP_DISABLE_PIP_VERSION_CHECK=1 $(DOCS)/bin/python -m pip install --quiet --editable '.[test,docs]'
	touch $@
