"""What is kept in memory, and for how long."""

from __future__ import annotations

import logging
import threading

import pytest

from k8srt import errors
from k8srt.apimachinery.meta import Status
from k8srt.apimachinery.schema import GroupVersion
from k8srt.discovery import DiscoveryClient, MemCacheClient
from k8srt.discovery.memory import may_pass
from k8srt.testing.apiserver.messages import Request, Response
from tests.conftest import Pool
from tests.unit.discovery.answers import Answers, aggregated, at_once, failure, plain, resource_list, told_group


def over(server: Answers) -> MemCacheClient:
    return MemCacheClient(DiscoveryClient(server.config()))


def test_cli_25_filled_at_the_first_use_and_fresh_until_invalidated() -> None:
    server = at_once()
    cache = over(server)
    assert (cache.fresh(), server.asked) == (False, [])

    cache.server_groups()
    cache.server_groups_and_resources()
    cache.server_resources_for_group_version("apps/v1")

    assert server.asked == ["/api", "/apis"]
    assert cache.fresh()
    cache.invalidate()
    assert not cache.fresh()
    cache.server_groups()
    assert server.asked == ["/api", "/apis"] * 2


def test_cli_25_a_server_that_tells_one_by_one_is_asked_for_all_once() -> None:
    server = plain()
    cache = over(server)

    first = cache.server_groups_and_resources()
    again = cache.server_groups_and_resources()

    assert first == again
    assert len(server.asked) == 6
    assert next(each.name for each in cache.server_resources_for_group_version("v1").resources) == "pods"
    assert len(server.asked) == 6


def test_cli_25_an_error_that_may_pass_is_retried_at_the_next_use(caplog: pytest.LogCaptureFixture) -> None:
    server = plain(apis_apps_v1=failure(503, "later"))
    cache = over(server)
    with caplog.at_level(logging.WARNING):
        cache.server_groups()
    assert "couldn't get resource list for apps/v1: later" in caplog.text

    with pytest.raises(errors.ServiceUnavailable):
        cache.server_resources_for_group_version("apps/v1")
    server.paths["/apis/apps/v1"] = plain().paths["/apis/apps/v1"]

    assert cache.server_resources_for_group_version("apps/v1").resources
    assert server.asked.count("/apis/apps/v1") == 3
    cache.server_resources_for_group_version("apps/v1")
    assert server.asked.count("/apis/apps/v1") == 3


def test_cli_25_all_together_retry_what_may_have_passed() -> None:
    server = plain(apis_apps_v1=failure(503, "later"))
    cache = over(server)
    with pytest.raises(errors.GroupDiscoveryFailed):
        cache.server_groups_and_resources()
    server.paths["/apis/apps/v1"] = plain().paths["/apis/apps/v1"]

    found = cache.server_groups_and_resources()

    assert [each.group_version for each in found.resources] == ["v1", "apps/v1", "batch/v1beta1", "batch/v1"]
    assert server.asked.count("/api/v1") == 1


def test_cli_25_any_other_error_is_kept() -> None:
    server = plain(apis_apps_v1=failure(403, "forbidden"))
    cache = over(server)

    for _ in range(3):
        with pytest.raises(errors.Forbidden):
            cache.server_resources_for_group_version("apps/v1")

    assert server.asked.count("/apis/apps/v1") == 1


def test_cli_25_an_empty_list_is_an_error() -> None:
    cache = over(plain(apis_apps_v1=resource_list("apps/v1")))

    with pytest.raises(errors.EmptyGroupVersion, match="received empty response for: apps/v1"):
        cache.server_resources_for_group_version("apps/v1")
    with pytest.raises(errors.GroupDiscoveryFailed) as caught:
        cache.server_groups_and_resources()
    assert set(caught.value.groups) == {GroupVersion("apps", "v1")}


def test_cli_25_what_may_pass() -> None:
    passing = [
        errors.ConnectionRefused("no"),
        errors.TimeoutExpired("slow"),
        errors.Stopped("stop"),
        *(_status(code) for code in (429, 500, 503, 504)),
    ]
    staying = [_status(404), _status(403), errors.StaleGroupVersion("a/v1"), errors.DecodeError("what")]

    assert all(map(may_pass, passing))
    assert not any(map(may_pass, staying))


def _status(code: int) -> Exception:
    return errors.status_error(Status(code=code, status="Failure", message="no"))


def test_a_group_version_that_is_not_served() -> None:
    cache = over(at_once())

    with pytest.raises(errors.UnknownGroupVersion, match=r"the server does not serve nope\.io/v1"):
        cache.server_resources_for_group_version("nope.io/v1")
    with pytest.raises(ValueError, match="empty"):
        cache.server_resources_for_group_version("")


def test_stale_groups_stay_named() -> None:
    cache = over(at_once(told_group("metrics.k8s.io", v1beta1=None)))

    for _ in range(2):
        with pytest.raises(errors.GroupDiscoveryFailed, match="stale"):
            cache.server_groups_and_resources()
    with pytest.raises(errors.StaleGroupVersion):
        cache.server_resources_for_group_version("metrics.k8s.io/v1beta1")


def test_a_failure_as_a_whole_and_a_server_without_groups_are_not_kept() -> None:
    server = Answers({"/api": failure(500)})
    cache = over(server)

    with pytest.raises(errors.InternalError):
        cache.server_groups()
    server.paths = {"/api": aggregated(), "/apis": aggregated()}
    assert cache.server_groups() == []
    assert not cache.fresh()
    server.paths = at_once().paths
    assert len(cache.server_groups()) == 2


def test_of_several_threads_one_asks(pool: Pool) -> None:
    asked, may_answer = threading.Event(), threading.Event()

    def slowly(request: Request) -> Response:
        asked.set()
        assert may_answer.wait(5.0)
        return aggregated()

    server = at_once()
    server.paths["/apis"] = slowly
    cache = over(server)
    first = pool.submit(cache.server_groups)
    assert asked.wait(5.0)
    others = [pool.submit(cache.server_groups) for _ in range(3)]

    may_answer.set()

    assert len({len(future.result(5.0)) for future in [first, *others]}) == 1
    assert server.asked == ["/api", "/apis"]


def test_what_was_asked_before_an_invalidation_is_not_kept(pool: Pool) -> None:
    asked, may_answer = threading.Event(), threading.Event()

    def slowly(request: Request) -> Response:
        asked.set()
        assert may_answer.wait(5.0)
        return aggregated()

    server = at_once()
    server.paths["/apis"] = slowly
    cache = over(server)
    getting = pool.submit(cache.server_groups)
    assert asked.wait(5.0)

    cache.invalidate()
    may_answer.set()

    assert len(getting.result(5.0)) == 1
    assert not cache.fresh()


def test_the_openapi_index_is_kept_and_the_version_is_not() -> None:
    server = Answers({"/openapi/v3": {"paths": {}}, "/version": {"gitVersion": "v1.2.3"}, "/openapi/v2": {}})
    cache = over(server)

    assert cache.openapi_v3() is cache.openapi_v3()
    cache.invalidate()
    cache.openapi_v3()
    assert str(cache.server_version()) == "v1.2.3"
    assert cache.openapi_v2() == {}
    assert server.asked == ["/openapi/v3", "/openapi/v3", "/version", "/openapi/v2"]
