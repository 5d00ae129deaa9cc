"""Link-local and cloud metadata addresses are refused where a connection would be made, however they are written."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from syncsource.errors import PermanentError
from syncsource.sources.rest.addresses import check_name, refused_address
from syncsource.sources.rest.urls import resolve
from tests.upstream import Reply, in_turn


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.0.1",
        "fe80::1",
        "fe80::1%eth0",
        "febf::1",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",
        "fd00:42::42",
        "168.63.129.16",
        "100.100.100.200",
        "192.0.0.192",
        "::ffff:169.254.169.254",
        "2002:a9fe:a9fe::1",
        "64:ff9b::a9fe:a9fe",
    ],
)
def test_what_is_refused(address: str) -> None:
    assert refused_address(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "fd00::1", "169.253.0.1", "fec0::1", "64:ff9b::a00:1"])
def test_what_is_allowed(address: str) -> None:
    assert not refused_address(address)


@pytest.mark.parametrize("host", ["169.254.169.254", "2852039166", "0xa9fea9fe", "169.254.43518"])
def test_each_form_is_refused_after_it_is_resolved(failure: Any, host: str) -> None:
    error, pages = failure(f"http://{host}/latest", retry={"attempts": 3})
    assert (type(error).__name__, error.reason, pages) == ("PermanentError", "AddressRefused", [])
    assert " is at 169.254.169.254, a link-local or cloud metadata address" in error.message


@pytest.mark.parametrize("host", ["[fe80::1]", "[::ffff:169.254.169.254]", "[fd00:ec2::254]"])
def test_forms_of_ipv6(failure: Any, host: str) -> None:
    assert failure(f"http://{host}/")[0].reason == "AddressRefused"


def test_a_name_is_still_reached_at_the_first_address_that_answers(serve: Any, read: Any) -> None:
    upstream = serve(in_turn(Reply([1])))  # listens on 127.0.0.1 alone, where localhost may be ::1 first
    assert read(upstream.url.replace("127.0.0.1", "localhost")) == [1]


@pytest.mark.parametrize("host", ["169.254.169.254", "169.254.169.254.", "0xa9fea9fe.", "::ffff:a9fe:a9fe", "Metadata.google.internal."])
def test_a_proxy_is_not_asked_for_what_is_refused(host: str) -> None:
    with pytest.raises(PermanentError) as caught:
        check_name(host)
    assert caught.value.reason == "AddressRefused"


@pytest.mark.parametrize("target", ["https://xn--a/", "//xn--a/", "//h.example@xn--a/", "//[fe80::1", "http://h.example:99999999/"])
def test_a_name_that_is_none_leads_nowhere(target: str) -> None:
    base = httpx.URL("https://h.example/a")
    assert resolve(base, target, base) is None
