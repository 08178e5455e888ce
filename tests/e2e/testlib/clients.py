# SPDX-License-Identifier: Apache-2.0
"""Clients with explicit endpoint, Region and credentials.

Nothing here may ever reach the real AWS: loopback() guards every door, and no
client reads the configuration of the user who runs the tests.
"""

import http.client
import json
import subprocess
import urllib.parse
from types import SimpleNamespace

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.credentials

AWS = "/usr/bin/aws"
SECONDS = 120


def loopback(endpoint):
    """Returns `endpoint` if it is on this machine, else fails the test."""
    parts = urllib.parse.urlsplit(endpoint or "")
    assert parts.hostname in ("127.0.0.1", "::1") and parts.port, (
        f"a client was about to use {endpoint!r}")
    return endpoint


def aws_environment(server):
    """An environment in which an AWS client finds our server and nobody's
    profile."""
    return {
        **server.environment,
        "HOME": str(server.folder),
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_PAGER": "",
    }


def boto3_client(server, region=None, service="kms", credentials=None):
    """boto3's client. Its own checks of parameters are off: the server's are
    what is tested. `credentials` are those of CreateAccessKey's answer or of
    an operation of STS; by default the administrator's."""
    keys = credentials or {"AccessKeyId": server.access_key,
                           "SecretAccessKey": server.secret_key}
    session = boto3.session.Session(
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys.get("SessionToken"))
    client = session.client(
        service, region_name=region or server.region,
        endpoint_url=loopback(server.endpoint),
        config=botocore.config.Config(
            parameter_validation=False, retries={"total_max_attempts": 1},
            connect_timeout=SECONDS, read_timeout=SECONDS))
    loopback(client.meta.endpoint_url)
    return client


def aws_cli(server, *arguments, region=None, check=True, data_path=None,
            service="kms", credentials=None):
    """Runs Debian's `aws kms` and returns its JSON; without `check`, the
    finished process. `data_path` has service models newer than its own;
    `credentials` as in boto3_client."""
    command = [AWS, "--endpoint-url", loopback(server.endpoint), "--output",
               "json", "--region", region or server.region, service,
               *arguments]
    environment = aws_environment(server)
    if credentials:
        environment["AWS_ACCESS_KEY_ID"] = credentials["AccessKeyId"]
        environment["AWS_SECRET_ACCESS_KEY"] = credentials["SecretAccessKey"]
        if "SessionToken" in credentials:
            environment["AWS_SESSION_TOKEN"] = credentials["SessionToken"]
    if data_path:
        environment["AWS_DATA_PATH"] = str(data_path)
    run = subprocess.run(command, env=environment, text=True,
                         capture_output=True, stdin=subprocess.DEVNULL,
                         timeout=SECONDS)
    if not check:
        return run
    if run.returncode:
        raise AssertionError(f"aws {' '.join(arguments)}: {run.stderr}")
    return json.loads(run.stdout) if run.stdout.strip() else None


def signed(server, operation, body, region=None, service="TrentService",
           access_key=None, secret_key=None, **headers):
    """The headers of a SigV4-signed call, made by botocore."""
    request = botocore.awsrequest.AWSRequest(
        method="POST", url=loopback(server.endpoint) + "/", data=body,
        headers={"Content-Type": "application/x-amz-json-1.1",
                 "X-Amz-Target": f"{service}.{operation}", **headers})
    credentials = botocore.credentials.Credentials(
        access_key or server.access_key, secret_key or server.secret_key)
    botocore.auth.SigV4Auth(credentials, "kms",
                            region or server.region).add_auth(request)
    return dict(request.headers)


def send(server, method, path, headers=None, body=None, connection=None):
    """One HTTP request; returns status, headers, text and (if JSON) value."""
    host = urllib.parse.urlsplit(loopback(server.endpoint)).netloc
    link = connection or http.client.HTTPConnection(host, timeout=SECONDS)
    try:
        link.request(method, path, body=body, headers=headers or {})
        reply = link.getresponse()
        text = reply.read().decode()
    finally:
        if not connection:
            link.close()
    return SimpleNamespace(
        status=reply.status, text=text,
        headers={name.lower(): value for name, value in reply.getheaders()},
        json=json.loads(text) if text.startswith("{") else None)


def call(server, operation, request, **options):
    """A signed call that no client library has looked at; for members that
    Debian's boto3 does not know, and for the exact shape of replies."""
    body = request if isinstance(request, bytes) else json.dumps(
        request).encode()
    return send(server, "POST", "/", signed(server, operation, body, **options),
                body)
