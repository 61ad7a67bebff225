"""A secret key is made once, kept private, and made again only where there is none."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from loadlab.secret_key import kept_secret_key


def test_the_key_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    key = kept_secret_key(tmp_path / "var")
    assert len(key) >= 50
    assert len(set(key)) >= 5
    assert kept_secret_key(tmp_path / "var") == key
    assert (tmp_path / "var" / "secret_key").stat().st_mode & 0o777 == 0o600


def test_an_empty_file_holds_no_key(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("\n")
    key = kept_secret_key(tmp_path)
    assert len(key) >= 50
    assert kept_secret_key(tmp_path) == key


def test_a_key_that_cannot_be_kept_names_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ImproperlyConfigured, match=r"cannot be kept in .*file.*: set SECRET_KEY"):
        kept_secret_key(tmp_path / "file" / "var")
