# SPDX-License-Identifier: Apache-2.0
"""Signatures of XKS by and for others: curl signs for our proxy, and botocore
says what our client should have signed."""

import datetime
import http.server
import json
import re
import ssl
import subprocess
import threading
import unittest
from unittest import mock

import botocore.auth
import botocore.awsrequest
import botocore.credentials
from botocore.exceptions import ClientError

from testlib.authority import Authority
from testlib.clients import SECONDS, boto3_client
from testlib.faults import wait_until
from testlib.server import Server
from testlib.xks import HOST, METADATA, REGION, SERVICE, Proxy, b64

KEY = "key-1"
ACCESS_KEY = "XKSTESTACCESSKEY234567"
SECRET = "a/secret+of=a/test+with=all/that+it=may/have0"
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^,]+), SignedHeaders=([^,]+), "
    r"Signature=([0-9a-f]{64})")


class CurlSigns(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.proxy = Proxy([{"name": "team-a", "uri_prefix": "/team-a"}])
        cls.addClassCleanup(cls.proxy.close)
        cls.proxy.start()
        cls.proxy.claviger("xks", "create-key", "team-a", KEY)
        cls.kms = cls.proxy.kms("team-a")

    def curl(self, operation, secret=None, service=SERVICE, **members):
        """The status and the JSON of the reply."""
        body = self.proxy.folder / "body.json"
        body.write_text(json.dumps({"requestMetadata": METADATA, **members}))
        credentials = self.kms.credentials
        run = subprocess.run(
            ["curl", "--silent", "--show-error", "--max-time", str(SECONDS),
             "--cacert", self.proxy.authority.certificate,
             "--resolve", f"{HOST}:{self.proxy.port}:127.0.0.1",
             "--aws-sigv4", f"aws:amz:{REGION}:{service}",
             "--user", f"{credentials.access_key}:"
                       f"{secret or credentials.secret_key}",
             "--header", "Content-Type: application/json",
             "--data-binary", f"@{body}", "--write-out", "\n%{http_code}",
             f"https://{HOST}:{self.proxy.port}{self.kms.path}"
             f"/keys/{KEY}/{operation}"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=True, timeout=SECONDS)
        text, status = run.stdout.rsplit("\n", 1)
        return int(status), json.loads(text)

    def test_what_curl_signs_is_served(self):
        self.assertEqual(self.curl("metadata"), (200, {
            "keySpec": "AES_256", "keyUsage": ["ENCRYPT", "DECRYPT"],
            "keyStatus": "ENABLED"}))
        status, sealed = self.curl("encrypt", plaintext=b64(b"p" * 4300),
                                   encryptionAlgorithm="AES_GCM")
        self.assertEqual(status, 200, sealed)
        self.assertEqual(
            self.curl("decrypt", encryptionAlgorithm="AES_GCM", **sealed),
            (200, {"plaintext": b64(b"p" * 4300)}))

    def test_what_it_signs_with_another_secret_or_for_another_service_is_not(
            self):
        wrong = self.kms.credentials.secret_key[::-1]
        for change in ({"secret": wrong}, {"service": "kms"}):
            status, reply = self.curl("metadata", **change)
            self.assertEqual((status, reply["errorName"]),
                             (401, "AuthenticationFailedException"))


class Recorder(http.server.BaseHTTPRequestHandler):
    """A proxy that is well, has any key, and encrypts nothing."""

    protocol_version = "HTTP/1.1"
    HEALTH = {"xksProxyFleetSize": 1, "xksProxyVendor": "V",
              "xksProxyModel": "M", "ekmVendor": "V", "ekmFleetDetails": [
                  {"id": "1", "model": "M", "healthStatus": "ACTIVE"}]}
    KEY = {"keySpec": "AES_256", "keyUsage": ["ENCRYPT", "DECRYPT"],
           "keyStatus": "ENABLED"}

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, dict(self.headers), body))
        operation = self.path.rsplit("/", 1)[1]
        status, reply = {"health": (200, self.HEALTH),
                         "metadata": (200, self.KEY)}.get(
            operation, (400, {"errorName": "ValidationException"}))
        data = json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


