# SPDX-License-Identifier: Apache-2.0
"""ScheduleKeyDeletion and CancelKeyDeletion."""

import datetime
import json
import re
import unittest

from testlib import ServerCase

DAY = 86400


class ScheduleKeyDeletion(ServerCase):

    def test_the_reply(self):
        key = self.new_key()
        now = datetime.datetime.now(datetime.timezone.utc).timestamp()
        reply = self.call("ScheduleKeyDeletion", KeyId=key["KeyId"],
                          PendingWindowInDays=7)
        self.assertEqual(set(reply), {"KeyId", "DeletionDate", "KeyState",
                                      "PendingWindowInDays"})
        self.assertEqual(reply["KeyId"], key["Arn"])
        self.assertEqual(reply["KeyState"], "PendingDeletion")
        self.assertEqual(reply["PendingWindowInDays"], 7)
        self.assertAlmostEqual(reply["DeletionDate"], now + 7 * DAY,
                               delta=3600)

        shown = self.call("DescribeKey", KeyId=key["KeyId"])["KeyMetadata"]
        self.assertEqual((shown["KeyState"], shown["Enabled"]),
                         ("PendingDeletion", False))
        self.assertAlmostEqual(shown["DeletionDate"], reply["DeletionDate"],
                               delta=1)

    def test_waits_30_days_unless_told_otherwise(self):
        reply = self.kms.schedule_key_deletion(KeyId=self.new_key()["Arn"])
        self.assertEqual(reply["PendingWindowInDays"], 30)

    def test_takes_the_ends_of_the_range(self):
        for days in (7, 30):
            reply = self.kms.schedule_key_deletion(
                KeyId=self.new_key()["KeyId"], PendingWindowInDays=days)
            self.assertEqual(reply["PendingWindowInDays"], days)

    def test_refuses_windows_out_of_range(self):
        key = self.new_key()["KeyId"]
        schedule = self.kms.schedule_key_deletion
        for days in (1, 6, 31, 365):
            self.refuses("ValidationException",
                         "PendingWindowInDays must be between 7 and 30",
                         schedule, KeyId=key, PendingWindowInDays=days)
        self.invalid("'0' at 'pendingWindowInDays' failed to satisfy "
                     "constraint: Member must have value greater than or equal "
                     "to 1", schedule, KeyId=key, PendingWindowInDays=0)
        self.invalid("'366' at 'pendingWindowInDays' failed to satisfy "
                     "constraint: Member must have value less than or equal to "
                     "365", schedule, KeyId=key, PendingWindowInDays=366)
        self.assertEqual(self.state(key), "Enabled")

    def test_works_on_a_disabled_key(self):
        key = self.new_key()["KeyId"]
        self.kms.disable_key(KeyId=key)
        self.kms.schedule_key_deletion(KeyId=key)
        self.assertEqual(self.state(key), "PendingDeletion")

    def test_cannot_be_scheduled_twice(self):
        key = self.pending_deletion()
        before = self.kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
        self.refuses("KMSInvalidStateException",
                     f"{key['Arn']} is pending deletion.",
                     self.kms.schedule_key_deletion, KeyId=key["KeyId"],
                     PendingWindowInDays=7)
        after = self.kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
        self.assertEqual(after, before)

    def test_refuses_unknown_keys(self):
        self.refuses_unknown_keys(self.kms.schedule_key_deletion,
                                  aliases=False)


class PendingDeletion(ServerCase):
    """AWS KMS Developer Guide, "Key states of KMS keys"."""

    def test_refuses_cryptography(self):
        key = self.new_key()
        name = key["KeyId"]
        blob = self.kms.encrypt(KeyId=name, Plaintext=b"x")["CiphertextBlob"]
        self.kms.schedule_key_deletion(KeyId=name)
        for method, request in (
                (self.kms.encrypt, {"KeyId": name, "Plaintext": b"x"}),
                (self.kms.decrypt, {"CiphertextBlob": blob}),
                (self.kms.generate_data_key,
                 {"KeyId": name, "NumberOfBytes": 16}),
                (self.kms.generate_data_key_without_plaintext,
                 {"KeyId": name, "NumberOfBytes": 16}),
                (self.kms.re_encrypt, {"CiphertextBlob": blob,
                                       "DestinationKeyId": name})):
            with self.subTest(method=method.__name__):
                self.refuses("KMSInvalidStateException",
                             f"{key['Arn']} is pending deletion.", method,
                             **request)

    def test_refuses_new_names_and_tags(self):
        key = self.pending_deletion()
        name = key["KeyId"]
        for method, request in (
                (self.kms.create_alias, {"AliasName": "alias/too-late",
                                         "TargetKeyId": name}),
                (self.kms.tag_resource, {"KeyId": name, "Tags": [
                    {"TagKey": "a", "TagValue": "b"}]}),
                (self.kms.untag_resource, {"KeyId": name, "TagKeys": ["a"]})):
            with self.subTest(method=method.__name__):
                self.refuses("KMSInvalidStateException",
                             f"{key['Arn']} is pending deletion.", method,
                             **request)

    def test_can_be_looked_at(self):
        key = self.pending_deletion()["KeyId"]
        self.assertEqual(self.state(key), "PendingDeletion")
        self.assertEqual(self.kms.list_resource_tags(KeyId=key)["Tags"], [])
        self.assertEqual(
            self.kms.list_key_policies(KeyId=key)["PolicyNames"], ["default"])
        self.assertEqual(self.kms.list_aliases(KeyId=key)["Aliases"], [])
        policy = self.kms.get_key_policy(KeyId=key,
                                         PolicyName="default")["Policy"]
        self.kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy)
        self.assertIn("Statement", json.loads(policy))


class CancelKeyDeletion(ServerCase):

    def test_leaves_the_key_disabled_and_whole(self):
        key = self.new_key()
        blob = self.kms.encrypt(KeyId=key["KeyId"],
                                Plaintext=b"kept")["CiphertextBlob"]
        self.kms.schedule_key_deletion(KeyId=key["KeyId"])
        reply = self.call("CancelKeyDeletion", KeyId=key["KeyId"])
        self.assertEqual(reply, {"KeyId": key["Arn"]})
        shown = self.kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
        self.assertEqual((shown["KeyState"], shown["Enabled"]),
                         ("Disabled", False))
        self.assertNotIn("DeletionDate", shown)
        self.kms.enable_key(KeyId=key["KeyId"])
        self.assertEqual(self.kms.decrypt(CiphertextBlob=blob)["Plaintext"],
                         b"kept")

    def test_refuses_a_key_that_is_not_pending_deletion(self):
        key = self.new_key()
        for prepare in (None, self.kms.disable_key):
            if prepare:
                prepare(KeyId=key["KeyId"])
            self.refuses("KMSInvalidStateException",
                         re.compile(re.escape(key["Arn"]) +
                                    r" is not pending deletion\.?"),
                         self.kms.cancel_key_deletion, KeyId=key["KeyId"])

    def test_refuses_unknown_keys(self):
        self.refuses_unknown_keys(self.kms.cancel_key_deletion, aliases=False)


if __name__ == "__main__":
    unittest.main()
