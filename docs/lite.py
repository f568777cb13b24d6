"""Make the lessons a JupyterLite site: `python docs/lite.py [FOLDER]`, by default build/site.

The packages that the lessons need and that are Python alone lie in the site; Pyodide, and with it
numpy and matplotlib, a visitor's browser loads from the network. `docs/without_a_server.md` says
what was tested.
"""

import json
import shutil
import subprocess
import sys
from html import escape
from importlib.metadata import version
from pathlib import Path

import nbformat
from jupyterlite_pyodide_kernel.constants import PYODIDE_PYTHON_VERSION

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from docs.slots import BUNDLED  # noqa: E402
from gradlab.course.syllabus import LESSONS  # noqa: E402

INDEX = ROOT / "docs" / "site_index.html"

# gradlab asks for JupyterLab and nbval, which serve whoever has a server; here the site is the lab.
INSTALL = f"""\
# Here Python runs in the browser, and needs a minute the first time.
import piplite

await piplite.install({list(BUNDLED)})
await piplite.install("gradlab", deps=False)"""


def main(arguments: list[str]) -> int:
    """Build and check; return the status of what failed, or 0."""
    site = Path(arguments[0] if arguments else ROOT / "build" / "site").resolve()
    source = site.with_name(f"{site.name}-source")
    shutil.rmtree(source, ignore_errors=True)
    shutil.rmtree(site, ignore_errors=True)
    write_lessons(source / "files" / "lessons")
    settings = {
        "LiteBuildConfig": {"contents": ["files"], "output_dir": str(site)},
        "PipliteAddon": {
            "piplite_urls": [str(wheel) for wheel in wheels(ROOT / "build" / "wheels")]
        },
    }
    (source / "jupyter_lite_config.json").write_text(json.dumps(settings, indent=2))
    (source / "jupyter-lite.json").write_text(json.dumps(LOOKS, indent=2))
    (source / "overrides.json").write_text(json.dumps(AS_THE_SYSTEM, indent=2))
    for step in ("build", "check"):
        command = [sys.executable, "-m", "jupyterlite_core", step, "--LiteBuildConfig.cache_dir"]
        status = subprocess.run([*command, str(source / "cache")], cwd=source).returncode
        if status:
            return status
    (site / "index.html").write_text(index())
    print(SAID.format(site=site))
    return 0


LOOKS = {
    "jupyter-lite-schema-version": 0,
    "jupyter-config-data": {"appName": "gradlab", "collaborative": False},
}
AS_THE_SYSTEM = {"@jupyterlab/apputils-extension:themes": {"adaptive-theme": True}}
SAID = """\
The site is in {site}, built and checked (jupyter lite check).
Not tested: a lesson that runs in it; a browser loads Pyodide, numpy and matplotlib from elsewhere.
To look at it: python -m http.server --directory {site} 8000, then
  http://localhost:8000"""


def write_lessons(folder: Path) -> None:
    """Copy the lessons, each with a first cell that installs what it needs."""
    folder.mkdir(parents=True)
    for lesson in sorted((ROOT / "lessons").glob("*.ipynb")):
        book = nbformat.read(lesson, as_version=4)
        book.cells.insert(0, nbformat.v4.new_code_cell(INSTALL, id="install"))
        # JupyterLite hands the file to the page as it is, which puts commas between a text's lines
        nbformat.write(book, folder / lesson.name, split_lines=False)


def index() -> str:
    """Return the site's first page: the lessons, and what to expect of them."""
    rows = "\n".join(
        f'<li><a href="lab/index.html?path=lessons/{lesson.name}.ipynb">{escape(lesson.title)}</a>'
        f" <span>{escape(lesson.question)}</span></li>"
        for lesson in LESSONS
    )
    return INDEX.read_text().replace("{{lessons}}", rows)


def wheels(folder: Path) -> list[Path]:
    """Return the wheels for the site: gradlab's, made now, and others, asked for once."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("gradlab-*.whl"):
        old.unlink()
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    wheel = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
    subprocess.run([*wheel, str(ROOT)], check=True)
    found = [*folder.glob("gradlab-*.whl")]
    for name in BUNDLED:
        pattern = f"{name}-{version(name)}-*none-any.whl"
        if not [*folder.glob(pattern)]:
            only = ["--no-deps", "--only-binary", ":all:", "--platform", "any"]
            only += ["--python-version", PYODIDE_PYTHON_VERSION, "--dest", str(folder)]
            subprocess.run([*pip, "download", *only, f"{name}=={version(name)}"], check=True)
        found += folder.glob(pattern)
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
