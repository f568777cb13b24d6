"""The wrong line of a gradient in the source of who wrote it.

A live function is compiled anew from its own file (`functions`) with one expression exchanged
(`changes`) or a statement (`statement_changes`), or with what may be missing, which is solved for
(`scope` has it), and run on copies, until the gradient is the numerical one (`target`), here and on
other inputs (`elsewhere`): that is `search`, to be read first. Nothing in here knows of layers:
`spot` finds out how the gradient depends on what a line computes, which says what a line must have
computed, and which lines cannot be to blame.

It begins in `of_functions`, for layers and arrays in `gradlab.own`; `diagnosis` tells what came.
"""
