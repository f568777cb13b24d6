"""How a bug gets into a network: its backward pass is replaced by one with some lines edited.

The forward pass and the loss stay, and every parameter array is shared with the network that it
was made from.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from gradlab.bugs.lines.program import Listing, Program
from gradlab.nn.layers import Grads, Mask
from gradlab.nn.network import Network, Point
from gradlab.nn.parameters import Params

#: For a network's lines, the texts of those that are wrong, by their numbers.
Edits = Callable[[Listing], Mapping[int, str]]


@dataclass(frozen=True, eq=False, repr=False)
class EditedPass:
    """A backward pass that is wrong: lines of the right one are edited, or its result is.

    Attributes
    ----------
    edits : callable, Listing -> {line's number: text}
        A function of the lines, for these are others once there is L2 or dropout.
    after : callable, gradient -> gradient, or None
        What is done with the finished gradient.
    told : object
        What `reveal` returns.
    """

    edits: Edits
    after: Callable[[Grads], Grads] | None = None
    told: object = None

    def gradient(self, point: Point, params: Params | None) -> Grads:
        """Return the wrong gradient; arguments as in `Network.gradient`."""
        program = program_of(point, params)
        return {k: v.astype(point.net.dtype) for k, v in self.applied_to(program).items()}

    def applied_to(self, program: Program) -> Grads:
        """Return the gradient that a right program computes with these edits."""
        changes, grads = self.edits(program.listing), dict(program.gradient)
        with np.errstate(all="ignore"):
            for layer in program.run(changes) if changes else ():
                grads.update(layer)
        return grads if self.after is None else self.after(grads)

    def cut_gradients(
        self,
        point: Point,
        params: Params | None = None,
        put: tuple[int, np.ndarray] | None = None,
    ) -> list[np.ndarray]:
        """Return dL/d(activation) at every cut, examples first.

        Parameters
        ----------
        point : Point
        params : dict or None
            As in `Network.cut_gradients`.
        put : (int, ndarray) or None
            A cut's number and what stands there instead of what comes there.
        """
        program = program_of(point, params, put)
        changes, values = self.edits(program.listing), dict(program.values)
        if changes:
            with np.errstate(all="ignore"):
                list(program.run(changes, into=values))
        return [np.array(values[name], point.net.dtype) for name in program.listing.cuts]

    def state_gradients(self, net: Network, x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
        """Return an LSTM's dL/dh and dL/dc as its lines use them: "h" and "c", each (T, N, H).

        The lines keep those of one step only, so the line that sets dc writes both down.
        """
        program = program_of(Point(net, x, y, None))
        changes = dict(self.edits(program.listing))
        line = next(line for line in program.lines if line.target == "dc")
        record = "; dh_all[t] = dh; dc_all[t] = dc"
        changes[line.index] = changes.get(line.index, line.text) + record
        every_step = (len(x), *program.values["dh"].shape)
        values = {name: np.zeros(every_step) for name in ("dh_all", "dc_all")}
        with np.errstate(all="ignore"):
            list(program.run(changes, into=values))
        return {"h": values["dh_all"], "c": values["dc_all"]}

    def reveal(self) -> object:
        """Return what was planted, and where."""
        return self.told


def program_of(
    point: Point,
    params: Params | None = None,
    put: tuple[int, np.ndarray] | None = None,
) -> Program:
    """Return the lines of `net` on this batch; what is drawn anew is drawn here."""
    net, x, y, masks = point
    chain = net.chain(masks, net.prepare(x, y)[0].shape[-2])
    drawn = [layer.mask[..., 0].T for layer in chain if isinstance(layer, Mask)]
    if params is not None:
        params = net.check_params(params)
        net = copy.copy(net)
        net.params = params
    with np.errstate(all="ignore"):
        return Program(Point(net, x, y, None if masks is None else drawn), put=put)


def put(net: Network, backward_pass: EditedPass) -> Network:
    """Return a network that shares the parameters of `net` and goes back another way."""
    other = copy.copy(net)
    other.backward_pass = backward_pass
    return other


def without_bugs(net: Network) -> Network:
    """Return `net` with gradlab's own backward pass, sharing its parameters.

    Whether a bug was planted in it or its class overrides `gradient`.
    """
    own = next(c for c in type(net).__mro__ if c.__module__.startswith("gradlab.nn"))
    other = object.__new__(own)
    other.__dict__.update(vars(net), backward_pass=None)
    return other
