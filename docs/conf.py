"""Sphinx reads this. The pages come from `build.py`, which puts them into build/docs/source."""

import re
import sys
import tomllib
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # this checkout's gradlab, whichever is installed
PROJECT = tomllib.loads((HERE.parent / "pyproject.toml").read_text())["project"]

project = PROJECT["name"]
author = PROJECT["authors"][0]["name"]
release = version = PROJECT["version"]
extensions = ["myst_nb", "sphinx.ext.autodoc", "numpydoc"]
exclude_patterns = ["jupyter_execute"]

html_theme = "furo"
html_title = project
pygments_dark_style = "github-dark"  # furo's own underlines modules, as if they were links
html_static_path = [str(HERE / "static")]
html_css_files = ["docs.css"]
html_math_renderer = "mathml"
html_copy_source = html_show_sourcelink = False
html_show_copyright = False
html_use_index = False  # the public names have a page of their own

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = (
    "off"  # the lessons' stored outputs, which `make test` compares with a fresh run
)

toc_object_entries = False  # their headings are entries already
autodoc_typehints = "none"  # the docstrings say types, and shapes as well
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
default_role = "code"
highlight_language = "text"  # a block without a language is no Python


def plain(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Let a docstring say |a - n| or gate_: to Sphinx alone these are marks."""
    for k, line in enumerate(lines):
        if line.lstrip().startswith((">>>", "...")):
            continue
        parts = re.split(r"(`+[^`]*`+)", line)
        parts[::2] = [re.sub(r"([|*]|(?<=\w)_(?!\w))", r"\\\1", part) for part in parts[::2]]
        lines[k] = "".join(parts)


def inline(self: nodes.NodeVisitor, node: nodes.math) -> None:
    """Write a formula as MathML: browsers show it without a script from elsewhere."""
    self.body.append(convert(readable(node)))
    raise nodes.SkipNode


def block(self: nodes.NodeVisitor, node: nodes.math_block) -> None:
    """Write a formula on a line of its own."""
    self.body.append(f'<div class="math">{convert(readable(node), display="block")}</div>')
    raise nodes.SkipNode


def readable(node: nodes.Node) -> str:
    """Return a formula as the converter reads it: it keeps the backslash of an escaped _."""
    return node.astext().replace(r"\_", "_")


def setup(app: Sphinx) -> None:
    """Tell Sphinx of the two."""
    app.connect("autodoc-process-docstring", plain, priority=100)
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
