"""tsfresh's calculators on many windows at once: arrays in, arrays out."""

from onward.kernels.tsfresh.chunk import Chunk
from onward.kernels.tsfresh.family import Calculator, Family, Request
from onward.kernels.tsfresh.registry import FAMILIES, family_of, writers

__all__ = ["FAMILIES", "Calculator", "Chunk", "Family", "Request", "family_of", "writers"]
