"""An agent's playbook and questions, as JSON, and what is wrong with them."""

from campaigns.scripts.checks import Problem, problems_of
from campaigns.scripts.shapes import questions_of, steps_of

__all__ = ["Problem", "problems_of", "questions_of", "steps_of"]
