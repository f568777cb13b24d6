"""Small stand-ins for PyTorch and JAX, so that what gradlab does with them is tested without.

They have what `gradlab.own` asks of the frameworks and no more. That the real ones answer so is
held by `tests/frameworks`.
"""
