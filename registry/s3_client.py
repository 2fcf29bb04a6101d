"""A client for the bucket of a registry, by the usual AWS settings.

AWS_ENDPOINT_URL, AWS_DEFAULT_REGION, AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY say where the server is and
who asks; AWS_RETRY_MODE and AWS_MAX_ATTEMPTS how often it is asked again.
"""

from __future__ import annotations

import os
from typing import Any

import boto3
from botocore.config import Config
from pianissimo.errors import RegistryError

ATTEMPTS = 8  # of a request, the first included


def opened(root: str) -> Any:
    """A client by the usual settings; our number of tries where they say none."""
    retries: dict[str, Any] = {"mode": os.environ.get("AWS_RETRY_MODE", "standard")}
    if "AWS_MAX_ATTEMPTS" not in os.environ:
        retries["total_max_attempts"] = ATTEMPTS
    try:
        return boto3.session.Session().client(
            "s3",
            config=Config(
                retries=retries,
                connect_timeout=10,
                read_timeout=60,
                max_pool_connections=16,
                # A 5xx that carries a checksum (rclone's do) makes botocore raise AttributeError instead of trying again.
                response_checksum_validation="when_required",
            ),
        )
    except ValueError as fault:
        raise RegistryError(
            root, f"the AWS settings cannot be used ({fault})", "AWS_ENDPOINT_URL=https://HOST"
        ) from fault