class ClientSigns(unittest.TestCase):

    def setUp(self):
        self.kms = Server()
        self.addCleanup(self.kms.close)
        authority = Authority(self.kms.folder / "tls")
        certificate, key = authority.issue("proxy", f"DNS:{HOST}")
        self.proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
        self.addCleanup(self.proxy.server_close)
        self.proxy.requests = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.proxy.socket = context.wrap_socket(self.proxy.socket,
                                                server_side=True)
        thread = threading.Thread(target=self.proxy.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.proxy.shutdown)
        port = self.proxy.server_address[1]
        tables = self.kms.folder / "xks-client.toml"
        tables.write_text(
            f'[xks_client]\nca_file = "{authority.certificate}"\n'
            "timeout_milliseconds = 3000\n"
            f'connect_to = ["{HOST}:443:127.0.0.1:{port}"]\n')
        self.kms.options = ("--dev-xks", str(tables))
        self.kms.start()

    def ask_for_everything(self):
        client = boto3_client(self.kms)
        self.addCleanup(client.close)
        store = client.create_custom_key_store(
            CustomKeyStoreName="hsm", CustomKeyStoreType="EXTERNAL_KEY_STORE",
            XksProxyConnectivity="PUBLIC_ENDPOINT",
            XksProxyUriEndpoint=f"https://{HOST}",
            XksProxyUriPath="/team-a/kms/xks/v1",
            XksProxyAuthenticationCredential={
                "AccessKeyId": ACCESS_KEY,
                "RawSecretAccessKey": SECRET})["CustomKeyStoreId"]
        client.connect_custom_key_store(CustomKeyStoreId=store)

        def is_connected():
            [found] = client.describe_custom_key_stores(
                CustomKeyStoreId=store)["CustomKeyStores"]
            return found["ConnectionState"] == "CONNECTED"

        wait_until(is_connected, "a connection")
        key = client.create_key(
            Origin="EXTERNAL_KEY_STORE", CustomKeyStoreId=store,
            XksKeyId="a.key_of-OURS")["KeyMetadata"]["KeyId"]
        with self.assertRaises(ClientError):
            client.encrypt(KeyId=key, Plaintext=b"p" * 4096)

    def signed_by_botocore(self, path, headers, body):
        """What botocore would have said at that moment."""
        names = AUTHORIZATION.fullmatch(headers["authorization"])[2].split(";")
        request = botocore.awsrequest.AWSRequest(
            method="POST", url=f"https://{HOST}{path}", data=body,
            headers={name: headers[name] for name in names
                     if name != "x-amz-date"})
        then = datetime.datetime.strptime(headers["x-amz-date"],
                                          "%Y%m%dT%H%M%SZ")
        with mock.patch("botocore.auth.datetime") as clock:
            clock.datetime.utcnow.return_value = then
            botocore.auth.SigV4Auth(
                botocore.credentials.Credentials(ACCESS_KEY, SECRET),
                SERVICE, self.kms.region).add_auth(request)
        return request.headers["Authorization"]

    def test_botocore_signs_the_same(self):
        self.ask_for_everything()
        self.assertLessEqual(
            {"/team-a/kms/xks/v1/health",
             "/team-a/kms/xks/v1/keys/a.key_of-OURS/metadata",
             "/team-a/kms/xks/v1/keys/a.key_of-OURS/encrypt"},
            {path for path, _, _ in self.proxy.requests})
        for path, headers, body in self.proxy.requests:
            headers = {name.lower(): value for name, value in headers.items()}
            self.assertEqual(headers["authorization"],
                             self.signed_by_botocore(path, headers, body), path)
            self.assertEqual(headers["host"], HOST)
            self.assertLessEqual(
                {"host", "x-amz-date"},
                set(AUTHORIZATION.fullmatch(
                    headers["authorization"])[2].split(";")))


if __name__ == "__main__":
    unittest.main()
