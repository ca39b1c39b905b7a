"""Initial parameters and gradients of the golden vectors: the same bits here and in inputs.ts.

Floats are put together from integer draws (sign, exponent, 23 bits of mantissa), so that no pow, log or exp
of some library takes part. A draw is addressed by (stream, element): the generator is mulberry32 with its
state computed directly, which lets NumPy draw a whole step at once and TypeScript walk element by element.
"""

from functools import lru_cache

import numpy as np

ELEMENTS = 1000
STEPS = 120
LONG_STEPS = 2000
TENSOR_SIZES = (601, 399)  # neither is a multiple of a vector's width: bodies and tails both take part
SEED = 20260823
SPECIAL_ELEMENTS = 100
KINDS = ("ordinary", "constant", "huge", "long")

_ELEMENT = np.arange(ELEMENTS, dtype=np.uint32)
# Streams: 0 the parameters, 1 what is fixed for an element, then two for every step.
_PARAMETERS, _TRAITS, _FIRST_STEP = 0, 1, 2


def draw(stream: int) -> np.ndarray:
    """One uint32 per element: mulberry32's outputs number stream·ELEMENTS + element."""
    state = np.uint32(SEED) + (_ELEMENT + np.uint32(stream * ELEMENTS + 1)) * np.uint32(0x6D2B79F5)
    mixed = (state ^ (state >> np.uint32(15))) * (state | np.uint32(1))
    mixed = (mixed + (mixed ^ (mixed >> np.uint32(7))) * (mixed | np.uint32(61))) ^ mixed
    return mixed ^ (mixed >> np.uint32(14))


def _float(sign: np.ndarray, exponent: np.ndarray, mantissa: np.ndarray) -> np.ndarray:
    """The float32 (−1)^sign · 1.mantissa · 2^exponent."""
    biased = (exponent + 127).astype(np.uint32)
    bits = (sign.astype(np.uint32) << np.uint32(31)) | (biased << np.uint32(23)) | (mantissa & np.uint32(0x7FFFFF))
    return bits.view(np.float32)


def parameters() -> np.ndarray:
    """Both signs, magnitudes 2^-4 .. 2."""
    bits = draw(_PARAMETERS)
    exponent = (bits >> np.uint32(23)).astype(np.int32) % 256 % 5 - 4
    return _float(bits >> np.uint32(31), exponent, bits)


def steps_of(kind: str) -> int:
    return LONG_STEPS if kind == "long" else STEPS


@lru_cache(maxsize=None)
def gradients(kind: str) -> np.ndarray:
    """steps_of(kind) × ELEMENTS. Magnitudes belong to the element (2^-19 .. 2^12) and wander by two octaves either way.

    "ordinary": a tenth of all values is exactly zero; one element in eight keeps its sign; one in sixteen is zero
    from step 30 to 89, one in sixteen until step 40, one in a hundred always.
    "constant": the same, but the first SPECIAL_ELEMENTS elements have one large gradient that never changes, which
    makes their variance vanish: where centered frameworks cancel to a negative number and give NaN.
    "huge": as ordinary, but these elements' first gradient is 2^66 or more, whose square float32 can't hold.
    "long": as ordinary, and on: what rounding adds up to.
    """
    traits = draw(_TRAITS)
    magnitude = (traits >> np.uint32(8)).astype(np.int32) % 31 - 19
    rows = np.empty((steps_of(kind), ELEMENTS), np.float32)
    for step in range(len(rows)):
        bits, choice = draw(_FIRST_STEP + 2 * step), draw(_FIRST_STEP + 2 * step + 1)
        exponent = magnitude + (choice >> np.uint32(8)).astype(np.int32) % 5 - 2
        sign = np.where(_ELEMENT % 8 == 3, _ELEMENT >> np.uint32(3), bits >> np.uint32(31)) & np.uint32(1)
        zero = (choice & np.uint32(0xFF)) < 26
        zero |= (_ELEMENT % 16 == 5) & (30 <= step < 90)
        zero |= (_ELEMENT % 16 == 11) & (step < 40)
        zero |= _ELEMENT % 100 == 50
        rows[step] = np.where(zero, np.float32(0), _float(sign, exponent, bits))
    if kind == "constant":
        large = (traits >> np.uint32(8)).astype(np.int32) % 8 + 6
        fixed = _float(traits >> np.uint32(31), large, traits)
        rows[:, :SPECIAL_ELEMENTS] = fixed[:SPECIAL_ELEMENTS]
    if kind == "huge":
        exponent = (traits >> np.uint32(8)).astype(np.int32) % 4 + 66
        rows[0, :SPECIAL_ELEMENTS] = _float(traits >> np.uint32(31), exponent, traits)[:SPECIAL_ELEMENTS]
    return rows


def input_bytes(kind: str) -> bytes:
    """Everything a run is fed, little-endian: what the digests in the manifest are taken of."""
    return parameters().astype("<f4").tobytes() + gradients(kind).astype("<f4").tobytes()
