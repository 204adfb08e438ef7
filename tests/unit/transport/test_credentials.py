"""What goes into the Authorization header, and what never goes anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8srt.errors import ConfigError
from k8srt.testing.clock import FakeClock
from k8srt.transport.credentials import TOKEN_FILE_PERIOD, BasicAuth, StaticToken, TokenFile
from k8srt.transport.headers import check_header, escape_key, masked


def test_static_and_basic_credentials() -> None:
    assert StaticToken("abc").authorization() == "Bearer abc"
    assert BasicAuth("user", "pass").authorization() == "Basic dXNlcjpwYXNz"


def test_rest_05_repr_hides_secrets() -> None:
    assert "hunter2" not in repr(StaticToken("hunter2")) + repr(BasicAuth("me", "hunter2"))
    assert masked({"Authorization": "Bearer x", "Accept": "y"}) == {
        "Authorization": "--- REDACTED ---",
        "Accept": "y",
    }


@pytest.mark.parametrize("value", ["a\nb", "a\r\nInjected: yes", "a\0b", "snowman ☃"])
def test_header_values_that_break_out_are_refused_without_being_shown(value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_header("Authorization", value)

    assert "Authorization" in str(caught.value)
    assert value not in str(caught.value)
    with pytest.raises(ConfigError):
        StaticToken(value)


def test_header_names_must_be_tokens() -> None:
    with pytest.raises(ConfigError, match="invalid header name"):
        check_header("Bad Name", "x")


def test_rest_53_extra_keys_are_percent_escaped() -> None:
    assert escape_key("example.com/scopes") == "example.com%2Fscopes"
    assert escape_key("100%ü") == "100%25%C3%BC"


def test_rest_51_a_token_file_is_read_again_when_it_is_old(tmp_path: Path) -> None:
    file, clock = tmp_path / "token", FakeClock()
    file.write_text(" first \n")
    tokens = TokenFile(str(file), clock=clock)
    assert tokens.authorization() == "Bearer first"

    file.write_text("second")
    clock.advance(TOKEN_FILE_PERIOD - 1)
    assert tokens.authorization() == "Bearer first"

    clock.advance(1)
    assert tokens.authorization() == "Bearer second"


def test_rest_51_a_failed_read_keeps_the_last_good_token(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file, clock = tmp_path / "token", FakeClock()
    file.write_text("good")
    tokens = TokenFile(str(file), clock=clock)
    tokens.authorization()

    file.write_text("")
    clock.advance(TOKEN_FILE_PERIOD)

    assert tokens.authorization() == "Bearer good"
    assert "empty" in caplog.text
    assert "good" not in caplog.text.replace("last good token", "")


def test_rest_51_a_401_has_the_next_request_read_the_file_again(tmp_path: Path) -> None:
    file, clock = tmp_path / "token", FakeClock()
    file.write_text("old")
    tokens = TokenFile(str(file), clock=clock)
    tokens.authorization()
    asked_before_the_read = clock.now() - 1
    file.write_text("new")

    tokens.rejected(asked_before_the_read)
    assert tokens.authorization() == "Bearer old"

    tokens.rejected(clock.now())
    assert tokens.authorization() == "Bearer new"


def test_usr_12_a_token_file_that_was_never_good_raises(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()

    with pytest.raises(ConfigError, match="missing"):
        TokenFile(str(tmp_path / "missing")).authorization()
    with pytest.raises(ConfigError, match="is empty"):
        TokenFile(str(empty)).authorization()
    assert TokenFile(str(tmp_path / "missing"), initial="static").authorization() == "Bearer static"
