# SPDX-License-Identifier: Apache-2.0
"""CreateKey, DescribeKey, EnableKey, DisableKey, UpdateKeyDescription."""

import datetime
import json
import re
import unittest

from testlib import ServerCase, boto3_client
from testlib.case import ABSENT_KEY

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# What real AWS answers for a symmetric key, and nothing else.
METADATA_MEMBERS = {
    "AWSAccountId", "Arn", "CreationDate", "CurrentKeyMaterialId",
    "CustomerMasterKeySpec", "Description", "Enabled", "EncryptionAlgorithms",
    "KeyId", "KeyManager", "KeySpec", "KeyState", "KeyUsage", "MultiRegion",
    "Origin"}


class CreateKey(ServerCase):

    def test_defaults(self):
        before = datetime.datetime.now(datetime.timezone.utc).timestamp()
        key = self.call("CreateKey")["KeyMetadata"]
        self.assertEqual(set(key), METADATA_MEMBERS)
        self.assertRegex(key["KeyId"], UUID)
        self.assertEqual(key["Arn"], self.key_arn(key["KeyId"]))
        self.assertEqual(key["AWSAccountId"], self.account)
        self.assertRegex(key["CurrentKeyMaterialId"], r"\A[0-9a-f]{64}\Z")
        self.assertIsInstance(key["CreationDate"], (int, float))
        self.assertAlmostEqual(key["CreationDate"], before, delta=3600)
        self.assertEqual(key["EncryptionAlgorithms"], ["SYMMETRIC_DEFAULT"])
        constant = {name: key[name] for name in METADATA_MEMBERS - {
            "KeyId", "Arn", "AWSAccountId", "CurrentKeyMaterialId",
            "CreationDate", "EncryptionAlgorithms"}}
        self.assertEqual(constant, {
            "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT", "Description": "",
            "Enabled": True, "KeyManager": "CUSTOMER",
            "KeySpec": "SYMMETRIC_DEFAULT", "KeyState": "Enabled",
            "KeyUsage": "ENCRYPT_DECRYPT", "MultiRegion": False,
            "Origin": "AWS_KMS"})

    def test_keeps_what_was_asked_for(self):
        policy = {"Version": "2012-10-17", "Id": "mine", "Statement": [{
            "Sid": "all", "Effect": "Allow", "Action": "kms:*",
            "Principal": {"AWS": f"arn:aws:iam::{self.account}:root"},
            "Resource": "*"}]}
        key = self.new_key(
            Description="invoices \u00fc\U0001f511", KeySpec="SYMMETRIC_DEFAULT",
            KeyUsage="ENCRYPT_DECRYPT", Origin="AWS_KMS", MultiRegion=False,
            Policy=json.dumps(policy), Tags=[
                {"TagKey": "team", "TagValue": "billing"},
                {"TagKey": "empty", "TagValue": ""}])
        self.assertEqual(key["Description"], "invoices \u00fc\U0001f511")
        tags = self.kms.list_resource_tags(KeyId=key["KeyId"])["Tags"]
        self.assertEqual(tags, [{"TagKey": "team", "TagValue": "billing"},
                                {"TagKey": "empty", "TagValue": ""}])
        kept = self.kms.get_key_policy(KeyId=key["KeyId"],
                                       PolicyName="default")["Policy"]
        self.assertEqual(json.loads(kept), policy)

    def test_the_old_name_of_the_spec(self):
        key = self.new_key(CustomerMasterKeySpec="SYMMETRIC_DEFAULT")
        self.assertEqual(key["KeySpec"], "SYMMETRIC_DEFAULT")
        self.refuses(
            "ValidationException",
            "You cannot specify KeySpec and CustomerMasterKeySpec in the same "
            "request. CustomerMasterKeySpec is deprecated.",
            self.kms.create_key, KeySpec="SYMMETRIC_DEFAULT",
            CustomerMasterKeySpec="SYMMETRIC_DEFAULT")

    def test_every_key_is_another(self):
        keys = [self.new_key() for _ in range(3)]
        self.assertEqual(len({key["KeyId"] for key in keys}), 3)
        materials = {self.call("DescribeKey", KeyId=key["KeyId"])
                     ["KeyMetadata"]["CurrentKeyMaterialId"] for key in keys}
        self.assertEqual(len(materials), 3)

    def test_each_region_is_its_own(self):
        key = self.call("CreateKey")["KeyMetadata"]
        other = boto3_client(self.server, "ap-southeast-2")
        self.refuses(
            "NotFoundException",
            f"Key '{self.key_arn(key['KeyId'], 'ap-southeast-2')}' does not "
            "exist", other.describe_key, KeyId=key["KeyId"])
        self.refuses("NotFoundException", f"Invalid arn {self.region}",
                     other.describe_key, KeyId=key["Arn"])
        there = other.create_key()["KeyMetadata"]
        self.assertEqual(there["Arn"],
                         self.key_arn(there["KeyId"], "ap-southeast-2"))

    def test_refuses_values_outside_the_model(self):
        create = self.kms.create_key
        for member, path in (("KeySpec", "keySpec"), ("KeyUsage", "keyUsage"),
                             ("Origin", "origin")):
            self.invalid(f"'bogus' at '{path}' failed to satisfy constraint: "
                         "Member must satisfy enum value set: ",
                         create, **{member: "bogus"})
        self.invalid(f"'{'d' * 8193}' at 'description' failed to satisfy "
                     "constraint: Member must have length less than or equal "
                     "to 8192", create, Description="d" * 8193)
        self.refuses("ValidationException",
                     re.compile(r"2 validation errors detected: Value .*; "
                                r"Value .*"),
                     create, KeySpec="bogus", KeyUsage="bogus")

    def test_refuses_a_usage_that_does_not_fit(self):
        self.refuses("ValidationException",
                     "KeyUsage SIGN_VERIFY is not compatible with KeySpec "
                     "SYMMETRIC_DEFAULT", self.kms.create_key,
                     KeyUsage="SIGN_VERIFY")

    def test_what_is_not_there_yet_is_refused(self):
        for request in ({"KeySpec": "ML_DSA_44", "KeyUsage": "SIGN_VERIFY"},
                        {"KeySpec": "ML_KEM_512",
                         "KeyUsage": "ENCAPSULATE_DECAPSULATE"}):
            with self.subTest(request=request):
                self.refuses("UnsupportedOperationException",
                             re.compile(".*"), self.kms.create_key, **request)

    def test_refuses_bad_tags(self):
        create = self.kms.create_key
        self.refuses("TagException", "Tags beginning with aws: are reserved",
                     create, Tags=[{"TagKey": "AWS:x", "TagValue": "y"}])
        self.refuses("TagException", "Duplicate tag keys", create,
                     Tags=[{"TagKey": "a", "TagValue": "1"},
                           {"TagKey": "a", "TagValue": "2"}])
        self.refuses("TagException", "Too many tags", create,
                     Tags=[{"TagKey": f"k{n}", "TagValue": ""}
                           for n in range(51)])
        self.invalid(f"'{'k' * 129}' at 'tags.1.member.tagKey' failed to "
                     "satisfy constraint: Member must have length less than or "
                     "equal to 128", create,
                     Tags=[{"TagKey": "k" * 129, "TagValue": ""}])

    def test_a_refused_creation_leaves_no_key(self):
        before = len(self.all_keys())
        self.refuses("TagException", "Duplicate tag keys", self.kms.create_key,
                     Tags=[{"TagKey": "a", "TagValue": "1"}] * 2)
        self.assertEqual(len(self.all_keys()), before)

    def all_keys(self):
        pages = self.kms.get_paginator("list_keys").paginate()
        return [key for page in pages for key in page["Keys"]]


