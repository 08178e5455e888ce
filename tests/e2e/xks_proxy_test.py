# SPDX-License-Identifier: Apache-2.0
"""The XKS proxy: what the KMS of a tenant may ask, and what it is told."""

import base64
import contextlib
import datetime
import http.client
import json
import re
import shutil
import signal
import sqlite3
import ssl
import unittest
from unittest import mock

from testlib.authority import Authority
from testlib.clients import send
from testlib.faults import audit_records, strike, wait_until, workers_of
from testlib.xks import AWS, METADATA, Kms, Proxy, b64, integrity_value

KEY = "key-1"
CANARY = b"canary-of-the-xks-proxy-test"
TENANTS = [{"name": "team-a", "uri_prefix": "/team-a"},
           {"name": "team-b", "uri_prefix": "/team-b",
            "regions": ["eu-west-1"]}]


def flipped(text):
    data = bytearray(base64.b64decode(text))
    data[0] ^= 1
    return b64(bytes(data))


class XksCase(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.proxy = Proxy(TENANTS)
        cls.addClassCleanup(cls.proxy.close)
        cls.proxy.start()
        cls.proxy.claviger("xks", "create-key", "team-a", KEY)
        cls.kms = cls.proxy.kms("team-a")

    def refused(self, reply, status, name):
        self.assertEqual((reply.status, reply.json and reply.json["errorName"]),
                         (status, name), reply.text)
        message = reply.json.get("errorMessage", "")
        self.assertRegex(message, re.compile(r"^[ -~]{0,511}$"))

    def sealed(self, plaintext=CANARY, aad=b"aad", kms=None, key=KEY):
        reply = (kms or self.kms).encrypt(key, plaintext, aad)
        self.assertEqual(reply.status, 200, reply.text)
        return reply.json

    def opened(self, sealed, aad=b"aad", kms=None, key=KEY):
        reply = (kms or self.kms).decrypt(key, sealed, aad)
        self.assertEqual(reply.status, 200, reply.text)
        return base64.b64decode(reply.json["plaintext"])


class Operations(XksCase):

    def test_health_says_how_the_token_does(self):
        reply = self.kms.ask("health")
        self.assertEqual(reply.status, 200, reply.text)
        self.assertNotIn("\n", reply.text)
        self.assertEqual(reply.headers["Content-Type"], "application/json")
        health = reply.json
        self.assertGreater(health["xksProxyFleetSize"], 0)
        for name in ("xksProxyVendor", "xksProxyModel", "ekmVendor"):
            self.assertTrue(health[name])
        (manager,) = health["ekmFleetDetails"]
        self.assertEqual(manager["healthStatus"], "ACTIVE")
        self.assertIn("SoftHSM", manager["model"])

    def test_metadata_of_a_key(self):
        reply = self.kms.ask("metadata", KEY)
        self.assertEqual(reply.json, {
            "keySpec": "AES_256", "keyUsage": ["ENCRYPT", "DECRYPT"],
            "keyStatus": "ENABLED"})

    def test_what_is_encrypted_is_decrypted(self):
        for plaintext, aad in ((b"", None), (b"x", b""), (CANARY, b"aad"),
                               (b"p" * 8192, b"a" * 16384)):
            sealed = self.kms.encrypt(KEY, plaintext, aad).json
            self.assertEqual(len(base64.b64decode(sealed["ciphertext"])),
                             len(plaintext))
            self.assertEqual(
                len(base64.b64decode(sealed["initializationVector"])), 12)
            self.assertEqual(
                len(base64.b64decode(sealed["authenticationTag"])), 16)
            self.assertEqual(
                base64.b64decode(sealed["ciphertextMetadata"])[:5],
                b"\x03\x00\x00\x00\x01")
            self.assertNotIn("ciphertextDataIntegrityValue", sealed)
            self.assertEqual(self.opened(sealed, aad), plaintext)

    def test_the_integrity_value_is_of_what_was_sent(self):
        sealed = self.kms.encrypt(KEY, CANARY, b"aad", integrity=True).json
        self.assertEqual(sealed["ciphertextDataIntegrityValue"],
                         integrity_value(b"aad", sealed))

    def test_whatever_is_changed_is_noticed(self):
        sealed = self.sealed()
        other = self.sealed()
        for name in ("ciphertext", "initializationVector", "authenticationTag",
                     "ciphertextMetadata"):
            # Both may have been made under one message key.
            for value in {flipped(sealed[name]), other[name]} - {sealed[name]}:
                self.refused(self.kms.decrypt(
                    KEY, sealed, b"aad", **{name: value}),
                    400, "InvalidCiphertextException")
        self.refused(self.kms.decrypt(KEY, sealed, b"aae"), 400,
                     "InvalidCiphertextException")
        self.refused(self.kms.decrypt(KEY, sealed), 400,
                     "InvalidCiphertextException")
        self.refused(self.kms.decrypt(KEY, sealed, b"aad",
                                      ciphertextMetadata=None),
                     400, "InvalidCiphertextException")

    def test_metadata_cannot_pass_for_aad(self):
        sealed = self.sealed(aad=b"")
        metadata = base64.b64decode(sealed["ciphertextMetadata"])
        self.refused(self.kms.decrypt(KEY, sealed, metadata,
                                      ciphertextMetadata=None),
                     400, "InvalidCiphertextException")

    def test_an_iv_of_16_bytes_is_none_of_ours(self):
        sealed = self.sealed()
        self.refused(self.kms.decrypt(KEY, sealed, b"aad",
                                      initializationVector=b64(bytes(16))),
                     400, "InvalidCiphertextException")

    def test_what_nobody_knows_yet_is_ignored(self):
        metadata = {**METADATA, "kmsOperation": "SomethingNew", "new": [1]}
        reply = self.kms.ask("encrypt", KEY, metadata, plaintext=b64(b"x"),
                             encryptionAlgorithm="AES_GCM", future={"a": 1})
        self.assertEqual(reply.status, 200, reply.text)


class Refusals(XksCase):

    def test_members_that_are_missing_or_wrong(self):
        good = {"requestMetadata": METADATA, "plaintext": b64(b"x"),
                "encryptionAlgorithm": "AES_GCM"}
        path = f"{self.kms.path}/keys/{KEY}/encrypt"
        wrong = [{name: value for name, value in good.items() if name != left}
                 for left in good]
        wrong += [{**good, name: value} for name, value in (
            ("encryptionAlgorithm", "AES_CBC"), ("plaintext", "=x"),
            ("plaintext", 7), ("plaintext", "-_-_"), ("requestMetadata", "x"),
            ("additionalAuthenticatedData", "a"),
            ("ciphertextDataIntegrityValueAlgorithm", "MD5"))]
        wrong += [{**good, "requestMetadata": {
            name: value for name, value in METADATA.items() if name != left}}
            for left in ("awsPrincipalArn", "kmsOperation", "kmsKeyArn",
                         "kmsRequestId")]
        for body in wrong + [b"", b"[]", b"{", b"<html>"]:
            self.refused(self.kms.post(path, body), 400, "ValidationException")
        self.assertEqual(self.kms.post(path, good).status, 200)

    def test_sizes_that_cannot_be(self):
        sealed = self.sealed()
        for name, value in (("initializationVector", bytes(11)),
                            ("authenticationTag", bytes(15)),
                            ("ciphertextMetadata", bytes(21))):
            self.refused(self.kms.decrypt(KEY, sealed, b"aad",
                                          **{name: b64(value)}),
                         400, "ValidationException")

    def test_more_than_it_takes(self):
        for plaintext, aad in ((b"p" * 8193, None), (b"p", b"a" * 16385)):
            self.refused(self.kms.encrypt(KEY, plaintext, aad), 501,
                         "UnsupportedOperationException")
        path = f"{self.kms.path}/keys/{KEY}/encrypt"
        for size in (70000, 300000):
            self.refused(self.kms.post(path, b"x" * size), 501,
                         "UnsupportedOperationException")

    def test_a_body_that_is_far_too_large_is_not_waited_for(self):
        link = self.kms.connect()
        self.addCleanup(link.close)
        link.putrequest("POST", f"{self.kms.path}/keys/{KEY}/encrypt")
        link.putheader("Content-Length", str(1 << 30))
        link.endheaders()
        reply = link.getresponse()
        self.assertEqual(reply.status, 501)
        self.assertEqual(json.loads(reply.read())["errorName"],
                         "UnsupportedOperationException")
        self.assertEqual(reply.headers["Connection"], "close")

    def test_paths(self):
        for path in ("/", "/kms/xks/v1/health", "/team-c/kms/xks/v1/health",
                     "/team-a/kms/xks/v2/health", "/team-a/kms/xks/v1/healthz",
                     "/team-a/kms/xks/v1/keys/a/sign",
                     "/team-a/kms/xks/v1/keys/%41/metadata",
                     "/team-a/kms/xks/v1/health?x=1"):
            self.refused(self.kms.post(path, {}), 404,
                         "InvalidUriPathException")
        got = self.kms.send("GET", "/team-a/kms/xks/v1/health")
        self.assertEqual((got.status, got.headers["Allow"]), (405, "POST"))
        self.assertEqual(self.kms.send("GET", "/ping").status, 200)

    def test_load_balancers_may_ask_without_tls(self):
        def ask(method, path):
            connection = http.client.HTTPConnection(
                "127.0.0.1", self.proxy.ping_port, timeout=10)
            self.addCleanup(connection.close)
            connection.request(method, path)
            return connection.getresponse().status

        self.assertEqual(ask("GET", "/ping"), 200)
        self.assertEqual(ask("POST", "/ping"), 405)
        self.assertEqual(ask("POST", self.kms.path + "/health"), 404)

    def test_a_key_that_is_not_there(self):
        self.refused(self.kms.ask("metadata", "key-2"), 404,
                     "KeyNotFoundException")
        self.refused(self.kms.encrypt("key-2", b"x"), 404,
                     "KeyNotFoundException")

    def test_signatures(self):
        config = {"XksProxyUriPath": self.kms.path,
                  "XksProxyAuthenticationCredential": {
                      "AccessKeyId": self.kms.credentials.access_key,
                      "RawSecretAccessKey": self.kms.credentials.secret_key}}
        for change in ({"service": "kms"},
                       {"credentials": mock.Mock(
                           access_key=self.kms.credentials.access_key,
                           secret_key="x" * 43, token=None)},
                       {"credentials": mock.Mock(
                           access_key="A" * 20, token=None,
                           secret_key=self.kms.credentials.secret_key)}):
            other = Kms(self.proxy, config)
            vars(other).update(change)
            self.refused(other.ask("health"), 401,
                         "AuthenticationFailedException")
        path = self.kms.path + "/health"
        body = json.dumps({"requestMetadata": METADATA}).encode()
        unsigned = self.kms.send("POST", path, body)
        self.refused(unsigned, 401, "AuthenticationFailedException")
        headers = self.kms.signed(path, body)
        self.refused(self.kms.send("POST", path, body + b" ", headers), 401,
                     "AuthenticationFailedException")

    def test_five_minutes_and_no_more(self):
        for minutes, status in ((-4, 200), (4, 200), (-6, 401), (6, 401)):
            then = datetime.datetime.utcnow() + datetime.timedelta(
                minutes=minutes)
            with mock.patch("botocore.auth.datetime") as clock:
                clock.datetime.utcnow.return_value = then
                self.assertEqual(self.kms.ask("health").status, status)

    def test_a_tenant_is_alone(self):
        self.proxy.claviger("xks", "create-key", "team-b", "key-b")
        other = self.proxy.kms("team-b")
        other.region = "eu-west-1"
        self.assertEqual(other.ask("metadata", "key-b").status, 200)
        self.refused(other.ask("metadata", KEY), 404, "KeyNotFoundException")
        self.refused(self.kms.ask("metadata", "key-b"), 404,
                     "KeyNotFoundException")
        mine = other.path
        other.path = self.kms.path
        self.refused(other.ask("health"), 401, "AuthenticationFailedException")
        other.path, other.region = mine, "us-east-1"
        self.refused(other.ask("health"), 401, "AuthenticationFailedException")


class Administration(XksCase):

    def test_rotation_keeps_what_was(self):
        self.proxy.claviger("xks", "create-key", "team-a", "rotated")
        first = self.sealed(key="rotated")
        said = self.proxy.claviger("xks", "rotate-key", "team-a", "rotated")
        self.assertIn("version 2", said.stdout)
        second = self.sealed(key="rotated")
        self.assertEqual(base64.b64decode(second["ciphertextMetadata"])[4], 2)
        for sealed in (first, second):
            self.assertEqual(self.opened(sealed, key="rotated"), CANARY)
        swapped = dict(first)
        metadata = bytearray(base64.b64decode(first["ciphertextMetadata"]))
        metadata[4] = 2
        swapped["ciphertextMetadata"] = b64(bytes(metadata))
        self.refused(self.kms.decrypt("rotated", swapped, b"aad"), 400,
                     "InvalidCiphertextException")

    def test_a_disabled_key_says_so_and_does_nothing(self):
        self.proxy.claviger("xks", "create-key", "team-a", "tired")
        sealed = self.sealed(key="tired")
        self.proxy.claviger("xks", "disable", "team-a", "tired")
        self.assertEqual(
            self.kms.ask("metadata", "tired").json["keyStatus"], "DISABLED")
        self.refused(self.kms.encrypt("tired", b"x"), 400,
                     "InvalidStateException")
        self.refused(self.kms.decrypt("tired", sealed, b"aad"), 400,
                     "InvalidStateException")
        self.proxy.claviger("xks", "enable", "team-a", "tired")
        self.assertEqual(self.opened(sealed, key="tired"), CANARY)

    def test_two_credentials_so_that_one_can_go(self):
        first = self.kms
        path = self.proxy.folder / "second"
        self.proxy.claviger("xks", "credentials", "rotate", "team-a", str(path))
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        second = Kms(self.proxy, {
            "XksProxyUriPath": first.path,
            "XksProxyAuthenticationCredential": json.loads(path.read_text())})
        for kms in (first, second):
            self.assertEqual(kms.ask("health").status, 200)
        third = self.proxy.claviger("xks", "credentials", "rotate", "team-a",
                                    str(self.proxy.folder / "third"),
                                    check=False)
        self.assertEqual(third.returncode, 1)
        self.assertIn("two credentials", third.stderr)
        self.assertFalse((self.proxy.folder / "third").exists())
        self.proxy.claviger("xks", "credentials", "delete", "team-a",
                            second.credentials.access_key)
        self.assertEqual(first.ask("health").status, 200)
        self.refused(second.ask("health"), 401,
                     "AuthenticationFailedException")
        listed = self.proxy.claviger("xks", "credentials", "list", "team-a")
        self.assertEqual(listed.stdout.split(),
                         [first.credentials.access_key])

    def test_what_cannot_be_is_said(self):
        for words, text in (
                (("create-key", "team-a", KEY), "already exists"),
                (("create-key", "team-z", "x"), "team-a, team-b"),
                (("rotate-key", "team-a", "nothing"), "does not exist"),
                (("disable", "team-a", "nothing"), "does not exist"),
                (("create-key", "team-a", "no/slash"), "externalKeyId")):
            run = self.proxy.claviger("xks", *words, check=False)
            self.assertEqual(run.returncode, 1, words)
            self.assertIn(text.lower(), run.stderr.lower())

    def test_everything_is_found_again_after_a_restart(self):
        sealed = self.sealed()
        self.assertEqual(self.proxy.server.stop(), 0)
        self.proxy.server.start()
        self.assertEqual(self.opened(sealed), CANARY)

    def test_a_worker_that_dies_costs_no_more_than_its_requests(self):
        sealed = self.sealed()
        for pid in workers_of(self.proxy.server):
            strike(pid)
        wait_until(lambda: self.kms.decrypt(KEY, sealed, b"aad").status == 200,
                   "a worker")

    def test_a_token_that_does_not_answer_in_time(self):
        workers = workers_of(self.proxy.server)
        for pid in workers:
            strike(pid, signal.SIGSTOP)
        try:
            self.refused(self.kms.encrypt(KEY, b"x"), 503,
                         "DependencyTimeoutException")
            # Long before the workers themselves are given up.
            self.assertEqual(workers_of(self.proxy.server), workers)
        finally:
            for pid in workers:
                strike(pid, signal.SIGCONT)
        wait_until(lambda: self.kms.encrypt(KEY, b"x").status == 200,
                   "the token")

    def test_a_token_that_is_lost_and_comes_back(self):
        sealed = self.sealed()
        server = self.proxy.server
        tokens, aside = server.dev / "tokens", server.dev / "tokens-aside"

        def health():
            (manager,) = self.kms.ask("health").json["ekmFleetDetails"]
            return manager["healthStatus"]

        def ready():
            return send(server, "GET", "/readyz").status == 200

        tokens.rename(aside)
        tokens.mkdir()  # Without a token.
        for pid in workers_of(server):
            strike(pid)
        wait_until(lambda: not ready(), "/readyz says 503")
        wait_until(lambda: health() == "UNAVAILABLE", "health says so")
        self.assertEqual(self.kms.encrypt(KEY, b"x").status, 500)
        shutil.rmtree(tokens)
        aside.rename(tokens)
        wait_until(ready, "/readyz says 200")
        wait_until(lambda: health() == "ACTIVE", "health says so")
        self.assertEqual(self.opened(sealed), CANARY)

    def test_the_audit_log_tells_who_and_what_and_no_secret(self):
        sealed = self.sealed()
        self.refused(self.kms.decrypt(KEY, sealed, b"other"), 400,
                     "InvalidCiphertextException")
        records = [record for record in audit_records(self.proxy.server)
                   if record.get("eventSource") == "kms-xks-proxy.amazonaws.com"]
        done, failed = records[-2:]
        self.assertEqual(done["eventName"], "Encrypt")
        self.assertEqual(done["userIdentity"]["arn"],
                         METADATA["awsPrincipalArn"])
        self.assertEqual(done["userIdentity"]["accessKeyId"],
                         self.kms.credentials.access_key)
        took = done["requestParameters"].pop("milliseconds")
        self.assertIsInstance(took, int)
        self.assertEqual(done["requestParameters"], {
            "tenant": "team-a", "externalKeyId": KEY, "keyVersion": 1,
            "keyStore": "default",
            **{name: METADATA[name] for name in (
                "kmsRequestId", "kmsOperation", "kmsKeyArn",
                "kmsViaService")}})
        self.assertEqual(done["resources"][0]["ARN"],
                         f"arn:aws:xks:::team-a/{KEY}")
        self.assertEqual(failed["errorCode"], "InvalidCiphertextException")
        secret = self.kms.credentials.secret_key
        for path in [self.proxy.server.log,
                     *self.proxy.server.dev.rglob("*")]:
            if path.is_file() and "tokens" not in path.parts:
                data = path.read_bytes()
                for canary in (CANARY, b64(CANARY).encode(), secret.encode()):
                    self.assertNotIn(canary, data, path)


class Policies(unittest.TestCase):

    def test_who_the_policy_names_and_nobody_else(self):
        proxy = Proxy([])
        self.addCleanup(proxy.close)
        policy = proxy.folder / "policy.json"
        policy.write_text(json.dumps({
            "Version": "2012-10-17", "Statement": [
                {"Sid": "Alice", "Effect": "Allow", "Principal": {
                    "AWS": "arn:aws:iam::111122223333:user/Alice"},
                 "Action": "xks:*", "Resource": "arn:aws:xks:::t/*"},
                {"Sid": "Services", "Effect": "Allow", "Principal": "*",
                 "Action": "xks:Decrypt", "Resource": "*",
                 "Condition": {"StringEquals": {"xks:KmsViaService": "s3"}}},
                {"Sid": "NoCopies", "Effect": "Deny", "Principal": "*",
                 "Action": "xks:Encrypt", "Resource": "*",
                 "Condition": {"StringLike": {
                     "xks:KmsOperation": "ReEncrypt*"}}}]}))
        proxy.tables = [{"name": "t", "policy": str(policy)}]
        proxy.write()
        proxy.start()
        proxy.claviger("xks", "create-key", "t", KEY)
        kms = proxy.kms("t")
        self.assertEqual(kms.path, "/kms/xks/v1")
        bob = {**METADATA,
               "awsPrincipalArn": "arn:aws:iam::111122223333:user/Bob"}
        members = {"plaintext": b64(b"x"), "encryptionAlgorithm": "AES_GCM"}
        for metadata, status in (
                (METADATA, 200), (bob, 403),
                ({**METADATA, "kmsOperation": "ReEncrypt"}, 403)):
            reply = kms.ask("encrypt", KEY, metadata, **members)
            self.assertEqual(reply.status, status, reply.text)
        self.assertEqual(reply.json["errorName"], "AccessDeniedException")
        self.assertEqual(kms.ask("health", metadata=bob).status, 200)
        sealed = kms.encrypt(KEY, b"x").json
        wanted = {name: sealed[name] for name in sealed}
        for via, status in (("s3", 200), ("ebs", 403), (None, 403)):
            metadata = {name: value for name, value in
                        {**bob, "kmsViaService": via}.items() if value}
            reply = kms.ask("decrypt", KEY, metadata,
                            encryptionAlgorithm="AES_GCM", **wanted)
            self.assertEqual(reply.status, status, reply.text)
        denied = [record for record in audit_records(proxy.server)
                  if record.get("errorCode") == "AccessDeniedException"]
        self.assertEqual(denied[1]["additionalEventData"]["decision"]["sid"],
                         "NoCopies")


class Forgotten(unittest.TestCase):

    def test_a_tenant_that_is_not_configured_can_still_be_cleaned_up(self):
        proxy = Proxy([{"name": "old", "uri_prefix": "/old"}])
        self.addCleanup(proxy.close)
        proxy.start()
        proxy.claviger("xks", "create-key", "old", KEY)
        kms = proxy.kms("old")
        self.assertEqual(kms.ask("health").status, 200)
        self.assertEqual(proxy.server.stop(), 0)
        proxy.tables = [{"name": "new", "uri_prefix": "/new"}]
        proxy.write()
        proxy.server.start()
        self.assertEqual(kms.ask("health").status, 404)
        self.assertIn("has the name old", proxy.server.log_text())
        self.assertIn(KEY, proxy.claviger("xks", "keys", "old").stdout)
        proxy.claviger("xks", "disable", "old", KEY)
        proxy.claviger("xks", "credentials", "delete", "old",
                       kms.credentials.access_key)
        created = proxy.claviger("xks", "create-key", "old", "x", check=False)
        self.assertIn("There is no XKS tenant", created.stderr)


class MovedObjects(unittest.TestCase):
    """Whoever can write to the store gives a key the object of another."""

    def setUp(self):
        self.proxy = Proxy([{"name": "t"}])
        self.addCleanup(self.proxy.close)
        self.proxy.start()

    def swap(self, one, other, with_check_values=False):
        self.assertEqual(self.proxy.server.stop(), 0)
        (store,) = self.proxy.server.dev.rglob("claviger.db")
        with contextlib.closing(sqlite3.connect(store)) as link, link:
            locators = dict(link.execute(
                "SELECT id, locator FROM external_key_versions"))
            for key, locator in ((one, b"-"), (other, locators[one]),
                                 (one, locators[other])):
                link.execute("UPDATE external_key_versions SET locator = ? "
                             "WHERE id = ?", (locator, key))
            if with_check_values:
                values = dict(link.execute(
                    "SELECT id, check_value FROM external_key_versions"))
                for key, value in ((one, values[other]), (other, values[one])):
                    link.execute("UPDATE external_key_versions SET "
                                 "check_value = ? WHERE id = ?", (value, key))
        self.proxy.server.start()

    def test_check_values_are_of_one_key_only(self):
        for key in ("one", "two"):
            self.proxy.claviger("xks", "create-key", "t", key)
        kms = self.proxy.kms("t")
        sealed = kms.encrypt("one", CANARY, b"aad").json
        self.swap("one", "two", with_check_values=True)
        for reply in (kms.decrypt("two", sealed, b"aad"),
                      kms.encrypt("one", CANARY, b"aad")):
            self.assertEqual((reply.status, reply.json["errorName"]),
                             (500, "InternalException"), reply.text)

    def test_such_keys_are_refused_and_no_others(self):
        for key in ("one", "two", "three"):
            self.proxy.claviger("xks", "create-key", "t", key)
        kms = self.proxy.kms("t")
        sealed = {key: kms.encrypt(key, CANARY, b"aad").json
                  for key in ("one", "two", "three")}
        self.swap("one", "two")
        for key in ("one", "two"):
            for _ in range(2):
                for reply in (kms.encrypt(key, CANARY, b"aad"),
                              kms.decrypt(key, sealed[key], b"aad")):
                    self.assertEqual(
                        (reply.status, reply.json["errorName"]),
                        (500, "InternalException"), reply.text)
            self.assertIn(f"version 1 of external key arn:aws:xks:::t/{key} is "
                          "refused", self.proxy.server.log_text())
        self.assertEqual(kms.encrypt("three", CANARY, b"aad").status, 200)
        self.assertEqual(
            kms.decrypt("three", sealed["three"], b"aad").status, 200)
        self.swap("one", "two")
        self.assertEqual(kms.decrypt("one", sealed["one"], b"aad").status, 200)


class Quotas(unittest.TestCase):

    def test_more_than_the_quota_is_throttled(self):
        proxy = Proxy([{"name": "t", "requests_per_second": 1}])
        self.addCleanup(proxy.close)
        proxy.start()
        kms = proxy.kms("t")
        replies = [kms.ask("health") for _ in range(12)]
        throttled = [reply for reply in replies if reply.status == 429]
        self.assertTrue(throttled)
        self.assertEqual(throttled[0].json["errorName"], "ThrottlingException")
        self.assertEqual(replies[0].status, 200)


class MutualTls(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.proxy = Proxy([{"name": "t"}], mutual=True)
        cls.addClassCleanup(cls.proxy.close)
        cls.proxy.start()
        cls.config = cls.proxy.credential("t")
        cls.issue = cls.proxy.authority.issue

    def test_aws_is_served(self):
        certificate = self.issue("aws", "DNS:client", common_name=AWS)
        kms = Kms(self.proxy, self.config, certificate)
        self.assertEqual(kms.ask("health").status, 200)

    def test_another_name_or_authority_gets_the_alert_handshake_failure(self):
        stranger = Authority(self.proxy.folder / "stranger")
        for certificate in (
                self.issue("other", "DNS:client", common_name="other." + AWS),
                stranger.issue("aws", "DNS:client", common_name=AWS)):
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                kms = Kms(self.proxy, self.config, certificate)
                kms.context.minimum_version = version
                kms.context.maximum_version = version
                with self.assertRaises(ssl.SSLError) as raised:
                    kms.ask("health")
                self.assertIn("HANDSHAKE_FAILURE",
                              str(raised.exception).upper().replace(" ", "_"))

    def test_no_certificate_is_not_enough(self):
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            Kms(self.proxy, self.config).ask("health")


if __name__ == "__main__":
    unittest.main()
