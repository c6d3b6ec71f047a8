"""The benchmark's own measure: what counts as rightly grouped, and lines that vary as a running system's do."""

from benchmarks.analysis.log_mining import grouping_accuracy, varied


def test_a_line_counts_when_its_group_is_exactly_its_label_s() -> None:
    assert grouping_accuracy("aabb", [1, 1, 2, 2]) == 1.0
    assert grouping_accuracy("aabb", [1, 1, 1, 1]) == 0.0
    assert grouping_accuracy("aabb", [1, 1, 2, 3]) == 0.5


def test_repeated_lines_get_new_numbers_and_ids_of_the_same_length() -> None:
    first, second = varied(["took 1234 ms, trace a1b2c3d4e5f6, step 7"], 2)
    assert first != second
    assert len(first) == len(second)
    assert first.startswith("took ") and first.endswith("step 7")
