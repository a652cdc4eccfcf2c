# One word per habit; `just` lists them.

default:
    @just --list

# everything CI runs
ci:
    .ci/run

# the test suite
test *args:
    python -m pytest {{args}}

# linters and types
lint:
    ruff check . && ruff format --check . && mypy --strict convcost

# format and fix what can be fixed
fix:
    ruff check --fix . ; ruff format .

# generated pages and the outputs in all pages
docs:
    python docs/generate.py

# the documentation as a site (pip install '.[docs]')
site:
    python docs/generate.py --check && mkdocs build --strict -f .mkdocs.yml

# planted bugs
mutants:
    python tests/mutants.py

# every small change to the rules (pip install '.[test,mutation]')
mutation *names:
    python tests/mutation.py {{names}}

# lines and branches that the tests run; at least 95 %
coverage:
    python -m pytest --cov --cov-report=term

# hostile input, the long run
fuzz inputs="200000":
    python tests/fuzz.py --inputs {{inputs}}

# large networks: time, memory, growth
large:
    python tests/large.py

# random networks against PyTorch (pip install '.[torch]')
differential graphs="1000":
    python tests/differential.py --graphs {{graphs}}

# the catalogue's networks against torchvision's, at four sizes (pip install torchvision)
zoo:
    python tests/zoo.py

# modules of torchvision against PyTorch's own counter (pip install torchvision)
modules:
    python tests/modules.py

# how fast, as ratios: against the imports any command needs, growth, closed forms
bench:
    python tests/benchmarks/speed.py && python tests/benchmarks/growth.py && python tests/benchmarks/symbolic.py

# against the counters that run a network (pip install torchvision fvcore torchinfo thop ptflops)
peers:
    python tests/benchmarks/peers.py
