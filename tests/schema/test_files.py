"""The package's data is found in a checkout and in an installed wheel."""

from __future__ import annotations

import os
import sys
import zipfile
from pathlib import Path

import pytest

from schedops import proc
from schedops.schema.files import data_dir
from schedops.schema.registry import KINDS, schema_file

CHECKOUT = Path(__file__).parent.parent.parent
ASK = (
    "import schedops.schema.files as f; print(f.__file__); print(f.data_dir('schemas')); print(f.data_dir('policies'))"
)


def test_in_a_checkout_it_is_the_checkout_s_own():
    if (CHECKOUT / "schedops" / "_data").exists():
        pytest.fail("schedops/_data is made by the wheel and does not belong in the checkout")
    assert data_dir("policies").name == "policies"
    assert (data_dir("schemas") / "policy.schema.json").is_file()


def test_a_name_that_was_not_installed_is_a_broken_installation():
    with pytest.raises(RuntimeError, match="installed without nothing/"):
        data_dir("nothing")


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A wheel built from this checkout without network and unpacked as an installer would."""
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    proc.checked(build, deadline_s=120, cwd=CHECKOUT)
    (wheel,) = out.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(out / "site")
    return out / "site"


def python(site: Path, *words: str) -> str:
    path = os.pathsep.join([str(site), *(entry for entry in sys.path if entry.endswith("site-packages"))])
    done = proc.checked([sys.executable, "-P", *words], deadline_s=60, cwd=site, env={"PYTHONPATH": path})
    return done.stdout.decode()


def test_in_a_wheel_it_is_the_wheel_s_own(installed):
    assert python(installed, "-c", ASK).splitlines() == [
        str(installed / "schedops/schema/files.py"),
        str(installed / "schedops/_data/schemas"),
        str(installed / "schedops/_data/policies"),
    ]


def test_a_wheel_has_every_schema_and_every_policy_file(installed):
    data = installed / "schedops" / "_data"
    assert sorted(path.name for path in (data / "schemas").iterdir()) == sorted(schema_file(kind) for kind in KINDS)
    own = {path.relative_to(CHECKOUT / "policies") for path in (CHECKOUT / "policies").rglob("*") if path.is_file()}
    assert {path.relative_to(data / "policies") for path in (data / "policies").rglob("*") if path.is_file()} == own


def test_a_wheel_lists_its_starter_library(installed):
    text = python(installed, "-m", "schedops", "library", "list")
    assert "build-order" in text
    assert text.endswith("starter library of schedops; there is no policies/ here\n")
