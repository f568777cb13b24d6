"""The wrong line in a person's own backward pass: `gl.explain`.

`arrays` reads and writes what a person hands over, `layouts` says which array may be which layer,
`recognise` finds the network of ours that has the same loss, and `explain` is the door.
"""

from gradlab.checking.own.explain import Explanation, explain

__all__ = ["Explanation", "explain"]
