"""Files that are there whole, or as they were before."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield a path to write to, which takes the place of `target` at once at the end.

    A reader sees the old file or the new one. After an error the old one stays, and nothing else.
    """
    beside = target.with_name(f".gradlab-{secrets.token_hex(8)}.tmp")
    try:
        yield beside
        os.replace(beside, target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
