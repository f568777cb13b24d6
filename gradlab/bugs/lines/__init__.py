"""The wrong line beside the right one, for mistakes that nobody has planted.

Two doors: what a layer is (`layers`: its forward and backward pass, once, as lines of numpy) and
what an edit is (`edits`: changes of a line's syntax tree). The search between them runs the edited
backward passes; the edit that reproduces a wrong gradient to its resolution is its cause. Nothing
in here knows of named bugs.
"""

from gradlab.bugs.lines.cause import Cause
from gradlab.bugs.lines.explain import explain
from gradlab.bugs.lines.layers import LayerLines, lines_of
from gradlab.bugs.lines.program import Program

__all__ = ["Cause", "LayerLines", "Program", "explain", "lines_of"]
