"""The live lab: widgets around a state that can be used, and tested, without a screen."""

from gradlab.lab.feedback import Feedback, Score
from gradlab.lab.line import read_line, settings_line
from gradlab.lab.mystery import Mystery
from gradlab.lab.ranges import RANGES
from gradlab.lab.scenarios import SCENARIOS, Scenario
from gradlab.lab.settings import Settings
from gradlab.lab.state import LabState
from gradlab.lab.view import Lab

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
