"""Cells on the workers of a Dask cluster that is there already: ``dask.distributed``, an optional extra.

Dask sends work as pickles over TCP and asks nobody who they are: a scheduler address is as trusted as this machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from schedops.errors import Unavailable

Item = TypeVar("Item")
Made = TypeVar("Made")
CONNECT_S = 20


class DaskHands(Generic[Item, Made]):
    """Runs *function* on the workers.

    :param address: of the scheduler, such as ``tcp://10.0.0.1:8786``.
    :param function: of a module that the workers have as well; it is sent by name.
    :param key: names an item by all that its result depends on.
    :raises Unavailable: ``no-dask``: the extra is not installed.
    """

    def __init__(self, address: str, function: Callable[[Item], Made], key: Callable[[Item], str]) -> None:
        self._address = address
        self._function = function
        self._key = key
        self._dask = _dask()

    def run(self, work: Sequence[Item], done: Callable[[Made], None]) -> None:
        """Every one of them, in any order; *done* is called with each as soon as it is over, in this thread.

        A worker that dies loses nothing: Dask gives what it was doing to another one.

        :raises Unavailable: ``no-cluster``: nobody answers at the address, or nobody works there; ``worker-lost``: an
            item's workers died again and again (Dask's ``allowed-failures``), or the cluster did.
        """
        with self._client() as client:
            keys = [self._key(one) for one in work]
            futures = client.map(self._function, list(work), key=keys, pure=True)
            for future in self._dask.as_completed(futures, loop=client.loop):
                done(self._result(future))

    def _result(self, future: Any) -> Made:
        try:
            found: Made = future.result()
        except (self._dask.KilledWorker, self._dask.CancelledError, OSError) as error:
            raise Unavailable(
                "worker-lost",
                f"the cluster at {self._address} lost what it was doing: {type(error).__name__}",
                hint="look at its workers, then the same again with --resume",
            ) from None
        return found

    def _client(self) -> Any:
        # Workers are asked for here: without one everything would wait for ever.
        try:
            client = self._dask.Client(self._address, timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise self._nobody(error) from None
        try:
            client.wait_for_workers(1, timeout=CONNECT_S)
        except BaseException as error:
            client.close()
            if isinstance(error, OSError):
                raise self._nobody(error) from None
            raise
        return client

    def _nobody(self, error: Exception) -> Unavailable:
        return Unavailable(
            "no-cluster",
            f"no Dask cluster with workers at {self._address}: {type(error).__name__}",
            hint="dask scheduler; dask worker ADDRESS",
        )


def _dask() -> Any:
    try:
        import distributed  # noqa: PLC0415 - half a second, and an extra that few have
    except ImportError:
        raise Unavailable("no-dask", "dask.distributed is not installed", hint="pip install 'schedops[dask]'") from None
    return distributed
