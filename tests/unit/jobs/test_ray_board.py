"""Who does which fold: each once, from both ends, and again when whoever had it is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from onward.jobs.ray.board import LEAD, Board


def laid_out(count: int) -> Board:
    board = Board()
    board.lay_out(range(count))
    return board


def test_the_lead_begins_at_the_front_and_helpers_at_the_back() -> None:
    board = laid_out(4)
    assert board.take(0) == {"yours": True}
    assert board.next(1) == {"piece": 3}
    assert board.next(2) == {"piece": 2}
    assert board.take(1) == {"yours": True}
    assert board.next(1) == {"end": True}, "a helper waits for no piece of another's"
    assert "wait" in board.take(2)
    board.done(2, 2, "digest")
    assert board.take(2) == {"digest": "digest"}


def test_what_a_lost_helper_had_is_open_again() -> None:
    board = laid_out(3)
    board.next(1)
    assert board.lost(1) == [2]
    board.done(1, 2, "too late")
    assert board.take(2) == {"yours": True}


def test_what_was_handed_over_in_vain_is_done_by_the_lead() -> None:
    board = laid_out(2)
    board.next(1)
    board.done(1, 1, "digest")
    assert board.take(1, refused=True) == {"yours": True}


def test_all_take_part_in_an_errand_once_and_wait_for_the_next() -> None:
    board = Board()
    assert "wait" in board.next(1)
    board.ask_all(7, "search")
    assert [board.next(who) for who in (1, 2)] == [{"errand": "search", "number": 7}] * 2
    assert board.withdraw(7) == 2
    assert "wait" in board.next(1)
    board.lost(2)
    assert board.withdraw(7) == 0
    board.close()
    assert board.next(1) == {"end": True}
    assert board.room == 0


@given(st.integers(1, 9), st.lists(st.tuples(st.integers(1, 3), st.booleans()), max_size=40))
def test_no_fold_is_forgotten_and_none_is_in_two_hands(
    count: int, happenings: list[tuple[int, bool]]
) -> None:
    board = laid_out(count)
    held: dict[int, int] = {}
    done: set[int] = set()
    for who, dies in happenings:
        for piece in [piece for piece, holder in held.items() if holder == who]:
            del held[piece]
            if dies:
                assert board.lost(who) == [piece]
            else:
                board.done(who, piece, "digest")
                done.add(piece)
        told = board.next(who)
        if "piece" in told:
            assert told["piece"] not in held.keys() | done
            held[told["piece"]] = who
    for piece in range(count):
        if piece in held:
            assert "wait" in board.take(piece)
            board.lost(held[piece])
            held.pop(piece)
        told = board.take(piece)
        assert ("digest" in told) == (piece in done)
        assert told.get("yours", False) == (piece not in done)
    assert LEAD == 0