class DescribeKey(ServerCase):

    def test_takes_all_four_forms_of_a_key_id(self):
        key = self.new_key(Description="four names")
        self.kms.create_alias(AliasName="alias/described",
                              TargetKeyId=key["KeyId"])
        for name in (key["KeyId"], key["Arn"], "alias/described",
                     self.alias_arn("alias/described")):
            with self.subTest(name=name):
                shown = self.kms.describe_key(KeyId=name)["KeyMetadata"]
                self.assertEqual(shown, key)

    def test_tells_the_same_as_create_key(self):
        key = self.call("CreateKey", Description="same")["KeyMetadata"]
        shown = self.call("DescribeKey", KeyId=key["KeyId"])["KeyMetadata"]
        self.assertEqual(shown, key)

    def test_refuses_unknown_keys(self):
        self.refuses_unknown_keys(self.kms.describe_key)

    def test_refuses_names_outside_the_model(self):
        self.invalid("'' at 'keyId' failed to satisfy constraint: Member must "
                     "have length greater than or equal to 1",
                     self.kms.describe_key, KeyId="")
        self.invalid(f"'{'k' * 2049}' at 'keyId' failed to satisfy constraint: "
                     "Member must have length less than or equal to 2048",
                     self.kms.describe_key, KeyId="k" * 2049)

    def test_a_key_of_another_account_may_or_may_not_exist(self):
        # Whether it does is not for the caller to know.
        arn = f"arn:aws:kms:{self.region}:123456789012:key/{ABSENT_KEY}"
        self.refuses("AccessDeniedException",
                     re.compile(".* is not authorized to perform: "
                                f"kms:DescribeKey on resource: {arn} .*"),
                     self.kms.describe_key, KeyId=arn)


