"""Tells load balancers and operators whether the process runs and can serve, its version, and what it has counted.

The endpoints' names are those of Kubernetes' own health endpoints (kubernetes.io, API health endpoints) and the one
that Prometheus asks by default (prometheus.io, scrape_config).
"""

from flask import Blueprint, Response, jsonify, request

from provisioner import __version__
from provisioner.web.hardening import HIDDEN_CLIENT, not_found
from provisioner.web.metrics import MEDIA_TYPE
from provisioner.web.proxies import is_inside
from provisioner.web.site import site

health = Blueprint("health", __name__)

OK = "ok"


@health.get("/healthz")
def healthz() -> Response:
    """The process answers; nothing else is asked, so that a broken database restarts nobody."""
    return jsonify(status=OK)


@health.get("/readyz")
def readyz() -> tuple[Response, int]:
    """What the service needs, by name: ``ok`` (and what to look at) or the reason; 503 where anything is not ``ok``."""
    checks = dict(site().ready())
    return jsonify(checks), 200 if all(state.startswith(OK) for state in checks.values()) else 503


@health.get("/version")
def version() -> Response:
    """The version of the product."""
    return jsonify(version=__version__)


@health.get("/metrics")
def metrics() -> Response:
    """The counters, for clients in the metrics networks alone; for everybody else there is nothing here."""
    if request.environ[HIDDEN_CLIENT] or not is_inside(request.remote_addr or "", site().metrics_networks):
        return not_found()
    return Response(site().metrics.page(), content_type=MEDIA_TYPE)
