"""What a run is given."""

from __future__ import annotations

from typing import Any

import pytest

from syncsource.controller.core.observed import Ref
from syncsource.controller.core.requests import Requests
from syncsource.controller.core.source import Run
from syncsource.controller.kube.failures import Away, Gone, Rejected
from syncsource.controller.preparing import prepare
from syncsource.engine.plan import RunPlan
from syncsource.errors import RetryableError, StalledError
from tests.unit.controller.world import spec

REF = Ref(namespace="rental", name="bookings", uid="u")
RUN = Run(id="r1", trigger="Request", generation=3, digest="d", full=True, requests=Requests())
AUTH = {"http": {"baseURL": "http://upstream.example", "auth": {"basic": {"secretRef": {"name": "api"}}}}}
SECRETS = {"db": {"url": "sqlite://", "more": "x"}, "api": {"username": "ana", "password": "s3cret"}}


async def prepared(secrets: dict[str, Any], asked: list[str] | None = None, **changes: Any) -> RunPlan:
    async def read(namespace: str, name: str) -> dict[str, str]:
        assert namespace == "rental"
        if asked is not None:
            asked.append(name)
        found = secrets.get(name, Gone("404"))
        if isinstance(found, Exception):
            raise found
        return dict(found)

    return await prepare(REF, RUN, spec(**changes), cluster="cluster-uid", read=read)


async def test_a_plan_has_all_that_the_run_needs_and_only_the_secrets_that_are_named() -> None:
    asked: list[str] = []
    plan = await prepared({**SECRETS, "other": {"a": "b"}}, asked, source=AUTH)
    assert (plan.run, plan.trigger, plan.generation, plan.full) == ("r1", "Request", 3, True)
    assert plan.identity == "cluster-uid/rental/bookings"
    assert plan.secrets == SECRETS
    assert plan.spec == spec(source=AUTH)
    assert asked == ["api", "db"]
    assert "s3cret" not in repr(plan)


@pytest.mark.parametrize(
    ("secrets", "message"),
    [
        ({"api": SECRETS["api"]}, "Secret db, which spec.destination.sql.urlFrom names, is not in namespace rental: create it"),
        ({**SECRETS, "db": {"URL": "x"}}, "Secret db has no key url, which spec.destination.sql.urlFrom needs: add it"),
        ({**SECRETS, "api": {}}, "Secret api has no key password and username, which spec.source.http.auth needs: add it"),
    ],
)
async def test_what_is_missing_is_named(secrets: dict[str, Any], message: str) -> None:
    with pytest.raises(StalledError) as caught:
        await prepared(secrets, source=AUTH)
    assert (caught.value.reason, caught.value.message) == ("SecretNotFound", message)


async def test_a_secret_that_may_not_be_read_is_tried_again() -> None:
    with pytest.raises(RetryableError) as caught:
        await prepared({**SECRETS, "db": Rejected("403 Forbidden", 403)})
    assert caught.value.reason == "SecretUnreadable"


async def test_an_api_server_that_is_away_is_no_fault_of_the_source() -> None:
    with pytest.raises(Away):
        await prepared({"db": Away("refused")})
