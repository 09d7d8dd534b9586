"""Holds what was measured and prints it as one table, with the aim beside each figure."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Figure:
    """One line of the table; `reached` is None where nothing was aimed at."""

    what: str
    value: str
    aim: str = ""
    reached: bool | None = None


def plain(what: str, value: str) -> Figure:
    return Figure(what, value)


def at_most(what: str, number: float, most: float, form: str = "{:.2f}") -> Figure:
    """A figure that should not be above `most`; `form` writes both, and it is judged as written."""
    written = form.format(number)
    return Figure(what, written, f"<= {form.format(most)}", float(written) <= most)


def middle(numbers: list[float]) -> str:
    """The median, and how far the single measurements lie apart."""
    return f"{seconds(median(numbers))} ({seconds(min(numbers))}..{seconds(max(numbers))})"


def seconds(number: float) -> str:
    return f"{number * 1000:.1f} ms" if number < 0.1 else f"{number:.2f} s"


def megabytes(size: float) -> str:
    return f"{size / 2**20:.1f} MB"


def print_table(sections: list[tuple[str, list[Figure]]]) -> None:
    """Every figure under the name of its part."""
    every = [figure for _, figures in sections for figure in figures]
    wide, value, aim = (
        max((len(text) for text in column), default=0)
        for column in zip(*((figure.what, figure.value, figure.aim) for figure in every), strict=True)
    )
    for name, figures in sections:
        print(f"\n{name}")
        for figure in figures:
            verdict = "" if figure.reached is None else "yes" if figure.reached else "NO"
            print(f"  {figure.what:{wide}}  {figure.value:>{value}}  {figure.aim:>{aim}}  {verdict}".rstrip())
