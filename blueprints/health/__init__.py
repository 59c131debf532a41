"""For machines that watch over us: does the process live, and can it do its work."""

from flask import Blueprint, Response, current_app, jsonify

from blueprints.guards import public
from services import clock, health

bp = Blueprint("health", __name__)


@bp.get("/healthz")
@public
def live() -> tuple[Response, int]:
    """200 as long as we answer and the database does."""
    if not health.database_answers():
        return jsonify(status="failed", missing=["the database does not answer"]), 503
    return jsonify(status="ok"), 200


@bp.get("/readyz")
@public
def ready() -> tuple[Response, int]:
    """200 when an order placed now would be carried out; 503 with what is missing."""
    found = health.readiness(current_app.config["CABINET"], now=clock.now())
    if not found.is_ready:
        return jsonify(status="failed", missing=found.missing, degraded=found.degraded), 503
    status = "degraded" if found.degraded else "ready"
    return jsonify(status=status, missing=[], degraded=found.degraded), 200
