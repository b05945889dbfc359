"""S3: notifications of buckets, and the requests that moto lets through though S3 does not."""

import base64
import contextlib
import hashlib
import itertools
import json
import zlib
from typing import Any
from urllib.parse import quote_plus

from moto.s3 import notifications
from moto.s3.notifications import S3NotificationEvent
from werkzeug.wrappers import Response

from rehearsal.cloud.core.api import AwsError, Call, Cloud, Event, Place, for_service, on_start, operation
from rehearsal.cloud.core.store_routes import answered

_DETAIL_TYPES = {
    "ObjectCreated": "Object Created",
    "ObjectRemoved": "Object Deleted",
    "ObjectTagging": "Object Tags Added",
    "ObjectAcl": "Object ACL Updated",
    "ObjectRestore": "Object Restore Completed",
}
_REASONS = {
    "Put": "PutObject",
    "Post": "POST Object",
    "Copy": "CopyObject",
    "CompleteMultipartUpload": "CompleteMultipartUpload",
    "Delete": "DeleteObject",
    "DeleteMarkerCreated": "DeleteObject",
}
_SUBRESOURCES = {"ObjectAcl": "acl", "ObjectTagging": "tagging"}
_sequence = itertools.count(1)


@operation("s3", "GetBucketNotificationConfiguration")
def get_notifications(call: Call) -> dict[str, Any]:
    """moto keeps the EventBridge setting, and leaves it out of its answer."""
    answer = call.forward()
    bucket = call.cloud.backend("s3", call.account, call.region).buckets.get(call.params["Bucket"])
    configuration = bucket.notification_configuration if bucket else None
    if configuration is not None and configuration.event_bridge is not None:
        answer["EventBridgeConfiguration"] = {}
    return answer


@on_start
def leave_policies_to_the_gateway(cloud: Cloud) -> None:
    """moto reads bucket policies without their conditions, so a "deny without TLS" would deny everything."""
    from moto.iam.access_control import PermissionResult
    from moto.s3.models import FakeBucket

    FakeBucket.get_permission = lambda *_: PermissionResult.NEUTRAL  # type: ignore[method-assign]


_CHECKSUM = "x-amz-checksum-"
_DIGESTS = {"x-amz-checksum-sha256": "sha256", "x-amz-checksum-sha1": "sha1", "content-md5": "md5"}


@operation("s3", "PutObject", "UploadPart")
def put(call: Call) -> Response | dict[str, Any]:
    """moto believes whatever checksum comes with a body."""
    if call.request is None:
        return call.forward()
    chunked = call.request.headers.get("x-amz-content-sha256", "").startswith("STREAMING-")
    for header, algorithm in _DIGESTS.items():
        claimed = call.request.headers.get(header)
        if not claimed or chunked:
            continue
        digest = hashlib.new(algorithm, call.request.get_data(), usedforsecurity=False).digest()
        if base64.b64encode(digest).decode() != claimed:
            name = "Content-MD5" if algorithm == "md5" else algorithm.upper()
            raise AwsError("BadDigest", f"The {name} you specified did not match the calculated checksum.")
    response = _encrypted(call, call.relay())
    former = _former_version(call)
    if former is not None:
        # Nobody waits for that: an engine takes its next step when its state is written.
        call.cloud.background(_pack, former, name="s3-pack")
    return response


_PACKED = range(32 * 1024, 16 * 1024 * 1024)  # bytes; moto itself keeps larger objects on disk


class Packed:
    """The bytes of an object, compressed: the file that moto reads them from.

    An engine writes its whole state after every step, and a bucket with versions keeps each of them.
    """

    def __init__(self, content: bytes) -> None:
        self._packed, self._at = zlib.compress(content, 1), 0

    def seek(self, position: int) -> None:
        """Read on from there."""
        self._at = position

    def read(self, size: int = -1) -> bytes:
        """That many bytes from here, or all."""
        content = zlib.decompress(self._packed)[self._at :]
        found = content if size < 0 else content[:size]
        self._at += len(found)
        return found

    def truncate(self) -> None:
        """Nothing is left."""
        self._packed, self._at = zlib.compress(b""), 0

    def write(self, content: bytes) -> None:
        """Exactly this, as moto writes it after `truncate`."""
        self._packed, self._at = zlib.compress(content, 1), len(content)

    def close(self) -> None:
        """Nothing to close."""


def _former_version(call: Call) -> Any:
    """The version that an object replaced, which is seldom read again; None where it is packed, or not worth it."""
    bucket = call.cloud.backend("s3", call.account, call.region).buckets.get(call.params["Bucket"])
    versions = bucket.keys.getlist(call.params["Key"], []) if bucket else []
    if len(versions) < 2:
        return None
    former = versions[-2]
    unpacked = getattr(former, "contentsize", 0) in _PACKED and not isinstance(former._value_buffer, Packed)
    return former if unpacked else None


