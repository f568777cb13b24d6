"""Gradient checking you can see."""

from gradlab import nn
from gradlab.checking.numerical import numerical_gradient
from gradlab.nn import data
from gradlab.nn.mlp import mlp
from gradlab.nn.training import train

__all__ = ["data", "mlp", "nn", "numerical_gradient", "train"]
