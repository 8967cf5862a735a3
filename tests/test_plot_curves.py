from __future__ import annotations

from birnn_course import plot_curves


def test_curves_are_a_picture_with_a_text() -> None:
    curves = {"one": ([0.0, 0.5, 1.0], [1.0, 0.4, 0.1]), "two": ([0.0, 1.0], [0.3, 0.2])}
    options = {"alt": "One falls below two.", "xlabel": "x", "ylabel": "y"}
    picture = plot_curves(curves, limits={"limit": 0.5}, **options)  # type: ignore[arg-type]
    again = plot_curves(curves, limits={"limit": 0.5}, **options)  # type: ignore[arg-type]
    data = picture._repr_mimebundle_()
    assert data["text/plain"] == "[One falls below two.]"
    assert 'alt="One falls below two."' in data["text/html"]
    assert picture.png == again.png and picture.png != plot_curves(curves, **options).png
