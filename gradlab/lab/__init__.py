"""The live lab: widgets around a state that can be used, and tested, without a screen."""

from gradlab.lab.settings import RANGES, Settings
from gradlab.lab.state import LabState
from gradlab.lab.view import Lab

__all__ = ["RANGES", "Lab", "LabState", "Settings"]
