"""A museum of bugs: backward passes that are wrong the way people write them.

    net = gl.bugs.plant(gl.mlp([2, 16, 16, 2]), "missing_activation_derivative", layer=2)
    gl.check(net, x, y).wrong

Each was seen in a public repository or a course's forum.
"""

from gradlab.bugs.drawing import mystery
from gradlab.bugs.exhibit import Exhibit
from gradlab.bugs.museum import Found, describe, layers, names, plant, wrong_tensors
from gradlab.bugs.slip import Secret, Slip
from gradlab.bugs.suspects import Suspect

__all__ = [
    "Exhibit",
    "Found",
    "Secret",
    "Slip",
    "Suspect",
    "describe",
    "layers",
    "mystery",
    "names",
    "plant",
    "wrong_tensors",
]
