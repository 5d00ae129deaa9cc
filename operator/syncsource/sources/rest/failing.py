"""Failures that an upstream tells with a status of success: ``spec.source.http.failIf``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from syncsource.errors import PermanentError, RetryableError, outside_text
from syncsource.records.paths import finder
from syncsource.resource.http import FailRule
from syncsource.sources.rest import reasons
from syncsource.sources.rest.answers import Answer
from syncsource.sources.rest.decoding import look_up

Check = Callable[[Answer], None]


def failing(rules: Sequence[FailRule]) -> Check:
    """A function that raises where an answer fails by a rule: RetryableError or PermanentError (AnswerFailed)."""
    checks = [_check(rule, f"spec.source.http.failIf[{index}]") for index, rule in enumerate(rules)]

    def check(answer: Answer) -> None:
        for one in checks:
            one(answer)

    return check


def _check(rule: FailRule, field: str) -> Check:
    when = finder(rule.when)
    message = finder(rule.message) if rule.message else None
    kind = RetryableError if rule.retry else PermanentError

    def check(answer: Answer) -> None:
        found = look_up(when, answer, f"{field}.when")
        if found is None or found is False or (isinstance(found, str | list | dict) and not found):
            return
        said = look_up(message, answer, f"{field}.message") if message else None
        shown = f": {_shown(said, answer)}" if said else ""
        raise kind(
            f"{answer.call} answered {answer.status}, but {outside_text(rule.when, 100)} holds in its body ({field}){shown}",
            reason=reasons.ANSWER_FAILED,
        )

    return check


def _shown(said: Any, answer: Answer) -> str:
    return answer.call.redaction.text(said if isinstance(said, str) else str(said))
