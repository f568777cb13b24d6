"""A PNG encoder for live frames: no filter, and the fastest compression that is one."""

from __future__ import annotations

import struct
import zlib

import numpy as np

from gradlab.lab.board.colour_table import ColourTable

__all__ = ["encode_png"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TRUE_COLOUR, _INDEXED = 2, 3


def encode_png(rgba: np.ndarray, table: ColourTable | None = None, level: int = 1) -> bytes:
    """Encode an opaque picture; alpha is dropped.

    On plots, filter 0 with zlib level 1 makes files as small as Pillow's fastest setting does, two
    to three times sooner.

    Parameters
    ----------
    rgba : ndarray of uint8, shape (H, W, 4)
    table : ColourTable or None, optional
        Use its 256 colours only: half of the time and of the bytes.
    level : int, optional
        zlib's level, 1 (fast) to 9 (small).

    Returns
    -------
    bytes
        A complete PNG file.

    References
    ----------
    W3C, "Portable Network Graphics (PNG) Specification (Second Edition)", section 11.
    """
    height, width = rgba.shape[:2]
    if table is None:
        kind, depth, colours = _TRUE_COLOUR, 3, b""
    else:
        kind, depth, colours = _INDEXED, 1, _chunk(b"PLTE", table.colours.tobytes())
    rows = np.zeros((height, 1 + depth * width), np.uint8)  # each row starts with its filter, 0
    if table is None:
        pixels = rows[:, 1:].reshape(height, width, 3)
        for channel in range(3):  # one channel at a time: four times faster than one 3-D copy
            pixels[:, :, channel] = rgba[:, :, channel]
    else:
        rows[:, 1:] = table.indices(rgba)
    return (
        _SIGNATURE
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0))
        + colours
        + _chunk(b"IDAT", zlib.compress(rows, level))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
