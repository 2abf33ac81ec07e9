"""What must not reach a log does not."""

import pytest

from harness.redaction import redacted


def test_the_value_of_a_variable_that_is_named_as_a_secret_is_taken_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "0123456789abcdef")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "hunter2")
    text = redacted("401 for 0123456789abcdef and hunter2")
    assert text == "401 for *** and ***"


def test_other_variables_and_empty_secrets_are_left_as_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WANDB_PROJECT", "my-project")
    monkeypatch.setenv("HF_TOKEN", "")
    assert redacted("no such project: my-project") == "no such project: my-project"


@pytest.mark.parametrize("login", ["me:pass@", "token@", "a.b:c%40d@", "me:p@ss/w@"])
def test_logins_in_addresses_are_taken_out(login: str) -> None:
    assert redacted(f"GET https://{login}example.org/x?a=b") == "GET https://***@example.org/x?a=b"
