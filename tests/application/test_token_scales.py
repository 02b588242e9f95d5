"""The offline estimate is corrected by what providers count."""

from shared.application.chat.prompting import TokenScales


def test_a_model_that_nobody_has_asked_is_taken_at_the_estimate() -> None:
    assert TokenScales().of("a:b") == 1.0


def test_the_first_count_is_believed_and_later_ones_move_it_by_a_tenth() -> None:
    scales = TokenScales()
    scales.learn("a:b", 1000, 800)
    assert scales.of("a:b") == 0.8
    scales.learn("a:b", 1000, 900)
    assert round(scales.of("a:b"), 4) == 0.81
    assert scales.of("c:d") == 1.0


def test_it_stays_within_bounds_and_counts_that_cannot_be_of_this_prompt_are_passed_over() -> None:
    scales = TokenScales()
    for counted in (None, 0, 10_000, 100):
        scales.learn("a:b", 1000, counted)
    assert scales.of("a:b") == 1.0
    scales.learn("a:b", 1000, 300)
    scales.learn("c:d", 1000, 2400)
    assert (scales.of("a:b"), scales.of("c:d")) == (0.5, 2.0)
