"""Labels of points do not collide, whatever the points are."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from harness.reporting.label_places import Box, Label, place_labels

AREA = Box(0, 0, 200, 100)

labels = st.lists(
    st.builds(
        Label,
        x=st.floats(0, 200),
        y=st.floats(0, 100),
        width=st.floats(4, 30),
        height=st.just(8.0),
        first=st.booleans(),
    ),
    max_size=40,
)


def mark(label: Label) -> Box:
    return Box(label.x - 2, label.y - 2, label.x + 2, label.y + 2)


@given(labels)
def test_no_label_lies_on_another_on_a_mark_or_outside(labels: list[Label]) -> None:
    marks = [mark(label) for label in labels]
    places = place_labels(labels, marks, AREA)
    boxes = [place.box for place in places if place]
    assert len(places) == len(labels)
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert not any(box.overlaps(other) for box in boxes for other in marks)
    assert all(box.within(AREA) for box in boxes)


def test_a_label_alone_lies_beside_its_point() -> None:
    (place,) = place_labels([Label(50, 50, 10, 8)], [Box(48, 48, 52, 52)], AREA)
    assert place is not None
    assert not place.far
    assert place.box.middle == (57, 56)


def test_what_must_not_be_overlooked_is_placed_first() -> None:
    crowd = [Label(100, 50, 30, 30) for _ in range(20)]
    places = place_labels([*crowd, Label(100, 50, 10, 8, first=True)], [], AREA)
    assert None in places[:-1]
    assert places[-1] is not None
    assert not places[-1].far
