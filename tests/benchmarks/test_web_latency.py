"""Figures of the browser's benchmark, checked by hand, and the part of a page that it writes."""

from __future__ import annotations

import pytest

from benchmarks import section
from benchmarks.web import figures
from benchmarks.web.figures import Times
from benchmarks.web.rivals import download


def test_a_ratio_is_taken_within_each_round_so_that_a_slow_round_does_not_move_it() -> None:
    assert figures.ratio([2.0, 20.0, 3.0], [1.0, 10.0, 1.0]) == 2.0
    with pytest.raises(ValueError, match="longer"):
        figures.ratio([1.0], [1.0, 1.0])


def test_a_table_has_medians_in_milliseconds_and_ratios_to_its_first_line() -> None:
    found = {
        "one": Times(3.21, 1.2, [0.3, 0.1, 0.2], [0.05], [0.004], [0.010, 0.020, 0.500]),
        "two": Times(9.0, 4.0, [0.4], [0.2], [0.008], [0.005, 0.010, 0.100]),
    }
    lines = figures.table(found).splitlines()
    assert lines[2] == "| one | 3.21 | 1.20 | 200 | 50 | 4.0 | 20.00 | 1.00 |"
    assert lines[3] == "| two | 9.00 | 4.00 | 400 | 200 | 8.0 | 10.00 | 0.50 |"
    assert len({line.count("|") for line in lines}) == 1


def test_every_round_asks_all_and_no_rival_is_always_the_first() -> None:
    rounds = figures.turns(5, 5)
    assert all(sorted(order) == [0, 1, 2, 3, 4] for order in rounds)
    assert len({order[0] for order in rounds}) > 1


def test_what_a_first_visit_downloads_is_read_from_the_builds_own_note() -> None:
    note = "a first visit downloads 15.97 MB in 31 files, 4.18 MB where the host sends brotli"
    assert download(["another note", note]) == (15.97, 4.18)
    assert download(["a first visit downloads 0.50 MB in 3 files"]) == (0.5, 0.5)
    with pytest.raises(ValueError, match="no note"):
        download(["a .tflite has fixed sizes"])


def test_a_section_replaces_the_one_of_its_heading_and_no_other() -> None:
    page = "# Page\n\n## One\n\nold\n\n### part\n\nof one\n\n## Two\n\nstays\n"
    assert section.replaced(page, "One", "new\n") == (
        "# Page\n\n## One\n\nnew\n\n## Two\n\nstays\n"
    )
    assert section.replaced(page, "Two", "new") == page.replace("stays", "new")


def test_a_section_that_the_page_lacks_is_put_at_its_end_and_writing_twice_is_writing_once() -> (
    None
):
    page = "# Page\n\n## One\n\nold\n"
    once = section.replaced(page, "Two", "new")
    assert once == "# Page\n\n## One\n\nold\n\n## Two\n\nnew\n"
    assert section.replaced(once, "Two", "new") == once
