"""From a wrong gradient to its probable cause, and what a check could not have seen."""

from gradlab.checking.diagnosis.blind_spots import blind_spots
from gradlab.checking.diagnosis.causes import Diagnosis, diagnose, diagnose_black_box
from gradlab.checking.diagnosis.facts import Facts

__all__ = ["Diagnosis", "Facts", "blind_spots", "diagnose", "diagnose_black_box"]
