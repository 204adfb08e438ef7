"""Functions that answer in the place of the server."""

from __future__ import annotations

import pytest

from k8srt import errors
from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import ConfigMap, ConfigMapList, Pod
from k8srt.apimachinery.meta import Status
from k8srt.testing import Action, FakeClientset, FakeWatcher, Handled, NotHandled, refusal
from tests.unit.testing.fake.things import CONFIG_MAPS, WIDGETS, config_map, pod

STATUS = Status(code=403, reason="Forbidden", message="not today")


def test_cli_29_the_first_that_handles_a_call_answers_it(fake: FakeClientset) -> None:
    asked: list[str] = []

    def reactor(name: str, answer: object) -> object:
        def react(action: Action) -> object:
            asked.append(name)
            return answer

        return react

    fake.prepend_reactor("get", "configmaps", reactor("third", config_map("a", from_="third")))  # type: ignore[arg-type]
    fake.prepend_reactor("get", "configmaps", reactor("second", config_map("a", from_="second")))  # type: ignore[arg-type]
    fake.prepend_reactor("get", "configmaps", reactor("says nothing", None))  # type: ignore[arg-type]
    fake.prepend_reactor("get", "configmaps", reactor("says so", NotHandled))  # type: ignore[arg-type]
    fake.prepend_reactor("list", "configmaps", reactor("of lists", Handled))  # type: ignore[arg-type]

    found = fake.core_v1.config_maps("default").get("a")

    assert found.data == {"from_": "second"}
    assert asked == ["says so", "says nothing", "second"]


def test_cli_29_what_no_reactor_handles_the_cluster_answers(fake: FakeClientset) -> None:
    seen: list[Action] = []
    fake.prepend_reactor("*", "*", seen.append)

    fake.core_v1.config_maps("default").create(config_map("a"))

    assert fake.core_v1.config_maps("default").get("a").metadata.name == "a"
    assert seen == fake.actions


def test_cli_29_reactors_that_were_added_are_asked_about_what_the_cluster_does_not_serve(fake: FakeClientset) -> None:
    fake.add_reactor("*", "*", lambda action: {"metadata": {"name": "from the reactor"}})
    fake.load(config_map("a"))

    widget = fake.dynamic.resource(WIDGETS, "default").get("w")

    assert widget.metadata.name == "from the reactor"
    assert fake.core_v1.config_maps("default").get("a").metadata.name == "a"


def test_cli_30_plain_pods_matches_pods_status(fake: FakeClientset) -> None:
    fake.load(pod("a"))
    seen: list[str] = []
    fake.prepend_reactor("*", "pods", lambda action: seen.append(f"pods: {action}"))
    fake.prepend_reactor("*", "pods/status", lambda action: seen.append(f"status: {action}"))

    fake.core_v1.pods("default").update_status(fake.core_v1.pods("default").get("a"))

    assert seen == [
        "pods: get pods default/a",
        "status: update pods/status default/a",
        "pods: update pods/status default/a",
    ]


def test_the_answer_may_be_an_object_a_list_or_plain_data(fake: FakeClientset) -> None:
    maps = fake.core_v1.config_maps("default")
    fake.prepend_reactor("get", "configmaps", lambda action: {"data": {"plain": action.name}})
    assert maps.get("x").data == {"plain": "x"}

    fake.prepend_reactor("list", "configmaps", lambda action: [config_map("a"), config_map("b")])
    listed = maps.list()
    assert isinstance(listed, ConfigMapList)
    assert [each.metadata.name for each in listed] == ["a", "b"]

    fake.prepend_reactor("list", "configmaps", lambda action: ConfigMapList([config_map("c")]))
    assert [each.metadata.name for each in maps.list()] == ["c"]


def test_the_answer_may_be_text() -> None:
    fake = FakeClientset(pod("web"))
    fake.prepend_reactor("get", "pods/log", lambda action: f"log of {action.parameters['container']}\n")

    assert fake.core_v1.pods("default").logs("web", container="main") == "log of main\n"


def test_an_answer_of_a_reactor_is_shown_to_metadata_clients_as_they_ask(fake: FakeClientset) -> None:
    fake.prepend_reactor("get", "configmaps", lambda action: config_map("a", x="1"))
    fake.prepend_reactor("list", "configmaps", lambda action: [config_map("a", x="1")])

    client = fake.metadata.resource(CONFIG_MAPS, "default")

    assert client.get("a").to_dict() == {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"name": "a", "namespace": "default"},
    }
    assert [each.metadata.name for each in client.list()] == ["a"]


