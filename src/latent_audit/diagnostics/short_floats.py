"""Floats of 16 bits that numpy alone has no type for: bfloat16, as ml_dtypes has it and as files give it back."""

import numpy as np

NAMES = ("bfloat16", "float8", "float6", "float4")


def is_bare_bfloat16(dtype: np.dtype) -> bool:
    """Whether these are two bytes without a type: what `numpy.load` makes of a bfloat16 array of ml_dtypes."""
    return dtype.kind == "V" and dtype.itemsize == 2 and dtype.names is None and dtype.subdtype is None


def is_short_float(dtype: np.dtype) -> bool:
    """Whether `widened` makes float32 of it."""
    return is_bare_bfloat16(dtype) or (dtype.kind == "V" and dtype.name.startswith(NAMES))


def widened(array: np.ndarray) -> np.ndarray:
    """bfloat16 (also as two bare bytes) and the shorter floats of ml_dtypes as float32; anything else as it is.

    A bfloat16 is the upper half of a float32.
    """
    if is_bare_bfloat16(array.dtype):
        upper = np.ascontiguousarray(array).view(np.uint16).astype(np.uint32)
        return (upper << np.uint32(16)).view(np.float32)
    return array.astype(np.float32) if is_short_float(array.dtype) else array
