"""Copies and extensions of the theme's templates hold only for the version they were made from.

When this fails after an upgrade of unfold: compare each original with our copy under `core/templates`, carry over what
changed, then write the new hash here.
"""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path

import pytest

from core.admin.build_icons import theme_folder

ORIGINALS = {
    "admin/base.html": "2ce9250b3c649e3a1d3c7ea52308a2858c60374b76089c29a838c7cc870dbcf0",
    "admin/change_form.html": "e9824d4d8a447d9741a1fe4a83180042ac11383bd51678e2b5e40460fa42d86a",
    "admin/change_list.html": "5885c39760f6085d55b2db8e740d4fdc340c402fc7cd43c0b5ef6ae7fb76f421",
    "admin/index.html": "9fdb849b7da18ccde0e5dda1923465830718700726570ea70554bffe1f012115",
    "admin/pagination.html": "a1d4f5881c9a2ed952106b6489b64a30cdf831321a9f0d6313c4652b270ffbe3",
    "unfold/helpers/app_list.html": "6ab83ac498b2f50ff045b7abcf2254391ccea9ded1f653c9f860f516d0be65b6",
    "unfold/helpers/header_title.html": "b126ed2ab9ca16802d6763f49a74ba37b5bab125e5ff1af52a1ed586982dd0f3",
    "unfold/helpers/navigation_header.html": "35139b9d94580be975de34bc44253c52c0b4ed0669dc5d4902c13016f40f31e4",
    "unfold/helpers/navigation_user.html": "4c9ba58b3f215326703c699fff40b582b10125257f7357126531e2cd73785716",
    "unfold/helpers/unauthenticated_title.html": "1913ea761a4f771606e28dc3341d6e044d15d48168b55a9ebe2096fb39c60cd1",
    "unfold/helpers/welcomemsg.html": "e8eab02522ba2319b937086bbcb6bf2a2bbe1489d236ad90ff23edbe070a7d6b",
    "unfold/layouts/skeleton.html": "66af9f0bb45f98ba4e16ba5e5a11f36d87b8e07430d19066d088b29548491c2e",
}
OURS = Path(__file__).resolve().parents[3] / "core" / "templates"


@pytest.mark.parametrize("name", sorted(ORIGINALS))
def test_the_original_is_the_one_we_patched(name: str) -> None:
    original = theme_folder() / "templates" / name
    assert hashlib.sha256(original.read_bytes()).hexdigest() == ORIGINALS[name]


def test_the_version_is_pinned() -> None:
    assert version("django-unfold") == "0.91.0"


def test_every_copy_has_its_hash_here() -> None:
    theme = theme_folder() / "templates"
    copies = {str(path.relative_to(OURS)) for path in OURS.rglob("*.html")}
    assert {name for name in copies if (theme / name).exists()} <= set(ORIGINALS)


def test_the_skeleton_shows_without_scripts_and_asks_for_no_font_or_chart() -> None:
    skeleton = (OURS / "unfold/layouts/skeleton.html").read_text()
    head = skeleton.split("<head>")[0]
    assert "x-cloak>" not in head
    assert "inter/styles.css" not in skeleton
    assert "chart.js" not in skeleton
    assert "command.html" not in skeleton
    assert skeleton.count("<script src=") == skeleton.count(" defer></script>")
