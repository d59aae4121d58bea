"""The proxy in front takes every file the product takes: otherwise people get its page instead of a sentence."""

from __future__ import annotations

import re

from customers.services.documents import LARGEST
from imports.models import MAX_BYTES
from tests.unit.deploy.files import text


def test_what_may_be_uploaded_passes_the_proxy() -> None:
    found = re.findall(r"client_max_body_size (\d+)m;", text("deploy/nginx/site.conf"))
    assert [int(size) * 1024 * 1024 >= max(MAX_BYTES, LARGEST) + 1024 * 1024 for size in found] == [True]
