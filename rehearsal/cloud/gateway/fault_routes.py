"""Faults are asked for, listed and removed at `/_rehearsal/faults`."""

from werkzeug.wrappers import Request, Response

from rehearsal.cloud.core import registry
from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.core.injection import FaultError
from rehearsal.cloud.wire import protocol


@registry.route("/_rehearsal/faults", methods=["GET", "POST", "DELETE"])
def _all(cloud: Cloud, request: Request) -> Response:
    if request.method == "GET":
        return protocol.json_response(cloud.faults.snapshot())
    if request.method == "DELETE":
        return protocol.json_response({"removed": cloud.faults.clear()})
    try:
        # Whatever its content type: `curl -d` says it is a form.
        fault = cloud.faults.add(request.get_json(force=True, silent=True))
    except FaultError as error:
        return protocol.json_response({"error": str(error)}, 400)
    return protocol.json_response({"id": fault.id}, 201)


@registry.route("/_rehearsal/faults/<fault_id>", methods=["DELETE"])
def _one(cloud: Cloud, request: Request, fault_id: str) -> Response:
    if cloud.faults.remove(fault_id):
        return protocol.json_response({"removed": 1})
    return protocol.json_response({"error": f"there is no fault {fault_id!r}"}, 404)
