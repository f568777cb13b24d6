"""The lab for a class: what `gradlab demo` serves."""

from gradlab.lab.demo.demo import TEN_MINUTES, Demo

__all__ = ["TEN_MINUTES", "Demo"]
