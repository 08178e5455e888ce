# SPDX-License-Identifier: Apache-2.0
"""GenerateDataKey, GenerateDataKeyWithoutPlaintext, GenerateRandom."""

import base64
import re
import unittest

from testlib import ServerCase
from testlib.case import ABSENT_KEY, b64

ONE_OF_BOTH = "Please specify either number of bytes or key spec."
DRY_RUN = "The request would have succeeded, but the DryRun option is set."
RECIPIENT = {"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256",
             "AttestationDocument": b64(b"nobody")}


class DataKeyCase(ServerCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.key = cls.kms.create_key()["KeyMetadata"]

    def material(self):
        shown = self.call("DescribeKey", KeyId=self.key["KeyId"])
        return shown["KeyMetadata"]["CurrentKeyMaterialId"]

    def opens(self, blob, **context):
        return self.kms.decrypt(CiphertextBlob=blob, **context)["Plaintext"]

    def refuses_bad_sizes(self, method):
        key = self.key["KeyId"]
        self.refuses("ValidationException", ONE_OF_BOTH, method, KeyId=key)
        self.refuses("ValidationException", ONE_OF_BOTH, method, KeyId=key,
                     KeySpec="AES_256", NumberOfBytes=32)
        self.invalid("'0' at 'numberOfBytes' failed to satisfy constraint: "
                     "Member must have value greater than or equal to 1",
                     method, KeyId=key, NumberOfBytes=0)
        self.invalid("'1025' at 'numberOfBytes' failed to satisfy constraint: "
                     "Member must have value less than or equal to 1024",
                     method, KeyId=key, NumberOfBytes=1025)
        self.invalid("'AES_512' at 'keySpec' failed to satisfy constraint: "
                     "Member must satisfy enum value set: ", method, KeyId=key,
                     KeySpec="AES_512")

    def refuses_bad_keys(self, method):
        self.refuses_unknown_keys(method, KeySpec="AES_256")


class GenerateDataKey(DataKeyCase):

    def test_the_reply(self):
        reply = self.call("GenerateDataKey", KeyId=self.key["KeyId"],
                          KeySpec="AES_256")
        self.assertEqual(set(reply), {"CiphertextBlob", "Plaintext", "KeyId",
                                      "KeyMaterialId"})
        self.assertEqual(reply["KeyId"], self.key["Arn"])
        self.assertEqual(reply["KeyMaterialId"], self.material())
        plaintext = base64.b64decode(reply["Plaintext"], validate=True)
        self.assertEqual(len(plaintext), 32)
        self.assertEqual(
            self.opens(base64.b64decode(reply["CiphertextBlob"])), plaintext)

    def test_every_size(self):
        for request, size in (({"KeySpec": "AES_128"}, 16),
                              ({"KeySpec": "AES_256"}, 32),
                              ({"NumberOfBytes": 1}, 1),
                              ({"NumberOfBytes": 64}, 64),
                              ({"NumberOfBytes": 1024}, 1024)):
            reply = self.kms.generate_data_key(KeyId=self.key["Arn"], **request)
            self.assertEqual(len(reply["Plaintext"]), size)
            self.assertEqual(self.opens(reply["CiphertextBlob"]),
                             reply["Plaintext"])

    def test_is_bound_to_its_context(self):
        context = {"EncryptionContext": {"tenant": "a"}}
        reply = self.kms.generate_data_key(KeyId=self.key["KeyId"],
                                           KeySpec="AES_256", **context)
        blob = reply["CiphertextBlob"]
        self.assertEqual(self.opens(blob, **context), reply["Plaintext"])
        self.refuses("InvalidCiphertextException", None, self.kms.decrypt,
                     CiphertextBlob=blob)

    def test_never_gives_the_same_key_twice(self):
        keys = {self.kms.generate_data_key(KeyId=self.key["KeyId"],
                                           KeySpec="AES_128")["Plaintext"]
                for _ in range(20)}
        self.assertEqual(len(keys), 20)

    def test_refuses(self):
        self.refuses_bad_sizes(self.kms.generate_data_key)
        self.refuses_bad_keys(self.kms.generate_data_key)

    def test_never_ignores_a_recipient(self):
        self.refuses("UnsupportedOperationException", re.compile(".*"),
                     "GenerateDataKey", KeyId=self.key["KeyId"],
                     KeySpec="AES_256", Recipient=RECIPIENT)

    def test_a_dry_run_never_succeeds(self):
        for operation in ("GenerateDataKey", "GenerateDataKeyWithoutPlaintext"):
            self.refuses("DryRunOperationException", DRY_RUN, operation,
                         KeyId=self.key["KeyId"], KeySpec="AES_256",
                         DryRun=True)
            arn = self.key_arn(ABSENT_KEY)
            self.refuses("NotFoundException", f"Key '{arn}' does not exist",
                         operation, KeyId=arn, KeySpec="AES_256", DryRun=True)


class GenerateDataKeyWithoutPlaintext(DataKeyCase):

    def test_the_reply(self):
        reply = self.call("GenerateDataKeyWithoutPlaintext",
                          KeyId=self.key["KeyId"], NumberOfBytes=48)
        self.assertEqual(set(reply), {"CiphertextBlob", "KeyId",
                                      "KeyMaterialId"})
        self.assertEqual(reply["KeyId"], self.key["Arn"])
        self.assertEqual(reply["KeyMaterialId"], self.material())
        opened = self.opens(base64.b64decode(reply["CiphertextBlob"]))
        self.assertEqual(len(opened), 48)

    def test_is_bound_to_its_context(self):
        context = {"EncryptionContext": {"tenant": "b"}}
        blob = self.kms.generate_data_key_without_plaintext(
            KeyId=self.key["KeyId"], KeySpec="AES_128",
            **context)["CiphertextBlob"]
        self.assertEqual(len(self.opens(blob, **context)), 16)
        self.refuses("InvalidCiphertextException", None, self.kms.decrypt,
                     CiphertextBlob=blob)

    def test_refuses(self):
        self.refuses_bad_sizes(self.kms.generate_data_key_without_plaintext)
        self.refuses_bad_keys(self.kms.generate_data_key_without_plaintext)


class GenerateRandom(ServerCase):

    def test_the_reply(self):
        reply = self.call("GenerateRandom", NumberOfBytes=32)
        self.assertEqual(set(reply), {"Plaintext"})
        self.assertEqual(len(base64.b64decode(reply["Plaintext"])), 32)

    def test_every_size(self):
        for size in (1, 2, 1023, 1024):
            reply = self.kms.generate_random(NumberOfBytes=size)
            self.assertEqual(len(reply["Plaintext"]), size)

    def test_never_gives_the_same_bytes_twice(self):
        drawn = {self.kms.generate_random(NumberOfBytes=16)["Plaintext"]
                 for _ in range(20)}
        self.assertEqual(len(drawn), 20)

    def test_refuses(self):
        draw = self.kms.generate_random
        self.refuses("ValidationException", "NumberOfBytes is required.", draw)
        self.invalid("'0' at 'numberOfBytes' failed to satisfy constraint: "
                     "Member must have value greater than or equal to 1", draw,
                     NumberOfBytes=0)
        self.invalid("'1025' at 'numberOfBytes' failed to satisfy constraint: "
                     "Member must have value less than or equal to 1024", draw,
                     NumberOfBytes=1025)
        self.refuses("CustomKeyStoreNotFoundException",
                     re.compile(".*"), draw, NumberOfBytes=1,
                     CustomKeyStoreId="cks-0123456789abcdef0")

    def test_never_ignores_a_recipient(self):
        self.refuses("UnsupportedOperationException", re.compile(".*"),
                     "GenerateRandom", NumberOfBytes=1, Recipient=RECIPIENT)


if __name__ == "__main__":
    unittest.main()
