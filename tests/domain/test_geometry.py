"""Where the marks of charts stand: inside the picture, at the right place, in an order that tells nothing."""

import pytest

from review.domain import geometry
from review.domain.vocabulary import Grade


def test_a_share_is_kept_inside_its_scale() -> None:
    assert geometry.share(70, 40, 104) == 46.88
    assert geometry.share("200", 0, 100) == 100
    assert geometry.share(-5, 0, 100) == 0


def test_the_radars_first_criterion_points_up_and_full_marks_reach_the_outer_ring() -> None:
    plan = geometry.radar(list("ABCDE"), {"supervisor": [100, 80, 60, 40, 20]})
    cx, cy = plan.centre
    assert plan.shapes[0].marks[0] == (cx, cy - geometry.RADAR_REACH) == plan.rings[-1][0]
    assert plan.shapes[0].marks[4] == (cx, cy)  # 20 points are the centre
    assert [spoke.anchor for spoke in plan.spokes] == ["middle", "start", "start", "end", "end"]


def test_a_radar_needs_three_criteria() -> None:
    with pytest.raises(ValueError, match="three"):
        geometry.radar(["A", "B"], {})


def test_a_partly_asked_source_is_open_and_its_line_runs_over_the_top() -> None:
    shape = geometry.radar(list("ABCDE"), {"peers": [80, None, None, 60, 70]}).shapes[0]
    assert not shape.is_closed
    assert [len(run) for run in shape.runs] == [3]  # the fourth, the fifth and the first are neighbours
    assert len(shape.marks) == 3


def test_a_lone_answer_has_a_mark_and_no_line() -> None:
    shape = geometry.radar(list("ABC"), {"customers": [None, 60, None]}).shapes[0]
    assert (shape.runs, len(shape.marks)) == ((), 1)


def test_a_wide_label_makes_the_radar_wider_and_breaks_at_spaces() -> None:
    assert geometry.label_lines("Interpersonal coordination") == ("Interpersonal", "coordination")
    assert geometry.label_lines("人际关系协调") == ("人际关系协调",)
    assert geometry.label_lines("特别特别特别长的要素名") == ("特别特别特别长的", "要素名")
    narrow = geometry.radar(list("ABC"), {})
    assert geometry.radar(["Interpersonal coordination", "B", "C"], {}).width > narrow.width


def test_a_trend_runs_left_to_right_with_a_hole_where_a_score_is_missing() -> None:
    plan = geometry.trend([("a", 70), ("b", None), ("c", 80), ("d", "90.5")], [(90, "high"), (50, "low")])
    assert [stop.x for stop in plan.stops] == sorted(stop.x for stop in plan.stops)
    assert len(plan.lines) == 1
    assert plan.stops[1].y is None
    assert plan.stops[3].y < plan.stops[0].y  # more is higher
    assert [cut for cut, _, _ in plan.cuts] == [90, 50]


@pytest.mark.parametrize("points", [[], [("a", None)], [("a", 80)], [("a", 80), ("b", 80)]])
def test_a_trend_of_nothing_or_of_equals_still_has_a_scale(points: list[tuple[str, int | None]]) -> None:
    plan = geometry.trend(points)
    assert len(plan.stops) == len(points)
    assert all(stop.y is None or 0 <= stop.y <= plan.height for stop in plan.stops)


@pytest.mark.parametrize(
    ("own", "others", "points", "kind"),
    [
        (100, "80", 20, "blind"),
        (100, "80.01", 19, ""),
        (60, 80, -20, "hidden"),
        (60, "79.99", -19, ""),
        (80, 80, 0, ""),
        ("96.3", "76.3", 20, "blind"),
    ],
)
def test_twenty_points_and_not_less_make_a_gap_worth_naming(own: str, others: str, points: int, kind: str) -> None:
    gap = geometry.gap(own, others)
    assert (gap.points, gap.kind) == (points, kind)


def test_a_rate_meets_its_goal_exactly_or_not() -> None:
    assert geometry.rate(70, 60, 80, 70).meets_goal
    assert not geometry.rate(69.9, 60, 80, 70).meets_goal
    assert geometry.rate(10, 5, 15).goal_x is None


def test_parts_of_a_stack_follow_each_other_and_an_empty_one_has_no_width() -> None:
    assert geometry.stack([1, 0, 3]) == ((0.0, 25.0), (25.0, 0.0), (25.0, 75.0))
    assert geometry.stack([0, 0]) == ((0.0, 0.0), (0.0, 0.0))


def test_dots_come_by_score_whatever_order_they_went_in() -> None:
    scores = [93, "56.2", 80, 80.1, 70.5, 40]
    assert geometry.strip(scores, [50, 70, 90], 1) == geometry.strip(list(reversed(scores)), [50, 70, 90], 1)


def test_equal_dots_do_not_cover_each_other_and_lie_in_their_grade() -> None:
    plan = geometry.strip([80, 80, 80, 49.99, 50, 90], [50, 70, 90])
    assert len({(dot.x, dot.y) for dot in plan.dots}) == 6
    assert [dot.grade for dot in plan.dots] == [
        Grade.POOR,
        Grade.FAIR,
        Grade.GOOD,
        Grade.GOOD,
        Grade.GOOD,
        Grade.EXCELLENT,
    ]


def test_only_dots_within_one_standard_error_of_a_cut_are_marked() -> None:
    plan = geometry.strip([68.7, 68.8, 71.1, 71.2], [50, 70, 90], 1.2)
    assert [dot.is_near_cut for dot in plan.dots] == [False, False, True, False]
