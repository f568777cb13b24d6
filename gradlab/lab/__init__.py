"""The live lab: widgets around a state that can be used, and tested, without a screen."""

from gradlab.lab.lab import Lab
from gradlab.lab.model.line import read_line, settings_line
from gradlab.lab.model.scenarios import SCENARIOS, Scenario
from gradlab.lab.model.settings import RANGES, Settings
from gradlab.lab.mystery.feedback import Feedback, Score
from gradlab.lab.mystery.mystery import Mystery
from gradlab.lab.state import LabState

__all__ = [
    "RANGES",
    "SCENARIOS",
    "Feedback",
    "Lab",
    "LabState",
    "Mystery",
    "Scenario",
    "Score",
    "Settings",
    "read_line",
    "settings_line",
]
