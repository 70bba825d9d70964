"""Time for one task: it passes only while something sleeps."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Stopwatch:
    """A monotonic clock and a sleep that advances it; `slept` holds every sleep, in seconds."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Advance the clock without waiting."""
        self.slept.append(seconds)
        self.now += seconds
