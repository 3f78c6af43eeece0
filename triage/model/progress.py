"""What a person sees while projects run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """`total` is None until the tests are collected; times in seconds."""

    project: str
    stage: str
    done: int = 0
    total: int | None = None
    failing: int = 0
    elapsed_s: float = 0.0

    @property
    def left_s(self) -> float | None:
        """An even-pace guess of the time that the rest of the tests takes."""
        if not self.total or not self.done or self.done >= self.total:
            return None
        return self.elapsed_s / self.done * (self.total - self.done)
