# SPDX-License-Identifier: Apache-2.0
"""Keys that the token wraps and the store keeps: the same to every client."""

import contextlib
import os
import sqlite3
import subprocess
import unittest

import botocore.exceptions

from testlib.clients import boto3_client
from testlib.faults import BIN, FaultCase

WRAPPED = "--dev-wrapped"
KINDS = [("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"), ("HMAC_256",
         "GENERATE_VERIFY_MAC"), ("ECC_NIST_P256", "SIGN_VERIFY"),
         ("RSA_2048", "SIGN_VERIFY"), ("RSA_2048", "ENCRYPT_DECRYPT"),
         ("ECC_NIST_P384", "KEY_AGREEMENT"),
         ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY")]
MESSAGE = b"a message"


def token_objects(server):
    """How many objects its token has: each is a file and a lock."""
    return len(list((server.dev / "tokens").rglob("*.object"))) - 1


def rows(server, query):
    path = server.dev / "claviger.db"
    with contextlib.closing(sqlite3.connect(path)) as store:
        return store.execute(query).fetchall()


class WrappedTest(FaultCase):

    def setUp(self):
        self.server = self.new_server(WRAPPED).start()
        self.kms = boto3_client(self.server)

    def restart(self, *options):
        self.assertEqual(self.server.stop(), 0)
        self.server.options = options
        self.server.start()
        self.kms = boto3_client(self.server)

    def make(self, spec="SYMMETRIC_DEFAULT", usage="ENCRYPT_DECRYPT"):
        made = self.ask(self.server, "CreateKey", KeySpec=spec, KeyUsage=usage)
        return made["KeyMetadata"]["KeyId"]

    def test_no_key_but_of_curve_25519_is_on_the_token(self):
        before = token_objects(self.server)
        for kind in KINDS:
            self.make(*kind)
        self.assertEqual(token_objects(self.server), before + 1)
        self.assertEqual(
            rows(self.server, "SELECT count(*) FROM key_materials "
                 "WHERE wrapped IS NOT NULL"), [(len(KINDS) - 1,)])

    def test_a_key_moves_with_its_rotation(self):
        key = self.make()
        blobs = []
        for options in ((), (WRAPPED,), ()):
            blobs.append(self.kms.encrypt(
                KeyId=key, Plaintext=MESSAGE)["CiphertextBlob"])
            self.restart(*options)
            self.ask(self.server, "RotateKeyOnDemand", KeyId=key)
            for blob in blobs:
                opened = self.kms.decrypt(CiphertextBlob=blob)
                self.assertEqual(opened["Plaintext"], MESSAGE)
        self.assertEqual(
            [wrapped for wrapped, in rows(
                self.server, "SELECT wrapped IS NOT NULL FROM key_materials "
                "ORDER BY ordinal")], [1, 0, 1, 0])

    def move(self, key, placement):
        subprocess.run(
            [BIN / "claviger", "--endpoint",
             self.server.dev / "clavigerd.sock", "key", "move", key,
             "--placement", placement],
            check=True, capture_output=True, timeout=60)

    def test_a_key_moves_without_a_restart(self):
        key = self.make()
        blobs = []
        for placement in ("resident", "wrapped", "resident"):
            blobs.append(self.kms.encrypt(
                KeyId=key, Plaintext=MESSAGE)["CiphertextBlob"])
            self.move(key, placement)
            for blob in blobs:
                opened = self.kms.decrypt(CiphertextBlob=blob)
                self.assertEqual(opened["Plaintext"], MESSAGE)
        self.assertEqual(
            rows(self.server, "SELECT wrapped IS NOT NULL FROM key_materials"),
            [(0,), (0,)])
        self.assertEqual(rows(self.server, "SELECT * FROM intents"), [])
        self.check_audit(self.server)

    def test_a_thousand_keys(self):
        keys = [self.make() for _ in range(1000)]
        blobs = [self.kms.encrypt(KeyId=key, Plaintext=key.encode())[
            "CiphertextBlob"] for key in keys]
        self.restart(WRAPPED)
        for key, blob in zip(keys, blobs):
            opened = self.kms.decrypt(CiphertextBlob=blob)
            self.assertEqual(opened["Plaintext"], key.encode())

    def test_a_store_with_swapped_rows_opens_nothing(self):
        """Rows that are mixed up are noticed."""
        one, other = self.make(), self.make()
        blob = self.kms.encrypt(KeyId=one, Plaintext=MESSAGE)["CiphertextBlob"]
        self.assertEqual(self.server.stop(), 0)
        path = self.server.dev / "claviger.db"
        with contextlib.closing(sqlite3.connect(path)) as store, store:
            store.execute(
                "UPDATE key_materials SET wrapped = (SELECT wrapped FROM "
                "key_materials WHERE key_id = ?) WHERE key_id = ?",
                (other, one))
        self.server.start()
        kms = boto3_client(self.server)
        with self.assertRaises(kms.exceptions.KeyUnavailableException):
            kms.decrypt(CiphertextBlob=blob)
        with self.assertRaises(kms.exceptions.KeyUnavailableException):
            kms.encrypt(KeyId=one, Plaintext=MESSAGE)
        kms.encrypt(KeyId=other, Plaintext=MESSAGE)

    def test_a_row_of_another_key_is_refused(self):
        one, other = self.make(), self.make()
        self.assertEqual(self.server.stop(), 0)
        path = self.server.dev / "claviger.db"
        columns = "wrapped, wrapping_key, check_value"
        with contextlib.closing(sqlite3.connect(path)) as store, store:
            store.execute(
                f"UPDATE key_materials SET ({columns}) = (SELECT {columns} "
                "FROM key_materials WHERE key_id = ?) WHERE key_id = ?",
                (other, one))
        self.server.start()
        kms = boto3_client(self.server)
        with self.assertRaises(botocore.exceptions.ClientError):
            kms.encrypt(KeyId=one, Plaintext=MESSAGE)
        kms.encrypt(KeyId=other, Plaintext=MESSAGE)

    def test_without_the_wrapping_key_nothing_is_served(self):
        self.make()
        self.assertEqual(self.server.stop(), 0)
        (locator,), = rows(self.server, "SELECT locator FROM service_keys "
                           "WHERE purpose LIKE 'wrapping-key/%'")
        conf = self.server.folder / "softhsm2.conf"
        conf.write_text(f"directories.tokendir = {self.server.dev}/tokens\n")
        subprocess.run(
            ["pkcs11-tool", "--module", "/usr/lib/softhsm/libsofthsm2.so",
             "--token-label", "claviger-dev", "--login", "--pin", "env:PIN",
             "--delete-object", "--type", "secrkey", "--id", locator.hex()],
            check=True, capture_output=True, timeout=60,
            env={**os.environ, "SOFTHSM2_CONF": str(conf),
                 "PIN": (self.server.dev / "pin").read_text().strip()})
        for options in ((WRAPPED,), ()):
            self.server.options = options
            self.assertIn("wrapping-key/", self.start_refused(self.server))


if __name__ == "__main__":
    unittest.main()
