"""The comparison with a record: words to the letter, numbers by their size."""

import pytest

from tests.as_before import same


@pytest.mark.parametrize(
    ("now", "held"),
    [
        ("W1 is off by 0.285", "W1 is off by 0.285001"),
        ({"b": 1.0, "a": [1e-7, "3"]}, {"a": [1.00001e-7, "3"], "b": 1.0}),
        ((2, 0.5), [2, 0.50001]),
        ("nan of 3", "nan of 3"),
        (1, 1.0),
        (
            "('a', float64(7.99), 'factor', flo... (tuple)",
            "('a', float64(7.990001), 'factor', fl... (tuple)",
        ),
    ],
)
def test_the_last_digits_do_not_count(now, held):
    assert same(now, held)


@pytest.mark.parametrize(
    ("now", "held"),
    [
        ("W1 is off by 0.285", "W1 is off by 0.286"),
        ("W1 is off by 0.285", "W2 is off by 0.285"),
        ("off by 1", "off by 1, and 2"),
        ("a", "b"),
        ({"a": 1.0}, {"a": 1.0, "b": 2.0}),
        ({"a": 1.0}, {"a": 1.01}),
        ([1.0, 2.0], [1.0]),
        ([1.0], "1.0"),
        (True, 1.0),
        (3, 4),
        (None, 0.0),
        ("1", 1.0),
        ("(7.99, 'fac... (tuple)", "(7.98, 'fac... (tuple)"),
        ("(7.99, 'fac... (tuple)", "(7.99, 'fac... (list)"),
    ],
)
def test_all_else_does(now, held):
    assert not same(now, held)
    assert not same(held, now)