def test_cli_35_handled_without_an_object(fake: FakeClientset) -> None:
    fake.prepend_reactor("*", "configmaps", lambda action: Handled)
    maps = fake.core_v1.config_maps("default")

    assert maps.create(config_map("a", x="1")).data == {"x": "1"}
    assert maps.update(config_map("a", x="2")).data == {"x": "2"}
    assert maps.get("a") == ConfigMap.from_dict({"metadata": {"name": "a", "namespace": "default"}})
    assert list(maps.list()) == []
    maps.delete("a")
    maps.delete_collection()
    assert list(fake.tracker.core_v1.config_maps("default").list(field_selector="metadata.name=a")) == []


def test_a_status_error_reaches_the_caller_as_a_server_would_send_it(fake: FakeClientset) -> None:
    def refuse(action: Action) -> None:
        raise errors.Forbidden(STATUS)

    fake.prepend_reactor("create", "configmaps", refuse)

    with pytest.raises(errors.Forbidden, match="not today") as caught:
        fake.core_v1.config_maps("default").create(config_map("a"))

    assert caught.value.code == 403
    assert caught.value.__notes__ == ["in answer to POST http://fake.invalid/api/v1/namespaces/default/configmaps"]


def test_errors_are_seen_at_once_and_never_retried(fake: FakeClientset) -> None:
    fake.fail("get", "pods", ConnectionResetError())
    with pytest.raises(errors.TransportError, match="reset"):
        fake.core_v1.pods("default").get("a")

    fake.fail("get", "pods", ConnectionRefusedError())
    with pytest.raises(errors.ConnectionRefused):
        fake.core_v1.pods("default").get("a")

    fake.fail("get", "pods", refusal(errors.TooManyRequests, "slow down"))
    with pytest.raises(errors.TooManyRequests, match="slow down"):
        fake.core_v1.pods("default").get("a")

    assert len(fake.actions) == 3


def test_whatever_else_a_reactor_raises_reaches_the_caller_as_it_is(fake: FakeClientset) -> None:
    fake.fail("get", "pods", AssertionError("nobody should ask"))

    with pytest.raises(AssertionError, match="nobody should ask"):
        fake.core_v1.pods("default").get("a")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (errors.Conflict, 'Operation cannot be fulfilled on deployments.apps "web": the object has been modified'),
        (errors.NotFound, 'deployments.apps "web" not found'),
        (errors.AlreadyExists, 'deployments.apps "web" already exists'),
        (errors.Forbidden, 'deployments.apps "web" is forbidden: refused by the test'),
        (errors.Gone, "Gone"),
        (errors.Expired, "Expired"),
        (errors.ServerTimeout, "ServerTimeout"),
        (errors.ServiceUnavailable, "ServiceUnavailable: refused by the test"),
        (errors.InternalError, "InternalError: refused by the test"),
        (errors.TooManyRequests, "TooManyRequests: refused by the test"),
        (errors.Invalid, "Invalid: refused by the test"),
    ],
)
def test_failing_calls_are_ordered_by_class(fake: FakeClientset, kind: type[errors.StatusError], message: str) -> None:
    fake.fail("get", Deployment, kind)

    with pytest.raises(kind) as caught:
        fake.apps_v1.deployments("default").get("web")

    assert type(caught.value) is kind
    assert message in str(caught.value)


def test_so_many_calls_fail_and_no_more() -> None:
    fake = FakeClientset(config_map("a"))
    fake.fail("get", "configmaps", errors.ServiceUnavailable, times=2)
    maps = fake.core_v1.config_maps("default")

    for _ in range(2):
        with pytest.raises(errors.ServiceUnavailable):
            maps.get("a")

    assert maps.get("a").metadata.name == "a"


def test_a_conflict_once_is_what_retry_on_conflict_is_for() -> None:
    from k8srt.util import retry

    fake = FakeClientset(config_map("a", n="1"))
    fake.fail("update", ConfigMap, errors.Conflict, times=1)
    maps = fake.core_v1.config_maps("default")

    def change() -> None:
        found = maps.get("a")
        found.data["n"] = "2"
        maps.update(found)

    retry.on_conflict(change)

    assert fake.actions.where("update").lines() == ["update configmaps default/a"] * 2
    assert maps.get("a").data == {"n": "2"}


