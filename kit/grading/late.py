"""Deadlines: how late a submission is, what that costs, which of several counts."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil

from ..environment import KitError

DAY = 86_400


@dataclass(frozen=True)
class Policy:
    due: float | None = None  # seconds, UTC
    penalty: float = 0.0  # percent off for each begun day
    keep: str = "latest"  # "latest", "best" or "first"

    def __post_init__(self):
        if not 0 <= self.penalty <= 100:
            raise KitError(
                f"--late-penalty {self.penalty:g}: expected 0 to 100 percent."
            )

    def days(self, found):
        """Begun days after the deadline; 1 where only the platform says late."""
        if self.due is not None and found.when > self.due:
            return ceil((found.when - self.due) / DAY)
        return int(found.late)

    def percent(self, found):
        return min(100.0, self.penalty * self.days(found))

    def candidates(self, attempts):
        """Which of one student's attempts at a lab are graded, in order of time.

        Of the latest: the last in time, or the last of all where each is late.
        """
        if self.keep == "best":
            return attempts
        if self.keep == "first":
            return attempts[:1]
        in_time = [a for a in attempts if not self.days(a)]
        return (in_time or attempts)[-1:]


def deadline(text):
    """Seconds, UTC, of "2026-03-01" (the end of that day) or "2026-03-01T18:00+01:00".

    A time without a zone is UTC.
    """
    if text is None:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise KitError(
            f"--due {text}: expected a date, such as 2026-03-01, or a date and time, "
            "such as 2026-03-01T18:00."
        ) from None
    if len(text) <= 10:
        when += timedelta(days=1, seconds=-1)
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
