"""Pages of the reference that are made from the code: public names, the museum, the command."""

import inspect
import io
import os
import re
from contextlib import redirect_stdout, suppress
from importlib import import_module
from types import ModuleType
from unittest.mock import patch

import gradlab as gl
from gradlab.bugs.museum import EXHIBITS
from gradlab.command import main

ROOMS = ("checking", "own", "nn", "bugs", "lab", "course")


def pages() -> dict[str, str]:
    """Return the text of each page, by name."""
    rooms = {room: page_of(room) for room in ROOMS}
    return {"api": api(), **rooms, "museum": museum(), "command": command()}


# -- the public names -------------------------------------------------------------------------


def names_of(room: str) -> list[tuple[str, object]]:
    """Return what a room offers, (full name, object): first under `gl`, then in the room alone."""
    module = import_module(f"gradlab.{room}")
    short = {
        f"gradlab.{name}": thing
        for name, thing in ((name, getattr(gl, name)) for name in gl.__all__)
        if not isinstance(thing, ModuleType) and thing.__module__.split(".")[1] == room
    }
    long = {f"gradlab.{room}.{name}": getattr(module, name) for name in module.__all__}
    if room == "nn":
        long |= {f"gradlab.data.{name}": getattr(gl.data, name) for name in gl.data.__all__}
    first = {id(thing) for thing in short.values()}
    return [*short.items(), *((name, t) for name, t in long.items() if id(t) not in first)]


def page_of(room: str) -> str:
    """Return the page of a room: a table of its names, then each with its docstring."""
    found = names_of(room)
    rows = "\n".join(f"| {link(name)} | {first_line(thing)} |" for name, thing in found)
    parts = "\n".join(section(name, thing) for name, thing in found)
    title, about = f"gradlab.{room}", first_line(import_module(f"gradlab.{room}"))
    return f"# {title}\n\n{about}\n\n| name | what it is |\n| --- | --- |\n{rows}\n\n{parts}"


def section(name: str, thing: object) -> str:
    """Return what makes Sphinx write the docstring of one name."""
    heading = f"## {name.split('.')[-1]}\n\n"
    if inspect.isclass(thing):
        kind, more = "class", "   :members:\n"
    elif callable(thing):
        kind, more = "function", ""
    else:
        return f"({anchor(name)})=\n{heading}{constant(name, thing)}\n"
    return f"({anchor(name)})=\n{heading}```{{eval-rst}}\n.. auto{kind}:: {name}\n{more}```\n"


def constant(name: str, thing: object) -> str:
    """Return a constant with what it holds, as far as that can be read."""
    if isinstance(thing, dict):
        held = ", ".join(f"`{key}`" for key in thing)
        return f"`{name}`: a dict with the keys {held}.\n"
    return f"```python\n{name} = {thing!r}\n```\n"


def api() -> str:
    """Return the list of everything in `gl`, with the room where each is told."""
    rows = []
    for room in ROOMS:
        rows += [
            f"| {link(name, room)} | {first_line(thing)} |"
            for name, thing in names_of(room)
            if name.count(".") == 1
        ]
    tree = "\n".join(ROOMS)
    return (
        "# The public names\n\nFrom the docstrings. `import gradlab as gl`, then:\n\n"
        "| name | what it is |\n| --- | --- |\n"
        + "\n".join(rows)
        + "\n\nThe rooms they live in, with what "
        f"else is public there:\n\n```{{toctree}}\n:maxdepth: 1\n\n{tree}\n```\n"
    )


def link(name: str, room: str = "") -> str:
    """Return a link to a name."""
    shown = re.sub(r"^gradlab\.(?=\w+$|data)", "gl.", name)
    return f"[`{shown}`]({f'{room}.md' if room else ''}#{anchor(name)})"


def anchor(name: str) -> str:
    """Return the mark above a name's section."""
    return name.replace(".", "-").replace("_", "-").lower()


def first_line(thing: object) -> str:
    """Return the first sentence of a docstring, as it stands in a cell of a table."""
    doc = inspect.getdoc(thing) if callable(thing) or isinstance(thing, ModuleType) else ""
    return (doc or "").split("\n\n")[0].replace("\n", " ").replace("|", "\\|").replace("*", "\\*")


# -- the museum -------------------------------------------------------------------------------


def museum() -> str:
    """Return the page of the museum: every exhibit as its record says."""
    listed = "".join(
        f"- [{sentence(e.title)}](#{anchor(e.name)}): {plain(e.summary)}\n"
        for e in EXHIBITS.values()
    )
    shown = "\n".join(exhibit(e) for e in EXHIBITS.values())
    return (
        f"# The museum of bugs\n\n{len(EXHIBITS)} backward passes that are wrong the way people "
        "write them; each was seen in a public repository or a course's forum. "
        "`gl.bugs.plant(net, name, layer)` builds one into a network, `gl.Lab(bug=name)` shows it, "
        f"`gl.bugs.describe(name)` tells what stands here.\n\n{listed}\n{shown}"
    )


def exhibit(e: gl.bugs.Exhibit) -> str:
    """Return one exhibit."""
    width = max(len(e.wrong), len(e.right))
    lines = f"{e.wrong:{width}}  # wrong\n{e.right:{width}}  # right"
    facts = {"name": f"`{e.name}`", "needs": plain(e.needs), "shows": plain(e.shows)}
    if e.blind:
        facts["blind"] = plain(e.blind)
    told = "".join(f"- *{fact}*: {text}\n" for fact, text in facts.items())
    heading = f"({anchor(e.name)})=\n## {sentence(e.title)}\n\n{sentence(e.summary)}.\n\n"
    return f"{heading}```python\n{lines}\n```\n\n{told}"


# -- the command ------------------------------------------------------------------------------


def command() -> str:
    """Return the page of the command `gradlab`: what it says of itself."""
    whole = help_of()
    names = re.findall(r"^    ([a-z]+)  ", whole, re.MULTILINE)
    parts = [f"## gradlab {name}\n\n```\n{help_of(name)}```\n" for name in names]
    return "\n".join([f"# The command gradlab\n\n```\n{whole}```\n", *parts])


def help_of(*words: str) -> str:
    """Return what `gradlab … --help` prints in lines of 80 characters."""
    printed = io.StringIO()
    with redirect_stdout(printed), suppress(SystemExit), patch.dict(os.environ, COLUMNS="82"):
        main([*words, "--help"])
    return printed.getvalue()


# -- words ------------------------------------------------------------------------------------


def sentence(text: str) -> str:
    """Return a text of the records as it begins a sentence; a name of code stays as it is."""
    word = re.split(r"[ ']", text)[0]
    return plain(text[0].upper() + text[1:] if word.isalpha() and word.islower() else text)


def plain(text: str) -> str:
    """Return a text of the records so that Markdown takes no mark in it for its own."""
    return re.sub(r"([*_|<>\[\]\\`$])", r"\\\1", text)
