"""Made-up outcomes of a small run, for every test here."""

from made_up_fixtures import _complete, cost, empty_run, run, trial

__all__ = ["_complete", "cost", "empty_run", "run", "trial"]
