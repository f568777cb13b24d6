"""The thing that is checked: networks, their losses, data and training."""

from gradlab.nn.activations import ACTIVATIONS
from gradlab.nn.convnet import ConvNet, convnet
from gradlab.nn.losses import LOSSES
from gradlab.nn.lstm import LSTMNet, lstm
from gradlab.nn.mlp import MLP, mlp
from gradlab.nn.network import Network

__all__ = [
    "ACTIVATIONS",
    "LOSSES",
    "MLP",
    "ConvNet",
    "LSTMNet",
    "Network",
    "convnet",
    "lstm",
    "mlp",
]
