"""Kinds of binary files by their first bytes, so that an error can name what was given in place of a spec."""

from __future__ import annotations

import re

_SIGNATURES = (
    (0, b"PK\x03\x04", "a zip archive, as .pt files of PyTorch and .keras files are"),
    (0, b"\x80\x02", "a Python pickle, as older .pt and .pth files are"),
    (0, b"\x89HDF\r\n", "an HDF5 file, as .h5 files of Keras are"),
    (1, b"\x00\x00\x00TFL3", "a TensorFlow Lite model"),
    (4, b'\x00\x00\x00\x00{"', "a safetensors file"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"%PDF", "a PDF file"),
    (0, b"\x89PNG", "a picture"),
)
ONNX_MODEL = "an ONNX model"
_ONNX = re.compile(rb"\x08[\x01-\x20][\x12\x1a\x22\x2a\x32\x3a\x42]")  # field 1, the version; then another field


def binary_kind(data: bytes) -> str:
    """What kind of binary file begins with ``data``; empty for anything else.

    The first bytes of a zip archive, a pickle and so on are those of their formats; an ONNX model is a protocol buffer
    whose first field is its version.
    """
    if _ONNX.match(data):
        return ONNX_MODEL
    for at, magic, kind in _SIGNATURES:
        if data.startswith(magic, at):
            return kind
    return ""
