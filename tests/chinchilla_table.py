"""Table A9 of Hoffmann et al. (2022): fifty models, as a search for terms sees them."""

from __future__ import annotations

from fractions import Fraction

from reconcile.search.terms import Box, Line

ROWS = """
44 512 64 8 8|57 576 64 9 9|74 640 64 10 10|90 640 64 10 13|106 640 64 10 16|117 768 64 12 12
140 768 64 12 15|163 768 64 12 18|175 896 64 14 14|196 896 64 14 16|217 896 64 14 18
251 1024 64 16 16|278 1024 64 16 18|306 1024 64 16 20|425 1280 128 10 18|489 1280 128 10 21
509 1408 128 11 18|552 1280 128 10 24|587 1408 128 11 21|632 1536 128 12 19|664 1408 128 11 24
724 1536 128 12 22|816 1536 128 12 25|893 1792 128 14 20|1018 1792 128 14 23|1143 1792 128 14 26
1266 2048 128 16 22|1424 2176 128 17 22|1429 2048 128 16 25|1593 2048 128 16 28
1609 2176 128 17 25|1731 2304 128 18 24|1794 2176 128 17 28|2007 2304 128 18 28
2283 2304 128 18 32|2298 2560 128 20 26|2639 2560 128 20 30|2980 2560 128 20 34
3530 2688 128 22 36|3802 2816 128 22 36|4084 2944 128 22 36|4516 3072 128 24 36
6796 3584 128 28 40|9293 4096 128 32 42|11452 4352 128 32 47|12295 4608 128 36 44
12569 4608 128 32 47|13735 4864 128 32 47|14940 4992 128 32 49|16183 5120 128 40 47
"""
"""Millions of parameters, d_model, kv_size, n_heads, n_layers; the feed-forward size is 4 d."""
TABLE = [
    tuple(map(int, row.split())) for line in ROWS.split("\n") for row in line.split("|") if row
]
TERMS = ("matrix", "width", "heads", "feed-forward", "vocabulary", "last")
"""d x kv·h, d, kv·h and the feed-forward size a layer; the vocabulary and d once."""
MILLION = 10**6


def lines(vocabulary: int = 32_000, terms: int = len(TERMS)) -> list[Line]:
    """What each row lacks from ordinary attention, to the printed million, and the terms' sizes."""
    made = []
    for printed, d, kv, heads, layers in TABLE:
        own = vocabulary * d + layers * (4 * d * kv * heads + 2 * d * 4 * d)
        sizes = (layers * d * kv * heads, layers * d, layers * kv * heads, layers * 4 * d)
        low = Fraction(printed * MILLION - MILLION // 2 - own)
        every = map(Fraction, (*sizes, vocabulary, d))
        made.append(Line((low, low + MILLION), tuple(every)[:terms]))
    return made


def box(most: int = 12, vocabulary: int = 32_000, *, bias: bool = True) -> Box:
    """The table with each term up to so many times; without ``bias`` that of V is there never."""
    made = Box.of(lines(vocabulary), (0,) * len(TERMS), (most,) * len(TERMS))
    return made if bias else made.fixed(TERMS.index("vocabulary"), 0)
