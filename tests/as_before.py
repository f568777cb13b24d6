"""What is held as it was: texts and numbers beside those of a record.

Another processor's BLAS, or another numpy, moves the last digits of a number and no word. So words
are compared letter by letter, and the numbers in them by their size. A text that was cut to a
length ends in three dots, and earlier where a number before them has more digits: of its last word
nothing is compared.
"""

import math
import re

_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.])")
_CUT = re.compile(r"[\w.(]*\.\.\.")
NEAR = 1e-4  # of a number: float32 and six printed digits differ by less


def same(now, held):
    """Tell whether two values of JSON are the same but for the last digits of their numbers."""
    if isinstance(held, dict):
        return (
            isinstance(now, dict)
            and now.keys() == held.keys()
            and all(same(now[key], value) for key, value in held.items())
        )
    if isinstance(held, (list, tuple)):
        return isinstance(now, (list, tuple)) and _all_same(now, held)
    if isinstance(held, str):
        return isinstance(now, str) and _same_text(now, held)
    if isinstance(held, float) and not isinstance(now, bool):
        return isinstance(now, (int, float)) and _near(now, held)
    return type(now) is type(held) and now == held


def _all_same(now, held):
    return len(now) == len(held) and all(map(same, now, held))


def _same_text(now, held):
    if now == held:
        return True
    now, held = (_CUT.sub("...", text) for text in (now, held))
    numbers = [_NUMBER.findall(text) for text in (now, held)]
    words = [_NUMBER.split(text) for text in (now, held)]
    return words[0] == words[1] and all(map(_near, *([float(x) for x in row] for row in numbers)))


def _near(now, held):
    return math.isclose(now, held, rel_tol=NEAR, abs_tol=1e-12) or (now != now and held != held)
