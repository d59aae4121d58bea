from __future__ import annotations

from django import forms

from core.admin import SecretField
from core.admin.a11y import label_widget


class SecretForm(forms.Form):
    password = SecretField()


def test_a_secret_is_never_rendered() -> None:
    assert "hunter2" not in str(SecretForm(initial={"password": "hunter2"}))
    sent = SecretForm({"password": "hunter2"}, initial={"password": "old"})
    assert sent.is_valid()
    assert "hunter2" not in str(sent)


def test_an_empty_secret_is_no_change() -> None:
    form = SecretForm({"password": ""}, initial={"password": "old"})
    assert form.is_valid()
    assert form.cleaned_data == {"password": None}
    assert form.changed_data == []


def test_a_new_secret_is_taken_as_typed() -> None:
    form = SecretForm({"password": " two words "}, initial={"password": "old"})
    assert form.is_valid()
    assert form.cleaned_data == {"password": " two words "}
    assert form.changed_data == ["password"]


def test_split_date_and_time_get_a_label_each() -> None:
    widget = forms.SplitDateTimeWidget()
    label_widget(widget, "Valid until")
    labels = [part.attrs["aria-label"] for part in widget.widgets]
    assert len(set(labels)) == 2
    assert all(label.startswith("Valid until (") for label in labels)
