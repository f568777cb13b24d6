"""What the museum tells about a bug."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape


@dataclass(frozen=True, repr=False)
class Exhibit:
    """One bug of the museum, in words.

    The lines of code are those that people write, for rows as examples: x (N, D), z = a @ W + b,
    p the softmax's probabilities, y one-hot.

    Attributes
    ----------
    name : str
        What `plant` takes.
    number : int
        Its number in the list of bugs that the museum was built from.
    summary : str
        One line: what was done.
    wrong, right : str
        A line of code with the bug, and without it.
    shows : str
        What a check shows. The figures are norm ratios of wrong tensors, the range over 5 seeds,
        tanh networks of sizes 5-6-6-3 with N = 8, every layer, unless it says otherwise.
    blind : str
        When a check does not see it; empty if there is no such place. What a report says there is
        in `gradlab.bugs.hiding`.
    cause : str
        The sentence of a diagnosis, without the place.
    """

    name: str
    number: int
    summary: str
    wrong: str
    right: str
    shows: str
    blind: str
    cause: str

    def __repr__(self) -> str:
        width = max(len(self.wrong), len(self.right), 5)
        lines = [
            f"{self.name} (number {self.number}): {self.summary}",
            f"  {'wrong':{width}}  |  right",
            f"  {self.wrong:{width}}  |  {self.right}",
            f"  shows: {self.shows}",
        ]
        return "\n".join(lines + [f"  blind: {self.blind}"] * bool(self.blind))

    def _repr_html_(self) -> str:
        blind = f"<p>Blind: {escape(self.blind)}</p>" if self.blind else ""
        return (
            f"<p><b>{escape(self.name)}</b> (number {self.number}): {escape(self.summary)}</p>"
            f"<table><thead><tr><th>wrong</th><th>right</th></tr></thead><tbody><tr>"
            f"<td><code>{escape(self.wrong)}</code></td><td><code>{escape(self.right)}</code></td>"
            f"</tr></tbody></table><p>Shows: {escape(self.shows)}</p>{blind}"
        )
