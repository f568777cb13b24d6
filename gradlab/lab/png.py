"""A PNG encoder for live frames: no filter, the fastest compression that is one."""

from __future__ import annotations

import struct
import zlib

import numpy as np

__all__ = ["encode_png"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TRUE_COLOUR = 2


def encode_png(rgba: np.ndarray, level: int = 1) -> bytes:
    """Encode an opaque picture; alpha is dropped.

    On plots, filter 0 with zlib level 1 makes files as small as Pillow's fastest setting does, two
    to three times sooner.

    Parameters
    ----------
    rgba : ndarray of uint8, shape (H, W, 4)
    level : int
        zlib's level, 1 (fast) to 9 (small).

    Returns
    -------
    bytes
        A complete PNG file, 8 bits a channel, RGB.

    References
    ----------
    W3C, "Portable Network Graphics (PNG) Specification (Second Edition)", section 11.
    """
    height, width = rgba.shape[:2]
    rows = np.zeros((height, 1 + 3 * width), np.uint8)  # each row starts with its filter, 0
    pixels = rows[:, 1:].reshape(height, width, 3)
    for channel in range(3):  # one channel at a time: four times faster than one 3-D copy
        pixels[:, :, channel] = rgba[:, :, channel]
    header = struct.pack(">IIBBBBB", width, height, 8, _TRUE_COLOUR, 0, 0, 0)
    return (
        _SIGNATURE
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(rows, level))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
