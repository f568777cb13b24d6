"""A network in somebody's plain numpy is recognised, and its wrong line named: `gl.explain`.

`layouts` says which array may be which layer, `network` finds the network of ours that has the same
loss, and `explain` is the door.
"""

from gradlab.checking.recognise.explain import Explanation, explain

__all__ = ["Explanation", "explain"]
