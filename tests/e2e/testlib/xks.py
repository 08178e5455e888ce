# SPDX-License-Identifier: Apache-2.0
"""A server that is an XKS proxy, and a KMS that asks it."""

import base64
import hashlib
import http.client
import json
import socket
import ssl
import subprocess
import types

import botocore.auth
import botocore.awsrequest
import botocore.credentials

from testlib.authority import Authority
from testlib.clients import SECONDS
from testlib.installed import free_port
from testlib.server import BIN, Server

HOST = "xks.example.com"
SERVICE = "kms-xks-proxy"
REGION = "us-east-1"
AWS = "cks.kms.us-east-1.amazonaws.com"
METADATA = {"awsPrincipalArn": "arn:aws:iam::111122223333:user/Alice",
            "kmsOperation": "Encrypt",
            "kmsKeyArn": "arn:aws:kms:us-east-1:111122223333:key/"
                         "1234abcd-12ab-34cd-56ef-1234567890ab",
            "kmsRequestId": "4112f4d6-db54-4af4-ae30-c55a22a8dfae",
            "kmsViaService": "ebs"}


def b64(data):
    return base64.b64encode(data).decode()


class Proxy:
    """A clavigerd --dev with an XKS proxy, its tenants, and its authority."""

    def __init__(self, tenants, mutual=False, folder=None):
        self.server = Server(folder=folder)
        self.folder = self.server.folder
        self.authority = Authority(self.folder / "tls")
        self.certificate, self.key = self.authority.issue("proxy", f"DNS:{HOST}")
        self.port = free_port()
        self.ping_port = free_port()
        self.file = self.folder / "xks.toml"
        self.tables = tenants
        self.mutual = mutual
        self.write()
        self.server.options = ("--dev-xks", str(self.file))

    def write(self):
        lines = ["[xks_proxy]", f'listen = "127.0.0.1:{self.port}"',
                 f'ping_listen = "127.0.0.1:{self.ping_port}"',
                 f'certificate = "{self.certificate}"',
                 f'private_key = "{self.key}"']
        if self.mutual:
            lines += [f'client_ca = "{self.authority.certificate}"',
                      f'client_names = ["{AWS}"]']
        for tenant in self.tables:
            lines += ["[[xks_tenant]]"]
            lines += [f"{name} = {json.dumps(value)}"
                      for name, value in tenant.items()]
        self.file.write_text("\n".join(lines) + "\n")

    def start(self):
        self.server.start()
        return self

    def close(self):
        self.server.close()

    def claviger(self, *words, check=True):
        run = subprocess.run(
            [str(BIN / "claviger"), *words], capture_output=True, text=True,
            timeout=SECONDS, check=False,
            env={"PATH": "/usr/bin:/bin",
                 "CLAVIGER_SOCKET": str(self.server.dev / "clavigerd.sock")})
        if check and run.returncode:
            raise AssertionError(f"claviger {words}: {run.stderr}")
        return run

    def credential(self, tenant):
        """A new one: what `proxy-config` writes."""
        path = self.folder / f"proxy-config-{tenant}"
        path.unlink(missing_ok=True)
        self.claviger("xks", "proxy-config", tenant, str(path))
        return json.loads(path.read_text())

    def kms(self, tenant, **other):
        return Kms(self, self.credential(tenant), **other)


class Kms:
    """A KMS, as botocore would sign for it."""

    def __init__(self, proxy, config, certificate=None):
        self.proxy = proxy
        self.path = config["XksProxyUriPath"]
        credential = config["XksProxyAuthenticationCredential"]
        self.credentials = botocore.credentials.Credentials(
            credential["AccessKeyId"], credential["RawSecretAccessKey"])
        self.region = REGION
        self.service = SERVICE
        self.context = ssl.create_default_context(
            cafile=str(proxy.authority.certificate))
        if certificate:
            self.context.load_cert_chain(*map(str, certificate))

    def connect(self):
        link = http.client.HTTPSConnection(
            "127.0.0.1", self.proxy.port, timeout=SECONDS)
        link.sock = self.context.wrap_socket(
            socket.create_connection(
                ("127.0.0.1", self.proxy.port), timeout=SECONDS),
            server_hostname=HOST)
        return link

    def send(self, method, path, body=b"", headers=None):
        link = self.connect()
        try:
            link.request(method, path, body=body, headers=headers or {})
            reply = link.getresponse()
            text = reply.read().decode()
        finally:
            link.close()
        return types.SimpleNamespace(
            status=reply.status, text=text, headers=dict(reply.getheaders()),
            json=json.loads(text) if text.startswith("{") else None)

    def signed(self, path, body, **headers):
        request = botocore.awsrequest.AWSRequest(
            method="POST", url=f"https://{HOST}{path}", data=body,
            headers={"Content-Type": "application/json", "Host": HOST,
                     **headers})
        botocore.auth.SigV4Auth(self.credentials, self.service,
                                self.region).add_auth(request)
        return dict(request.headers)

    def post(self, path, body):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.send("POST", path, data, self.signed(path, data))

    def ask(self, operation, key=None, metadata=None, **members):
        path = self.path + (f"/keys/{key}/{operation}" if key
                            else f"/{operation}")
        return self.post(path, {"requestMetadata": metadata or METADATA,
                                **members})

    def encrypt(self, key, plaintext, aad=None, integrity=False, **other):
        members = {"plaintext": b64(plaintext),
                   "encryptionAlgorithm": "AES_GCM", **other}
        if aad is not None:
            members["additionalAuthenticatedData"] = b64(aad)
        if integrity:
            members["ciphertextDataIntegrityValueAlgorithm"] = "SHA_256"
        return self.ask("encrypt", key, **members)

    def decrypt(self, key, sealed, aad=None, **changes):
        members = {"encryptionAlgorithm": "AES_GCM",
                   **{name: sealed[name]
                      for name in ("ciphertext", "initializationVector",
                                   "authenticationTag", "ciphertextMetadata")}}
        if aad is not None:
            members["additionalAuthenticatedData"] = b64(aad)
        members.update(changes)
        return self.ask("decrypt", key, **{
            name: value for name, value in members.items()
            if value is not None})


def integrity_value(aad, sealed):
    parts = [aad] + [base64.b64decode(sealed[name])
                     for name in ("ciphertextMetadata", "initializationVector",
                                  "ciphertext", "authenticationTag")]
    return b64(hashlib.sha256(b"".join(parts)).digest())
