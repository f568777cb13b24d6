"""The wrong line of a gradient in the source of who wrote it.

A live function is compiled anew from its own file (`functions`) with one expression exchanged
(`changes`, `whole`) or solved for (`scope`: what may be missing), and run on copies, until the
gradient is the numerical one, here and on other inputs (`search`). Nothing in here knows of layers:
`spot` finds out how the gradient depends on what a line computes, which says what a line must have
computed, and which lines cannot be to blame.
"""
