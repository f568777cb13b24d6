import importlib.util

# PyTorch and JAX are gigabytes on many machines: only `make test-frameworks` installs them. A plain
# `pytest` passes over this folder; `pytest tests/frameworks` without them finds no test, and fails.
NEEDS = {"torch": ["test_torch*.py", "test_check_torch*.py"], "jax": ["test_check_jax*.py"]}
collect_ignore_glob = [
    name for package, names in NEEDS.items() if not importlib.util.find_spec(package)
    for name in names
]  # fmt: skip