def _pack(former: Any) -> None:
    # Of a version that was deleted meanwhile, moto has closed the file.
    with contextlib.suppress(ValueError):
        packed = Packed(former.value)
        with former.lock:
            former._value_buffer = packed


@operation("s3", "GetObject", "HeadObject", "CopyObject", "CreateMultipartUpload", "CompleteMultipartUpload")
def encrypted(call: Call) -> Response | dict[str, Any]:
    """Every object is encrypted, and says so."""
    return call.forward() if call.request is None else _encrypted(call, call.relay())


def _encrypted(call: Call, response: Response) -> Response:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html"""
    if response.status_code >= 300:
        return response
    response.headers.setdefault("x-amz-server-side-encryption", "AES256")
    if call.operation != "UploadPart" and any(name.lower().startswith(_CHECKSUM) for name, _ in response.headers):
        response.headers.setdefault("x-amz-checksum-type", "FULL_OBJECT")
    return response


@on_start
def notify_for_real(cloud: Cloud) -> None:
    """Every change of an object in a bucket with notifications reaches EventBridge, queues, topics and functions."""

    def send_event(account_id: str, event_name: S3NotificationEvent, bucket: Any, key: Any) -> None:
        configuration = bucket.notification_configuration
        if configuration is None:
            return
        name = str(event_name.value)
        if configuration.event_bridge is not None:
            _to_event_bridge(cloud, account_id, name, bucket, key)
        for kind in ("cloud_function", "queue", "topic"):
            for notification in getattr(configuration, kind):
                if notification.matches(event_name, key.name):
                    record = notifications._get_s3_event(event_name, bucket, key, notification.id)
                    _complete(record, key)
                    cloud.background(_send, cloud, kind, notification.arn, record, bucket, name=f"s3-{kind}")

    notifications.send_event = send_event


def _to_event_bridge(cloud: Cloud, account: str, name: str, bucket: Any, key: Any) -> None:
    _, family, reason = name.split(":")
    asked = _SUBRESOURCES.get(family)
    if asked and asked not in answered().args:
        # moto sets the ACL and the tags of every new object, and takes that for updates.
        return
    detail_type = _DETAIL_TYPES.get(family)
    if detail_type is None:
        return
    item: dict[str, Any] = {"key": key.name, "sequencer": f"{next(_sequence):018X}"}
    if family != "ObjectRemoved":
        item |= {"size": key.size, "etag": key.etag.strip('"')}
    if key.version_id and key.version_id != "null":
        item["version-id"] = key.version_id
    detail: dict[str, Any] = {
        "version": "0",
        "bucket": {"name": bucket.name},
        "object": item,
        "request-id": hashlib.sha256(item["sequencer"].encode()).hexdigest()[:16].upper(),
        "requester": account,
        "source-ip-address": "127.0.0.1",
    }
    if family in ("ObjectCreated", "ObjectRemoved"):
        detail["reason"] = _REASONS.get(reason, reason)
    if family == "ObjectRemoved":
        detail["deletion-type"] = "Delete Marker Created" if reason == "DeleteMarkerCreated" else "Permanently Deleted"
    event = Event("aws.s3", detail_type, detail, [bucket.arn])
    cloud.background(cloud.put_event, Place(bucket.account_id, bucket.region_name), event, name="s3-event")


def _complete(record: dict[str, Any], key: Any) -> None:
    # moto encodes slashes too; S3 does not.
    record["Records"][0]["s3"]["object"]["key"] = quote_plus(key.name, safe="/")
    if key.version_id and key.version_id != "null":
        record["Records"][0]["s3"]["object"]["versionId"] = key.version_id


def _send(cloud: Cloud, kind: str, arn: str, record: dict[str, Any], bucket: Any) -> None:
    """S3 sends as a service, for the bucket: the policy of the queue, topic or function must let it."""
    _, _, _, region, account, name = arn.split(":", 5)
    text = json.dumps(record)
    calls: dict[str, tuple[str, str, dict[str, Any]]] = {
        "queue": ("sqs", "SendMessage", {"QueueUrl": f"{cloud.url}/{account}/{name}", "MessageBody": text}),
        "topic": ("sns", "Publish", {"TopicArn": arn, "Message": text, "Subject": "Amazon S3 Notification"}),
        "cloud_function": (
            "lambda",
            "Invoke",
            {"FunctionName": arn, "InvocationType": "Event", "Payload": text.encode()},
        ),
    }
    principal = for_service("s3.amazonaws.com", bucket.account_id, bucket.arn)
    cloud.perform(principal, Place(account, region), *calls[kind])
