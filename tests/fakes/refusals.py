"""What something is refused with."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from schedops.errors import InputError, SchedopsError


def code_of(act: Callable[[], object], kind: type[SchedopsError] = InputError) -> str:
    """The code of the error that it raises."""
    with pytest.raises(kind) as caught:
        act()
    return caught.value.code
