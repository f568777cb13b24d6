"""The documents' tests; those that build them want what only `make test-documents` installs."""

import importlib.util

NEEDS = {
    "sphinx": "test_build.py",
    "jupyterlite_core": "test_site.py",
    "repo2docker": "test_image.py",
}
collect_ignore = [name for package, name in NEEDS.items() if not importlib.util.find_spec(package)]
