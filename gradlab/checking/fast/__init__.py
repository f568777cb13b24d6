"""The fast numerical gradient: the networks that differ in one parameter run side by side.

`copies.py` runs them, a chunk at a time as `chunks.py` cuts them: from the layer that is shifted
(`shifted_layers.py`) to the loss (`shifted_losses.py`). `kinks.py` counts what a step crosses on
its way. `gradlab.checking.numerical_gradient` is the same with names checked, and knows the plain
loop that all this is tested against.
"""

from gradlab.checking.fast.copies import Copies, crossed_kinks, fast_gradient

__all__ = ["Copies", "crossed_kinks", "fast_gradient"]
