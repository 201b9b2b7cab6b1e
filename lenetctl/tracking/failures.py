"""What an error of MLflow's means: whose it is, whether waiting mends it, and its useful line."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import suppress
from json import JSONDecodeError

from lenetctl.errors import LenetctlError
from lenetctl.tracking.uri import redacted

# what another attempt does not mend: HTTP 401 and 403 as MLflow names them
REFUSALS = ("UNAUTHENTICATED", "CUSTOMER_UNAUTHORIZED", "PERMISSION_DENIED")
# nor these, of a database
LASTING = (
    "out-of-date database schema",
    "Can't locate revision",
    "attempt to write a readonly database",
    "file is not a database",
    "database disk image is malformed",
)
# what MLflow says of a run or an experiment that it will not take
OF_ONE_RUN = ("INVALID_PARAMETER_VALUE", "INVALID_STATE", "RESOURCE_DOES_NOT_EXIST", "BAD_REQUEST")
LONGEST = 400  # characters of a line


def will_not_mend(tracking_uri: str, error: Exception) -> bool:
    """Return whether no later attempt would fare better than the one that `error` ended."""
    lasting = any(words in str(error) for words in LASTING) or isinstance(error, ImportError)
    return lasting or _refuses(tracking_uri, error)


def _refuses(tracking_uri: str, error: Exception) -> bool:
    """Return whether the server that answered with `error` does not know us, or not let us in.

    Of an answer with JSON that is not MLflow's own, its client drops the status: it is asked again.
    """
    if getattr(error, "error_code", None) in REFUSALS:
        return True
    if hasattr(error, "json") and tracking_uri.startswith(("http://", "https://")):
        from mlflow.utils.credentials import get_default_host_creds  # noqa: PLC0415
        from mlflow.utils.rest_utils import http_request  # noqa: PLC0415

        path, ask = "/api/2.0/mlflow/experiments/search", {"max_results": 1}
        with suppress(Exception):  # whatever a server that is going away makes of it
            credentials = get_default_host_creds(tracking_uri)  # type: ignore[no-untyped-call]
            answer = http_request(credentials, path, "GET", params=ask)  # type: ignore[no-untyped-call]
            return answer.status_code in (401, 403)
    return False


def useful_line(error: BaseException) -> str:
    """Return what `error` says in one line without secrets.

    That of the operating system, of which MLflow's begins with what nobody asked: "API request to …
    failed with exception HTTPConnectionPool(…": Connection refused.
    """
    causes = list(_causes(error))
    of_system = (cause for cause in causes if isinstance(cause, OSError) and cause.strerror)
    innermost = next(of_system, error)
    said = redacted(str(innermost)).strip() or type(innermost).__name__
    return said.splitlines()[0][:LONGEST]


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield what raised `error`, innermost first, and itself last."""
    if error is not None:
        before = None if error.__suppress_context__ else error.__context__
        yield from _causes(error.__cause__ or before)
        yield error


def concerns_one_run(error: Exception) -> bool:
    """Return whether an error is about one run's folder or entry, and not about the store."""
    damaged = type(error) in (KeyError, JSONDecodeError)  # a line of its journal
    of_one = getattr(error, "error_code", None) in OF_ONE_RUN
    return damaged or of_one or isinstance(error, LenetctlError)


def is_full(error: Exception) -> bool:
    """Return whether the disk of a store, or of the run's folder, has no room left."""
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return full or "database or disk is full" in str(error)