class EnableAndDisableKey(ServerCase):

    def test_disabling_and_enabling(self):
        key = self.new_key()
        for name in (key["KeyId"], key["Arn"]):
            for _ in range(2):  # Both are idempotent.
                self.kms.disable_key(KeyId=name)
                shown = self.kms.describe_key(KeyId=name)["KeyMetadata"]
                self.assertEqual((shown["KeyState"], shown["Enabled"]),
                                 ("Disabled", False))
            for _ in range(2):
                self.kms.enable_key(KeyId=name)
                shown = self.kms.describe_key(KeyId=name)["KeyMetadata"]
                self.assertEqual((shown["KeyState"], shown["Enabled"]),
                                 ("Enabled", True))

    def test_a_disabled_key_does_no_cryptography(self):
        key = self.new_key()
        blob = self.kms.encrypt(KeyId=key["KeyId"],
                                Plaintext=b"x")["CiphertextBlob"]
        other = self.kms.encrypt(KeyId=self.new_key()["KeyId"],
                                 Plaintext=b"x")["CiphertextBlob"]
        self.kms.disable_key(KeyId=key["KeyId"])
        name = key["KeyId"]
        for method, request in (
                (self.kms.encrypt, {"KeyId": name, "Plaintext": b"x"}),
                (self.kms.decrypt, {"CiphertextBlob": blob}),
                (self.kms.decrypt, {"CiphertextBlob": blob, "KeyId": name}),
                (self.kms.generate_data_key,
                 {"KeyId": name, "KeySpec": "AES_256"}),
                (self.kms.generate_data_key_without_plaintext,
                 {"KeyId": name, "KeySpec": "AES_256"}),
                (self.kms.re_encrypt, {"CiphertextBlob": blob,
                                       "DestinationKeyId": name}),
                (self.kms.re_encrypt, {"CiphertextBlob": other,
                                       "DestinationKeyId": name})):
            with self.subTest(method=method.__name__):
                self.refuses("DisabledException", f"{key['Arn']} is disabled.",
                             method, **request)
        self.kms.enable_key(KeyId=name)
        self.assertEqual(self.kms.decrypt(CiphertextBlob=blob)["Plaintext"],
                         b"x")

    def test_refuses_unknown_keys(self):
        self.refuses_unknown_keys(self.kms.enable_key, aliases=False)
        self.refuses_unknown_keys(self.kms.disable_key, aliases=False)

    def test_refuses_aliases(self):
        key = self.new_key()
        self.kms.create_alias(AliasName="alias/not-here",
                              TargetKeyId=key["KeyId"])
        for method in (self.kms.enable_key, self.kms.disable_key):
            for name in ("alias/not-here", self.alias_arn("alias/not-here")):
                self.refuses("NotFoundException", re.compile(".+"), method,
                             KeyId=name)
        self.assertEqual(self.state(key["KeyId"]), "Enabled")

    def test_refuses_a_key_that_is_pending_deletion(self):
        key = self.pending_deletion()
        for method in (self.kms.enable_key, self.kms.disable_key):
            self.refuses("KMSInvalidStateException",
                         f"{key['Arn']} is pending deletion.", method,
                         KeyId=key["KeyId"])


class UpdateKeyDescription(ServerCase):

    def test_replaces_the_text(self):
        key = self.new_key(Description="old")
        for text in ("new", "", "\u00e4\u6f22\U0001f511", "d" * 8192):
            self.kms.update_key_description(KeyId=key["Arn"], Description=text)
            shown = self.kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
            self.assertEqual(shown["Description"], text)

    def test_works_on_a_disabled_key(self):
        key = self.new_key()
        self.kms.disable_key(KeyId=key["KeyId"])
        self.kms.update_key_description(KeyId=key["KeyId"], Description="off")
        shown = self.kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
        self.assertEqual((shown["Description"], shown["KeyState"]),
                         ("off", "Disabled"))

    def test_refuses(self):
        update = self.kms.update_key_description
        self.refuses_unknown_keys(update, aliases=False, Description="x")
        key = self.new_key()["KeyId"]
        self.invalid("null at 'description' failed to satisfy constraint: "
                     "Member must not be null", update, KeyId=key)
        self.invalid(f"'{'d' * 8193}' at 'description' failed to satisfy "
                     "constraint: Member must have length less than or equal "
                     "to 8192", update, KeyId=key, Description="d" * 8193)
        pending = self.pending_deletion()
        self.refuses("KMSInvalidStateException",
                     f"{pending['Arn']} is pending deletion.", update,
                     KeyId=pending["KeyId"], Description="x")


if __name__ == "__main__":
    unittest.main()
