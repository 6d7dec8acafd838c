from __future__ import annotations

import pytest

from onward.kernels.threads import for_each_part, usable_cores


@pytest.mark.parametrize("n_items", [0, 1, 2, 7, 100])
@pytest.mark.parametrize("n_threads", [0, 1, 2, 3, 16])
def test_every_item_is_worked_on_once(n_items, n_threads):
    seen: list[int] = []
    for_each_part(lambda first, last: seen.extend(range(first, last)), n_items, n_threads)
    assert sorted(seen) == list(range(n_items))


def test_an_error_in_a_part_comes_out():
    def work(first, _last):
        if first:
            raise RuntimeError("part")

    with pytest.raises(RuntimeError, match="part"):
        for_each_part(work, 10, 2)
    assert usable_cores() >= 1
