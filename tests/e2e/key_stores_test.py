# SPDX-License-Identifier: Apache-2.0
"""Several key stores, to boto3: one whose token has no AES-GCM."""

import os
import unittest

from cloudhsm_test import MESSAGE, TwoTokens
from testlib.clients import boto3_client

THERE = "eu-west-1"

TABLE = """
[[key_store]]
name = "vault"
module = "{module}"
quirks = "softhsm"
token = "pkcs11:token=vault"
pin_file = "{folder}/pin"
socket = "{run}/claviger-hsm/vault.sock"
regions = ["{there}"]
workers = 1
"""


class WithoutGcm(TwoTokens):
    """A server whose second token is that of the keys of THERE."""

    def table(self):
        return TABLE.format(
            module=os.environ["CLAVIGER_SOFTHSM_WITHOUT_GCM"],
            folder=self.vault, run=self.run_folder, there=THERE)


class KeyStoreWithoutGcmTest(unittest.TestCase):

    def setUp(self):
        self.server = WithoutGcm()
        self.addCleanup(self.server.close)
        self.server.made().start()
        self.here = self.client(self.server.region)
        self.there = self.client(THERE)

    def client(self, region):
        client = boto3_client(self.server, region=region)
        self.addCleanup(client.close)
        return client

    def test_key_pairs_and_hmac_keys_are_served(self):
        key = self.there.create_key(
            KeySpec="ECC_NIST_P256",
            KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
        signed = {"KeyId": key, "Message": MESSAGE,
                  "SigningAlgorithm": "ECDSA_SHA_256"}
        signature = self.there.sign(**signed)["Signature"]
        self.assertTrue(self.there.verify(
            **signed, Signature=signature)["SignatureValid"])
        key = self.there.create_key(
            KeySpec="HMAC_256",
            KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["KeyId"]
        mac = self.there.generate_mac(
            KeyId=key, Message=MESSAGE, MacAlgorithm="HMAC_SHA_256")["Mac"]
        self.assertEqual(len(mac), 32)

    def test_symmetric_keys_are_refused_with_the_reason(self):
        refused = self.there.exceptions.UnsupportedOperationException
        with self.assertRaisesRegex(refused, "AES-GCM"):
            self.there.create_key()
        key = self.here.create_key()["KeyMetadata"]["KeyId"]
        sealed = self.here.encrypt(
            KeyId=key, Plaintext=MESSAGE)["CiphertextBlob"]
        self.assertEqual(
            self.here.decrypt(CiphertextBlob=sealed)["Plaintext"], MESSAGE)

    def test_the_token_is_known_again_after_a_restart(self):
        key = self.there.create_key(
            KeySpec="ECC_NIST_P256",
            KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
        self.assertEqual(self.server.stop_vault(), 0)
        self.assertEqual(self.server.stop(), [0, 0])
        self.server.start()
        self.assertTrue(self.there.sign(
            KeyId=key, Message=MESSAGE,
            SigningAlgorithm="ECDSA_SHA_256")["Signature"])


if __name__ == "__main__":
    unittest.main()
