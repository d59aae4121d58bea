"""Forms of the customer room's admin. They check what can be checked beside the field; services decide."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.admin import ConfirmForm, style_form
from core.errors import DomainError
from customers.checking import email_clean, tags_clean
from customers.choices import Channel, ConsentKind, DocumentKind
from customers.models import Contact, Customer
from customers.phones import LONGEST_TYPED, phone_parse
from customers.services.documents import ENDINGS

# checked and stored by the services; the model would judge the stored form
OF_SERVICES = {"phone", "tags", "email", "request_key"}


def _checked(clean: Callable[[Any], Any], value: Any) -> Any:
    """The value as typed, when the service will take it."""
    try:
        clean(value)
    except DomainError as error:
        raise forms.ValidationError(str(error.message)) from None
    return value


class _PhoneForm(forms.ModelForm):  # type: ignore[type-arg]
    """Shows a phone number as it was written."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["phone"] = self.instance.phone_typed or self.instance.phone

    def _get_validation_exclusions(self) -> set[str]:
        return {*super()._get_validation_exclusions(), *OF_SERVICES}  # type: ignore[misc]

    def clean_phone(self) -> str:
        return str(_checked(phone_parse, self.cleaned_data["phone"]))

    def clean_email(self) -> str:
        return str(_checked(email_clean, self.cleaned_data["email"]))


class CustomerForm(_PhoneForm):
    """A customer. `request_key` makes a second press of "save" the same customer."""

    phone = forms.CharField(
        label=gettext_lazy("phone"), max_length=LONGEST_TYPED, required=False,
        widget=forms.TextInput(attrs={"type": "tel"}),
        help_text=gettext_lazy("In any spelling; kept as you write it, found in every other."),
    )  # fmt: skip
    tags = forms.CharField(
        label=gettext_lazy("tags"), max_length=700, required=False, help_text=gettext_lazy("With commas between them.")
    )
    request_key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    class Meta:
        model = Customer
        fields = (
            "name", "phone", "email", "language", "address", "location", "area", "latitude", "longitude", "tags",
            "notes", "is_active",
        )  # fmt: skip
        help_texts = {
            "language": gettext_lazy("Bills and messages are written in it; empty: the installation's."),
            "area": gettext_lazy("Where the line comes from, for example ODP-07."),
            "latitude": gettext_lazy("Degrees, for example -7.562100."),
            "is_active": gettext_lazy("Off: kept, but no longer a customer."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "name" not in self.fields:
            return  # the page of a row that nobody may change has no form
        self.initial.setdefault("request_key", uuid.uuid4().hex)
        if self.instance.pk:
            self.initial["tags"] = ", ".join(self.instance.tags)
            del self.fields["request_key"]
        style_form(self)

    def clean_tags(self) -> Any:
        return tags_clean(_checked(tags_clean, self.cleaned_data["tags"]))

    def changes(self) -> dict[str, Any]:
        """What the service is asked to write."""
        names = self.changed_data if self.instance.pk else list(self.fields)
        return {name: self.cleaned_data[name] for name in names if name in self.cleaned_data}


class ContactForm(_PhoneForm):
    phone = forms.CharField(label=gettext_lazy("phone"), max_length=LONGEST_TYPED, required=False)

    class Meta:
        model = Contact
        fields = ("name", "role", "phone", "email")


class NoteForm(ConfirmForm):
    text = forms.CharField(label=gettext_lazy("note"), max_length=2000, widget=forms.Textarea(attrs={"rows": 4}))


class ConsentForm(ConfirmForm):
    channel = forms.ChoiceField(label=gettext_lazy("channel"), choices=Channel.choices)
    kind = forms.ChoiceField(label=gettext_lazy("about"), choices=ConsentKind.choices)
    is_granted = forms.TypedChoiceField(
        label=gettext_lazy("answer"), coerce=lambda value: value == "yes",
        choices=[("yes", gettext_lazy("yes, may be told")), ("no", gettext_lazy("no, not any more"))],
    )  # fmt: skip
    source = forms.CharField(
        label=gettext_lazy("how we know"), max_length=120,
        help_text=gettext_lazy("For example: signed form, WhatsApp message. Stays in the history, so write no names."),
    )  # fmt: skip


class DocumentForm(ConfirmForm):
    file = forms.FileField(
        label=gettext_lazy("file"), max_length=200, help_text=gettext_lazy("PDF, JPEG, PNG or WebP of at most 10 MB."),
        widget=forms.FileInput(attrs={"accept": ",".join(f".{ending}" for ending in ENDINGS.values())}),
    )  # fmt: skip
    title = forms.CharField(label=gettext_lazy("title"), max_length=120)
    kind = forms.ChoiceField(label=gettext_lazy("kind"), choices=DocumentKind.choices)


class EraseForm(ConfirmForm):
    number = forms.CharField(label=gettext_lazy("Type the customer number to confirm"), max_length=20)


def erase_form(customer: Customer) -> type[EraseForm]:
    """A form that takes this customer's number only."""

    class Erase(EraseForm):
        def clean_number(self) -> str:
            if self.cleaned_data["number"].strip().upper() != customer.number.upper():
                raise forms.ValidationError(_("Type %(number)s to confirm.") % {"number": customer.number})
            return customer.number

    return Erase


def merge_form(customers: Any, suggested: list[Customer]) -> type[ConfirmForm]:
    """Which customer goes; those with the same phone or e-mail address are offered."""

    class MergeForm(ConfirmForm):
        number = forms.CharField(
            label=gettext_lazy("number of the customer that goes"), max_length=20,
            help_text=gettext_lazy("Looks like the same person: %(numbers)s")
            % {"numbers": ", ".join(row.number for row in suggested)}
            if suggested
            else "",
        )  # fmt: skip

        def clean_number(self) -> Customer:
            found: Customer | None = customers.filter(number=self.cleaned_data["number"].strip().upper()).first()
            if found is None:
                raise forms.ValidationError(_("There is no customer with this number at your locations."))
            return found

    return MergeForm