def test_what_is_no_answer_is_a_mistake_of_the_test(fake: FakeClientset) -> None:
    fake.prepend_reactor("get", "pods", lambda action: 7)  # type: ignore[arg-type,return-value]
    fake.prepend_watch_reactor("pods", lambda action: pod("a"))  # type: ignore[arg-type,return-value]

    with pytest.raises(TypeError, match="the reactor for get pods default/a returned 7"):
        fake.core_v1.pods("default").get("a")
    with pytest.raises(TypeError, match="may return a FakeWatcher"):
        fake.core_v1.pods("default").watch()
    with pytest.raises(TypeError, match="a reactor is a function"):
        fake.prepend_reactor("get", "pods", pod("a"))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="prepend_watch_reactor"):
        fake.prepend_reactor("watch", "pods", lambda action: None)


def test_a_reactor_may_use_the_rest_of_the_world(fake: FakeClientset) -> None:
    def somebody_else_was_faster(action: Action) -> None:
        fake.tracker.core_v1.config_maps("default").create(config_map("a", by="somebody else"))

    fake.prepend_reactor("create", "configmaps", somebody_else_was_faster)

    with pytest.raises(errors.AlreadyExists):
        fake.core_v1.config_maps("default").create(config_map("a", by="us"))
    assert len(fake.actions) == 1


def test_reactors_can_be_cleared(fake: FakeClientset) -> None:
    fake.fail("*", "*", errors.InternalError)
    fake.clear_reactors()

    assert list(fake.core_v1.pods("default").list()) == []


# ---- watches


def test_cli_35_a_watch_that_is_fed_by_hand(fake: FakeClientset) -> None:
    watcher = FakeWatcher()
    fake.prepend_watch_reactor("pods", lambda action: watcher)
    watcher.add(pod("a"))
    watcher.modify(pod("a"))
    watcher.bookmark({"kind": "Pod", "apiVersion": "v1", "metadata": {"resourceVersion": "9"}})
    watcher.delete(pod("a"))
    watcher.stop()

    with fake.core_v1.pods("default").watch() as events:
        seen = [(str(event.type), event.object.metadata.name) for event in events]

    assert seen == [("ADDED", "a"), ("MODIFIED", "a"), ("BOOKMARK", None), ("DELETED", "a")]
    with pytest.raises(RuntimeError, match="stopped"):
        watcher.add(pod("b"))


def test_cli_35_watch_reactors_have_a_chain_of_their_own(fake: FakeClientset) -> None:
    fake.fail("*", "pods", errors.InternalError)
    watcher = FakeWatcher()
    watcher.stop()
    fake.add_watch_reactor("*", lambda action: watcher)

    fake.core_v1.pods("default").watch().close()

    assert list(fake.dynamic.resource(WIDGETS, "default").watch()) == []
    fake.fail("watch", "pods", errors.Expired)
    with pytest.raises(errors.Expired):
        fake.core_v1.pods("default").watch()


def test_cli_35_a_watch_of_what_is_not_served_is_an_error(fake: FakeClientset) -> None:
    with pytest.raises(errors.NotFound):
        fake.dynamic.resource(WIDGETS, "default").watch()


def test_an_error_in_a_watch_is_raised_as_a_server_sends_it(fake: FakeClientset) -> None:
    watcher = FakeWatcher()
    fake.prepend_watch_reactor(Pod, lambda action: watcher)
    watcher.error(refusal(errors.Expired, "too old resource version"))

    with pytest.raises(errors.Expired, match="too old"), fake.core_v1.pods("default").watch() as events:
        next(events)


def test_a_client_that_leaves_does_not_stop_the_watcher(fake: FakeClientset) -> None:
    watcher = FakeWatcher()
    fake.prepend_watch_reactor("pods", lambda action: watcher)
    first = fake.core_v1.pods("default").watch()
    assert watcher.watched
    first.close()
    assert not watcher.watched

    watcher.add(pod("a"))

    with fake.core_v1.pods("default").watch() as events:
        assert next(events).object.metadata.name == "a"
    assert not watcher.stopped
    assert repr(watcher) == "<FakeWatcher open, 0 events to come, watched by 0>"
