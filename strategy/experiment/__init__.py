"""Rollout, holdout and variants, and what the difference between them says."""

from strategy.experiment.assign import Assignment, assign, bucket
from strategy.experiment.effect import Arm, Effect, Exposure, compare, effect, wilson

__all__ = ["Arm", "Assignment", "Effect", "Exposure", "assign", "bucket", "compare", "effect", "wilson"]
