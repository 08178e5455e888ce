# SPDX-License-Identifier: Apache-2.0
"""Encrypt, Decrypt, ReEncrypt."""

import base64
import re
import unittest

from testlib import ServerCase, boto3_client
from testlib.case import ABSENT_KEY, b64

CONTEXT = {"purpose": "test", "Purpose": "other", "\u00fc": "\U0001f511"}
OVERHEAD = 91  # docs/protocol/ciphertext.md
KEY_ID_BYTES = range(3, 19)
UNKNOWN = ("The ciphertext refers to a customer master key that does not "
           "exist, does not exist in this region, or you are not allowed to "
           "access.")
WRONG_KEY = ("The key ID in the request does not identify a CMK that can "
             "perform this operation.")
DRY_RUN = "The request would have succeeded, but the DryRun option is set."


class EncryptCase(ServerCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.key = cls.kms.create_key()["KeyMetadata"]
        cls.other = cls.kms.create_key()["KeyMetadata"]

    def blob(self, plaintext=b"message", **request):
        return self.kms.encrypt(KeyId=self.key["KeyId"], Plaintext=plaintext,
                                **request)["CiphertextBlob"]


class Encrypt(EncryptCase):

    def test_the_reply(self):
        reply = self.call("Encrypt", KeyId=self.key["KeyId"],
                          Plaintext=b64(b"message"))
        self.assertEqual(set(reply), {"CiphertextBlob", "KeyId",
                                      "EncryptionAlgorithm"})
        self.assertEqual(reply["KeyId"], self.key["Arn"])
        self.assertEqual(reply["EncryptionAlgorithm"], "SYMMETRIC_DEFAULT")
        blob = base64.b64decode(reply["CiphertextBlob"], validate=True)
        self.assertEqual(len(blob), len(b"message") + OVERHEAD)
        self.assertNotIn(b"message", blob)

    def test_round_trips_every_size(self):
        for size in (1, 15, 16, 17, 4095, 4096):
            plaintext = bytes(number % 256 for number in range(size))
            self.assertEqual(self.kms.decrypt(
                CiphertextBlob=self.blob(plaintext))["Plaintext"], plaintext)

    def test_takes_all_four_forms_of_a_key_id(self):
        self.kms.create_alias(AliasName="alias/encrypting",
                              TargetKeyId=self.key["KeyId"])
        for name in (self.key["KeyId"], self.key["Arn"], "alias/encrypting",
                     self.alias_arn("alias/encrypting")):
            reply = self.kms.encrypt(KeyId=name, Plaintext=b"x")
            self.assertEqual(reply["KeyId"], self.key["Arn"])

    def test_never_gives_the_same_ciphertext_twice(self):
        blobs = {self.blob() for _ in range(20)}
        self.assertEqual(len(blobs), 20)

    def test_refuses_bad_plaintexts(self):
        encrypt, key = self.kms.encrypt, self.key["KeyId"]
        self.invalid("at 'plaintext' failed to satisfy constraint: Member must "
                     "have length less than or equal to 4096", encrypt,
                     KeyId=key, Plaintext=b"x" * 4097)
        self.invalid("at 'plaintext' failed to satisfy constraint: Member must "
                     "have length greater than or equal to 1", encrypt,
                     KeyId=key, Plaintext=b"")
        self.invalid("null at 'plaintext' failed to satisfy constraint: Member "
                     "must not be null", encrypt, KeyId=key)
        for text in ("%%%%", "YQ", "YQ=", "YQ==\n", "Y Q=="):
            self.refuses("SerializationException", re.compile(".*"), "Encrypt",
                         KeyId=key, Plaintext=text)

    def test_refuses_bad_algorithms(self):
        encrypt, key = self.kms.encrypt, self.key["KeyId"]
        self.invalid("'bogus' at 'encryptionAlgorithm' failed to satisfy "
                     "constraint: Member must satisfy enum value set: ",
                     encrypt, KeyId=key, Plaintext=b"x",
                     EncryptionAlgorithm="bogus")
        self.refuses("InvalidKeyUsageException",
                     "Algorithm RSAES_OAEP_SHA_256 is incompatible with key "
                     "spec SYMMETRIC_DEFAULT.", encrypt, KeyId=key,
                     Plaintext=b"x", EncryptionAlgorithm="RSAES_OAEP_SHA_256")

    def test_refuses_unknown_keys(self):
        self.refuses_unknown_keys(self.kms.encrypt, Plaintext=b"x")

    def test_a_dry_run_never_succeeds(self):
        request = {"Plaintext": b64(b"x"), "DryRun": True}
        self.refuses("DryRunOperationException", DRY_RUN, "Encrypt",
                     KeyId=self.key["KeyId"], **request)
        arn = self.key_arn(ABSENT_KEY)
        self.refuses("NotFoundException", f"Key '{arn}' does not exist",
                     "Encrypt", KeyId=arn, **request)
        disabled = self.new_key()
        self.kms.disable_key(KeyId=disabled["KeyId"])
        self.refuses("DisabledException", f"{disabled['Arn']} is disabled.",
                     "Encrypt", KeyId=disabled["KeyId"], **request)


class Decrypt(EncryptCase):

    def test_the_reply(self):
        reply = self.call("Decrypt", CiphertextBlob=b64(self.blob()))
        material = self.call("DescribeKey", KeyId=self.key["KeyId"])
        self.assertEqual(reply, {
            "KeyId": self.key["Arn"], "Plaintext": b64(b"message"),
            "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
            "KeyMaterialId": material["KeyMetadata"]["CurrentKeyMaterialId"]})

    def test_the_right_key_may_be_named(self):
        self.kms.create_alias(AliasName="alias/decrypting",
                              TargetKeyId=self.key["KeyId"])
        for name in (self.key["KeyId"], self.key["Arn"], "alias/decrypting",
                     self.alias_arn("alias/decrypting")):
            reply = self.kms.decrypt(CiphertextBlob=self.blob(), KeyId=name)
            self.assertEqual(reply["Plaintext"], b"message")

    def test_another_key_cannot(self):
        self.refuses("IncorrectKeyException", WRONG_KEY, self.kms.decrypt,
                     CiphertextBlob=self.blob(), KeyId=self.other["KeyId"])

    def test_needs_the_same_context(self):
        blob = self.blob(EncryptionContext=CONTEXT)
        backwards = dict(reversed(CONTEXT.items()))
        for context in (CONTEXT, backwards):
            self.assertEqual(self.kms.decrypt(
                CiphertextBlob=blob, EncryptionContext=context)["Plaintext"],
                b"message")
        for context in ({}, {"purpose": "test"},
                        {**CONTEXT, "more": ""}, {**CONTEXT, "purpose": "Test"},
                        {**{key: value for key, value in CONTEXT.items()
                            if key != "Purpose"}, "PURPOSE": "other"}):
            self.refuses("InvalidCiphertextException", None, self.kms.decrypt,
                         CiphertextBlob=blob, EncryptionContext=context)

    def test_no_context_and_an_empty_one_are_the_same(self):
        blob = self.blob(EncryptionContext={})
        self.assertEqual(self.kms.decrypt(CiphertextBlob=blob)["Plaintext"],
                         b"message")
        self.assertEqual(self.kms.decrypt(
            CiphertextBlob=self.blob(), EncryptionContext={})["Plaintext"],
            b"message")

    def test_context_pairs_cannot_be_shifted(self):
        blob = self.blob(EncryptionContext={"ab": "c"})
        for context in ({"a": "bc"}, {"abc": ""}, {"ab": "c", "": ""}):
            with self.assertRaises(self.kms.exceptions.ClientError):
                self.kms.decrypt(CiphertextBlob=blob, EncryptionContext=context)

    def test_every_byte_counts(self):
        blob = self.blob(b"m")
        for position in range(len(blob)):
            damaged = bytearray(blob)
            damaged[position] ^= 0x01
            with self.subTest(position=position):
                if position in KEY_ID_BYTES:
                    self.refuses("AccessDeniedException", UNKNOWN,
                                 self.kms.decrypt,
                                 CiphertextBlob=bytes(damaged))
                else:
                    self.refuses("InvalidCiphertextException", None,
                                 self.kms.decrypt,
                                 CiphertextBlob=bytes(damaged))

    def test_the_length_counts(self):
        blob = self.blob(b"m")
        for damaged in ([blob[:size] for size in range(1, len(blob))] +
                        [blob + b"\0", b"\0" + blob, blob + blob, b"x" * 6144]):
            with self.subTest(size=len(damaged)):
                self.refuses("InvalidCiphertextException", None,
                             self.kms.decrypt, CiphertextBlob=damaged)

    def test_ciphertext_of_another_region(self):
        other = boto3_client(self.server, "eu-south-1")
        self.refuses("AccessDeniedException", UNKNOWN, other.decrypt,
                     CiphertextBlob=self.blob())

    def test_refuses_values_outside_the_model(self):
        decrypt = self.kms.decrypt
        self.invalid("at 'ciphertextBlob' failed to satisfy constraint: Member "
                     "must have length less than or equal to 6144", decrypt,
                     CiphertextBlob=b"x" * 6145)
        self.invalid("at 'ciphertextBlob' failed to satisfy constraint: Member "
                     "must have length greater than or equal to 1", decrypt,
                     CiphertextBlob=b"")
        self.invalid("null at 'ciphertextBlob' failed to satisfy constraint: "
                     "Member must not be null", decrypt)
        self.refuses("InvalidKeyUsageException",
                     "Algorithm RSAES_OAEP_SHA_1 is incompatible with key spec "
                     "SYMMETRIC_DEFAULT.", decrypt, CiphertextBlob=self.blob(),
                     KeyId=self.key["KeyId"],
                     EncryptionAlgorithm="RSAES_OAEP_SHA_1")

    def test_a_dry_run_never_succeeds(self):
        self.refuses("DryRunOperationException", DRY_RUN, "Decrypt",
                     CiphertextBlob=b64(self.blob()), DryRun=True)
        self.refuses("IncorrectKeyException", WRONG_KEY, "Decrypt",
                     CiphertextBlob=b64(self.blob()), DryRun=True,
                     KeyId=self.other["KeyId"])


class ReEncrypt(EncryptCase):

    def test_the_reply(self):
        reply = self.call("ReEncrypt", CiphertextBlob=b64(self.blob()),
                          DestinationKeyId=self.other["KeyId"])
        blob = reply.pop("CiphertextBlob")
        material = {}
        for name, key in (("Source", self.key), ("Destination", self.other)):
            metadata = self.call("DescribeKey", KeyId=key["KeyId"])
            material[name] = metadata["KeyMetadata"]["CurrentKeyMaterialId"]
        self.assertEqual(reply, {
            "SourceKeyId": self.key["Arn"], "KeyId": self.other["Arn"],
            "SourceEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
            "DestinationEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
            "SourceKeyMaterialId": material["Source"],
            "DestinationKeyMaterialId": material["Destination"]})
        opened = self.kms.decrypt(CiphertextBlob=base64.b64decode(blob))
        self.assertEqual((opened["Plaintext"], opened["KeyId"]),
                         (b"message", self.other["Arn"]))

    def test_changes_the_context_alone(self):
        blob = self.kms.re_encrypt(
            CiphertextBlob=self.blob(EncryptionContext={"old": "1"}),
            SourceEncryptionContext={"old": "1"},
            SourceKeyId=self.key["KeyId"],
            DestinationKeyId=self.key["KeyId"],
            DestinationEncryptionContext={"new": "2"})["CiphertextBlob"]
        self.assertEqual(self.kms.decrypt(
            CiphertextBlob=blob, EncryptionContext={"new": "2"})["Plaintext"],
            b"message")
        self.refuses("InvalidCiphertextException", None, self.kms.decrypt,
                     CiphertextBlob=blob, EncryptionContext={"old": "1"})

    def test_names_may_be_aliases(self):
        for name, key in (("alias/source", self.key),
                          ("alias/destination", self.other)):
            self.kms.create_alias(AliasName=name, TargetKeyId=key["KeyId"])
        reply = self.kms.re_encrypt(
            CiphertextBlob=self.blob(), SourceKeyId="alias/source",
            DestinationKeyId=self.alias_arn("alias/destination"))
        self.assertEqual((reply["SourceKeyId"], reply["KeyId"]),
                         (self.key["Arn"], self.other["Arn"]))

    def test_refuses(self):
        re_encrypt, blob = self.kms.re_encrypt, self.blob()
        other = self.other["KeyId"]
        self.refuses("IncorrectKeyException", WRONG_KEY, re_encrypt,
                     CiphertextBlob=blob, SourceKeyId=other,
                     DestinationKeyId=other)
        self.refuses("InvalidCiphertextException", None, re_encrypt,
                     CiphertextBlob=blob, DestinationKeyId=other,
                     SourceEncryptionContext={"not": "there"})
        self.refuses("InvalidCiphertextException", None, re_encrypt,
                     CiphertextBlob=blob[:-1], DestinationKeyId=other)
        self.invalid("null at 'destinationKeyId' failed to satisfy constraint: "
                     "Member must not be null", re_encrypt, CiphertextBlob=blob)
        arn = self.key_arn(ABSENT_KEY)
        self.refuses("NotFoundException", f"Key '{arn}' does not exist",
                     re_encrypt, CiphertextBlob=blob, DestinationKeyId=arn)
        self.refuses("InvalidKeyUsageException",
                     "Algorithm RSAES_OAEP_SHA_1 is incompatible with key spec "
                     "SYMMETRIC_DEFAULT.", re_encrypt, CiphertextBlob=blob,
                     DestinationKeyId=other,
                     DestinationEncryptionAlgorithm="RSAES_OAEP_SHA_1")

    def test_a_dry_run_never_succeeds(self):
        self.refuses("DryRunOperationException", DRY_RUN, "ReEncrypt",
                     CiphertextBlob=b64(self.blob()), DryRun=True,
                     DestinationKeyId=self.other["KeyId"])


if __name__ == "__main__":
    unittest.main()
