# SPDX-License-Identifier: Apache-2.0
"""The full circle: aws -> our KMS -> XKS with mTLS -> our proxy -> the token.

Two servers, each with a token of its own: what one encrypts, the other has
encrypted again, and neither decrypts alone.
"""

import base64
import json
import unittest

from botocore.exceptions import ClientError

from testlib.clients import aws_cli, boto3_client
from testlib.faults import audit_records, family, strike, wait_until
from testlib.server import Server
from testlib.xks import AWS, HOST, Proxy

KEY = "payroll"
CONTEXT = {"department": "payroll"}
PLAINTEXT = b"canary-of-the-full-circle"


class Circle(unittest.TestCase):

    def setUp(self):
        self.proxy = Proxy([{"name": "team-a", "uri_prefix": "/team-a"}],
                           mutual=True)
        self.addCleanup(self.proxy.close)
        self.proxy.start()
        self.proxy.claviger("xks", "create-key", "team-a", KEY)
        self.credential = self.proxy.credential("team-a")
        certificate, key = self.proxy.authority.issue(
            "kms", "DNS:kms", common_name=AWS)
        tables = self.proxy.folder / "xks-client.toml"
        tables.write_text(
            "[xks_client]\n"
            f'ca_file = "{self.proxy.authority.certificate}"\n'
            f'client_certificate = "{certificate}"\n'
            f'client_key = "{key}"\n'
            # A machine that builds and tests beside us is not AWS.
            "timeout_milliseconds = 3000\n"
            f'connect_to = ["{HOST}:443:127.0.0.1:{self.proxy.port}"]\n')
        self.kms = Server("--dev-xks", str(tables))
        self.addCleanup(self.kms.close)
        self.kms.start()

    def aws(self, *words, **options):
        return aws_cli(self.kms, *words, **options)

    def state(self, store):
        (found,) = self.aws("describe-custom-key-stores",
                            "--custom-key-store-id", store)["CustomKeyStores"]
        return found["ConnectionState"]

    def connect(self, store):
        self.aws("connect-custom-key-store", "--custom-key-store-id", store)
        wait_until(lambda: self.state(store) not in ("CONNECTING",
                                                     "DISCONNECTED"),
                   "a connection")
        self.assertEqual(self.state(store), "CONNECTED")

    def make_store(self):
        credential = self.credential["XksProxyAuthenticationCredential"]
        return self.aws(
            "create-custom-key-store", "--custom-key-store-name", "hsm",
            "--custom-key-store-type", "EXTERNAL_KEY_STORE",
            "--xks-proxy-connectivity", "PUBLIC_ENDPOINT",
            "--xks-proxy-uri-endpoint", f"https://{HOST}",
            "--xks-proxy-uri-path", self.credential["XksProxyUriPath"],
            "--xks-proxy-authentication-credential",
            json.dumps(credential))["CustomKeyStoreId"]

    def make_key(self, store):
        return self.aws(
            "create-key", "--origin", "EXTERNAL_KEY_STORE",
            "--custom-key-store-id", store, "--xks-key-id", KEY,
        )["KeyMetadata"]

    def client(self):
        return boto3_client(self.kms)

    def opened(self, blob):
        return self.client().decrypt(
            CiphertextBlob=blob, EncryptionContext=CONTEXT)["Plaintext"]

    def test_what_one_side_does_the_other_must_do_too(self):
        store = self.make_store()
        self.assertEqual(self.state(store), "DISCONNECTED")
        self.connect(store)
        metadata = self.make_key(store)
        self.assertEqual(metadata["Origin"], "EXTERNAL_KEY_STORE")
        key = metadata["KeyId"]
        file = self.kms.folder / "plaintext"
        file.write_bytes(PLAINTEXT)
        sealed = self.aws(
            "encrypt", "--key-id", key, "--plaintext", f"fileb://{file}",
            "--encryption-context", "department=payroll")["CiphertextBlob"]
        blob = base64.b64decode(sealed)
        self.assertNotIn(PLAINTEXT, blob)
        self.assertEqual(self.opened(blob), PLAINTEXT)
        data_key = self.client().generate_data_key(
            KeyId=key, KeySpec="AES_256", EncryptionContext=CONTEXT)
        self.assertEqual(self.opened(data_key["CiphertextBlob"]),
                         data_key["Plaintext"])
        with self.assertRaises(ClientError):
            self.client().decrypt(CiphertextBlob=blob)

        # Each side stops, dies and comes back.
        self.assertEqual(self.proxy.server.stop(), 0)
        self.refused(blob)
        self.proxy.server.start()
        self.assertEqual(self.opened(blob), PLAINTEXT)
        self.assertEqual(self.kms.stop(), 0)
        self.kms.start()
        self.assertEqual(self.state(store), "CONNECTED")
        self.assertEqual(self.opened(blob), PLAINTEXT)
        for server in (self.proxy.server, self.kms):
            for pid in family(server):
                strike(pid)
            server.kill()
            server.start()
            wait_until(lambda: self.is_open(blob), "the circle")

        # The audit logs of both sides know of one another.
        mine = [record for record in audit_records(self.kms)
                if record.get("eventName") == "Decrypt"
                and "errorCode" not in record][-1]
        theirs = [record for record in audit_records(self.proxy.server)
                  if record.get("eventSource") == "kms-xks-proxy.amazonaws.com"
                  and record["eventName"] == "Decrypt"][-1]
        self.assertEqual(theirs["requestParameters"]["kmsRequestId"],
                         mine["requestID"])
        self.assertEqual(theirs["userIdentity"]["arn"],
                         mine["userIdentity"]["arn"])

    def is_open(self, blob):
        try:
            return self.opened(blob) == PLAINTEXT
        except ClientError:
            return False

    def refused(self, blob):
        with self.assertRaises(ClientError) as raised:
            self.opened(blob)
        self.assertEqual(raised.exception.response["Error"]["Code"],
                         "KMSInvalidStateException")

    def test_nothing_is_decrypted_that_the_other_side_refuses(self):
        store = self.make_store()
        self.connect(store)
        key = self.make_key(store)["KeyId"]
        blob = self.client().encrypt(KeyId=key, Plaintext=PLAINTEXT,
                           EncryptionContext=CONTEXT)["CiphertextBlob"]
        self.proxy.claviger("xks", "rotate-key", "team-a", KEY)
        self.assertEqual(self.opened(blob), PLAINTEXT)
        self.proxy.claviger("xks", "disable", "team-a", KEY)
        self.refused(blob)
        self.proxy.claviger("xks", "enable", "team-a", KEY)
        self.assertEqual(self.opened(blob), PLAINTEXT)
        self.aws("disconnect-custom-key-store", "--custom-key-store-id", store)
        self.assertEqual(
            self.aws("describe-key", "--key-id", key)["KeyMetadata"]["KeyState"],
            "Unavailable")
        before = self.requests()
        self.refused(blob)
        self.assertEqual(self.requests(), before)
        self.connect(store)
        self.assertEqual(self.opened(blob), PLAINTEXT)

    def requests(self):
        """How often a key was asked for at the proxy."""
        return len([record for record in audit_records(self.proxy.server)
                    if record.get("eventName") in ("Encrypt", "Decrypt")])


if __name__ == "__main__":
    unittest.main()
