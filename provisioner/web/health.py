"""Tells load balancers and operators whether the process runs, whether it can serve, and which version it is.

The endpoints' names are those of Kubernetes' own health endpoints (kubernetes.io, API health endpoints).
"""

from flask import Blueprint, Response, jsonify

from provisioner import __version__
from provisioner.web.site import site

health = Blueprint("health", __name__)

OK = "ok"


@health.get("/healthz")
def healthz() -> Response:
    """The process answers; nothing else is asked, so that a broken database restarts nobody."""
    return jsonify(status=OK)


@health.get("/readyz")
def readyz() -> tuple[Response, int]:
    """What the service needs, by name: ``ok`` or the reason; 503 where anything is not ``ok``."""
    checks = dict(site().ready())
    return jsonify(checks), 200 if set(checks.values()) <= {OK} else 503


@health.get("/version")
def version() -> Response:
    """The version of the product."""
    return jsonify(version=__version__)
