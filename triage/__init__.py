"""Multi-project bug triage: failing tests in, proven causes and a phased plan out."""

__version__ = "0.1.0"
