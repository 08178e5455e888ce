# SPDX-License-Identifier: Apache-2.0
"""Multi-Region keys: boto3 in two Regions of one server. RotateKeyOnDemand and
the exact shape of replies are asked raw: Debian's boto3 hides them."""

import contextlib
import re
import sqlite3
import unittest

from testlib import ServerCase, boto3_client
from testlib.clients import call
from testlib.faults import FaultCase, wait_until

THERE = "eu-west-3"
ELSEWHERE = "ap-southeast-2"


class MultiRegionCase(ServerCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.there = boto3_client(cls.server, THERE)
        cls.elsewhere = boto3_client(cls.server, ELSEWHERE)
        cls.addClassCleanup(cls.there.close)
        cls.addClassCleanup(cls.elsewhere.close)

    def new_primary(self, **request):
        return self.new_key(MultiRegion=True, **request)["KeyId"]

    def replicate(self, key, region=THERE, **request):
        return self.kms.replicate_key(KeyId=key, ReplicaRegion=region,
                                      **request)

    def describe(self, client, key):
        return client.describe_key(KeyId=key)["KeyMetadata"]

    def roles(self, client, key):
        """Type, Region of the primary key, Regions of the replicas."""
        shown = self.describe(client, key)["MultiRegionConfiguration"]
        primary = shown["PrimaryKey"]
        self.assertEqual(primary["Arn"], self.key_arn(key, primary["Region"]))
        for replica in shown["ReplicaKeys"]:
            self.assertEqual(replica["Arn"],
                             self.key_arn(key, replica["Region"]))
        return (shown["MultiRegionKeyType"], primary["Region"],
                {replica["Region"] for replica in shown["ReplicaKeys"]})


class ReplicateKey(MultiRegionCase):

    def test_the_replies(self):
        made = self.new_key(MultiRegion=True, Description="primary")
        key = made["KeyId"]
        self.assertRegex(key, r"\Amrk-[0-9a-f]{32}\Z")
        self.assertTrue(made["MultiRegion"])
        self.assertEqual(made["MultiRegionConfiguration"], {
            "MultiRegionKeyType": "PRIMARY",
            "PrimaryKey": {"Arn": made["Arn"], "Region": self.region},
            "ReplicaKeys": []})
        reply = self.call("ReplicateKey", KeyId=key, ReplicaRegion=THERE)
        self.assertEqual(set(reply), {"ReplicaKeyMetadata", "ReplicaPolicy"})
        shown = reply["ReplicaKeyMetadata"]
        self.assertEqual(
            set(made) - set(shown), {"CurrentKeyMaterialId"} & set(made))
        self.assertNotIn("CurrentKeyMaterialId", shown)
        self.assertEqual(
            (shown["KeyId"], shown["Arn"], shown["KeyState"], shown["Enabled"],
             shown["Description"]),
            (key, self.key_arn(key, THERE), "Creating", False, ""))
        self.assertEqual(shown["MultiRegionConfiguration"], {
            "MultiRegionKeyType": "REPLICA",
            "PrimaryKey": {"Arn": made["Arn"], "Region": self.region},
            "ReplicaKeys": [{"Arn": self.key_arn(key, THERE),
                             "Region": THERE}]})
        later = self.call("DescribeKey", KeyId=key)["KeyMetadata"]
        there = call(self.server, "DescribeKey", {"KeyId": key}, region=THERE)
        there = there.json["KeyMetadata"]
        self.assertEqual(there["KeyState"], "Enabled")
        self.assertEqual(there["CurrentKeyMaterialId"],
                         later["CurrentKeyMaterialId"])

    def test_before_and_after(self):
        key = self.new_primary()
        self.refuses("NotFoundException",
                     f"Key '{self.key_arn(key, THERE)}' does not exist",
                     self.there.describe_key, KeyId=key)
        self.replicate(key)
        self.assertEqual(self.describe(self.there, key)["Arn"],
                         self.key_arn(key, THERE))
        self.assertEqual(self.roles(self.kms, key),
                         ("PRIMARY", self.region, {THERE}))
        self.assertEqual(self.roles(self.there, key),
                         ("REPLICA", self.region, {THERE}))
        keys = self.there.list_keys(Limit=1000)["Keys"]
        self.assertIn({"KeyId": key, "KeyArn": self.key_arn(key, THERE)}, keys)

    def test_each_has_policy_tags_and_state_of_its_own(self):
        tag = {"TagKey": "side", "TagValue": "here"}
        key = self.new_primary(Tags=[tag])
        other = {"TagKey": "side", "TagValue": "there"}
        reply = self.replicate(key, Tags=[other], Description="replica")
        self.assertEqual(reply["ReplicaTags"], [other])
        self.assertEqual(self.there.list_resource_tags(KeyId=key)["Tags"],
                         [other])
        self.assertEqual(self.kms.list_resource_tags(KeyId=key)["Tags"], [tag])
        self.there.disable_key(KeyId=key)
        self.assertEqual(self.describe(self.kms, key)["KeyState"], "Enabled")
        self.there.create_alias(AliasName="alias/replica", TargetKeyId=key)
        self.assertEqual(self.kms.list_aliases(KeyId=key)["Aliases"], [])

    def test_is_refused_where_it_cannot_be(self):
        key = self.new_primary()
        self.replicate(key)
        self.refuses("AlreadyExistsException", re.compile(".+"),
                     self.kms.replicate_key, KeyId=key, ReplicaRegion=THERE)
        self.refuses(
            "UnsupportedOperationException",
            f"{self.key_arn(key, THERE)} is not a multi-region primary key.",
            self.there.replicate_key, KeyId=key, ReplicaRegion=ELSEWHERE)
        single = self.new_key()
        self.refuses("UnsupportedOperationException",
                     f"{single['Arn']} is not a multi-region primary key.",
                     self.kms.replicate_key, KeyId=single["KeyId"],
                     ReplicaRegion=THERE)
        self.refuses("ValidationException", re.compile(".*replicaRegion.*"),
                     self.kms.replicate_key, KeyId=key,
                     ReplicaRegion="nowhere")

    def test_refuses_unknown_keys(self):
        self.refuses_unknown_keys(self.kms.replicate_key, aliases=False,
                                  ReplicaRegion=THERE)


class Use(MultiRegionCase):

    def test_ciphertexts_open_in_every_region(self):
        key = self.new_primary()
        context = {"purpose": "test"}
        early = self.kms.encrypt(KeyId=key, Plaintext=b"early",
                                 EncryptionContext=context)["CiphertextBlob"]
        self.replicate(key)
        data = self.there.generate_data_key(
            KeyId=key, KeySpec="AES_256", EncryptionContext=context)
        for rotated in (False, True):
            if rotated:
                self.call("RotateKeyOnDemand", KeyId=key)
            for client, region in ((self.kms, self.region),
                                   (self.there, THERE)):
                for blob, plaintext in ((early, b"early"),
                                        (data["CiphertextBlob"],
                                         data["Plaintext"])):
                    reply = client.decrypt(CiphertextBlob=blob,
                                           EncryptionContext=context)
                    self.assertEqual(reply["Plaintext"], plaintext)
                    self.assertEqual(reply["KeyId"], self.key_arn(key, region))
        late = self.there.encrypt(KeyId=key, Plaintext=b"late")
        reply = self.kms.decrypt(CiphertextBlob=late["CiphertextBlob"])
        self.assertEqual(reply["Plaintext"], b"late")

    def test_the_region_of_the_request_decides(self):
        key = self.new_primary()
        self.replicate(key)
        blob = self.kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
        self.there.disable_key(KeyId=key)
        self.refuses("DisabledException",
                     f"{self.key_arn(key, THERE)} is disabled.",
                     self.there.decrypt, CiphertextBlob=blob)
        self.refuses("AccessDeniedException", re.compile(".+"),
                     self.elsewhere.decrypt, CiphertextBlob=blob)

    def test_macs_and_signatures_verify_in_every_region(self):
        key = self.new_primary(KeySpec="HMAC_512",
                               KeyUsage="GENERATE_VERIFY_MAC")
        self.replicate(key)
        mac = self.kms.generate_mac(KeyId=key, Message=b"m",
                                    MacAlgorithm="HMAC_SHA_512")["Mac"]
        self.assertTrue(self.there.verify_mac(
            KeyId=key, Message=b"m", Mac=mac,
            MacAlgorithm="HMAC_SHA_512")["MacValid"])
        key = self.new_primary(KeySpec="ECC_NIST_P384", KeyUsage="SIGN_VERIFY")
        self.replicate(key)
        signature = self.there.sign(
            KeyId=key, Message=b"m",
            SigningAlgorithm="ECDSA_SHA_384")["Signature"]
        self.assertTrue(self.kms.verify(
            KeyId=key, Message=b"m", Signature=signature,
            SigningAlgorithm="ECDSA_SHA_384")["SignatureValid"])
        self.assertEqual(self.kms.get_public_key(KeyId=key)["PublicKey"],
                         self.there.get_public_key(KeyId=key)["PublicKey"])

    def test_rotation_is_the_primary_keys(self):
        key = self.new_primary()
        self.replicate(key)
        text = f"{self.key_arn(key, THERE)} is not a multi-region primary key."
        for method in (self.there.enable_key_rotation,
                       self.there.disable_key_rotation):
            self.refuses("UnsupportedOperationException", text, method,
                         KeyId=key)
        reply = call(self.server, "RotateKeyOnDemand", {"KeyId": key},
                     region=THERE)
        self.assertEqual((reply.status, reply.json["message"]), (400, text))
        self.kms.enable_key_rotation(KeyId=key)
        self.assertTrue(self.there.get_key_rotation_status(
            KeyId=key)["KeyRotationEnabled"])


class UpdatePrimaryRegion(MultiRegionCase):

    def test_swaps_the_roles(self):
        key = self.new_primary()
        self.replicate(key)
        self.replicate(key, ELSEWHERE)
        reply = call(self.server, "UpdatePrimaryRegion",
                     {"KeyId": key, "PrimaryRegion": THERE})
        self.assertEqual((reply.status, reply.text), (200, ""))
        others = {self.region, ELSEWHERE}
        self.assertEqual(self.roles(self.there, key),
                         ("PRIMARY", THERE, others))
        for client in (self.kms, self.elsewhere):
            self.assertEqual(self.roles(client, key),
                             ("REPLICA", THERE, others))
        self.there.update_primary_region(KeyId=key, PrimaryRegion=self.region)
        self.assertEqual(self.roles(self.kms, key),
                         ("PRIMARY", self.region, {THERE, ELSEWHERE}))

    def test_needs_a_primary_key_and_a_replica(self):
        key = self.new_primary()
        self.refuses("NotFoundException",
                     f"Key '{self.key_arn(key, THERE)}' does not exist",
                     self.kms.update_primary_region, KeyId=key,
                     PrimaryRegion=THERE)
        self.replicate(key)
        self.refuses(
            "UnsupportedOperationException",
            f"{self.key_arn(key, THERE)} is not a multi-region primary key.",
            self.there.update_primary_region, KeyId=key,
            PrimaryRegion=self.region)


class Deletion(MultiRegionCase):

    def test_a_primary_key_waits_for_its_replicas(self):
        key = self.new_primary()
        self.replicate(key)
        self.assertEqual(
            self.call("ScheduleKeyDeletion", KeyId=key, PendingWindowInDays=9),
            {"KeyId": self.key_arn(key), "PendingWindowInDays": 9,
             "KeyState": "PendingReplicaDeletion"})
        shown = self.describe(self.kms, key)
        self.assertEqual(
            (shown["KeyState"], shown["PendingDeletionWindowInDays"]),
            ("PendingReplicaDeletion", 9))
        self.assertNotIn("DeletionDate", shown)
        self.refuses("KMSInvalidStateException",
                     f"{self.key_arn(key)} is pending replica deletion.",
                     self.kms.encrypt, KeyId=key, Plaintext=b"x")
        self.there.encrypt(KeyId=key, Plaintext=b"x")
        self.kms.cancel_key_deletion(KeyId=key)
        self.assertEqual(self.describe(self.kms, key)["KeyState"], "Disabled")

    def test_a_replica_goes_alone(self):
        key = self.new_primary()
        self.replicate(key)
        reply = self.there.schedule_key_deletion(KeyId=key)
        self.assertEqual(reply["KeyState"], "PendingDeletion")
        self.assertIn("DeletionDate", reply)
        self.assertEqual(self.describe(self.kms, key)["KeyState"], "Enabled")


class Due(FaultCase):
    """The store is told that the day has come: the tests have no clock."""

    def test_replicas_go_first_and_the_materials_with_the_last(self):
        server = self.new_server().start()
        before = self.token_objects(server)
        key = self.ask(server, "CreateKey",
                       MultiRegion=True)["KeyMetadata"]["KeyId"]
        for region in (THERE, ELSEWHERE):
            self.ask(server, "ReplicateKey", KeyId=key, ReplicaRegion=region)
        self.ask(server, "ScheduleKeyDeletion", KeyId=key)
        for region in (THERE, ELSEWHERE):
            call(server, "ScheduleKeyDeletion", {"KeyId": key}, region=region)
        self.assertEqual(len(self.token_objects(server) - before), 1)
        self.day_comes(server)
        wait_until(lambda: self.state(server, key) == "PendingDeletion",
                   "the replicas are gone")
        for region in (THERE, ELSEWHERE):
            self.assertIsNone(self.state(server, key, region))
        self.assertEqual(len(self.token_objects(server) - before), 1)
        self.day_comes(server)
        wait_until(lambda: self.state(server, key) is None, "the key is gone")
        wait_until(lambda: self.token_objects(server) == before,
                   "its material is gone from the token")
        self.check_audit(server)
        self.check_nothing_unknown(server)

    def day_comes(self, server):
        self.assertEqual(server.stop(), 0)
        path = server.dev / "claviger.db"
        with contextlib.closing(sqlite3.connect(path)) as store:
            store.execute("UPDATE keys SET deletion_date = 1 "
                          "WHERE deletion_date IS NOT NULL")
            store.commit()
        server.start()

    def state(self, server, key, region=None):
        reply = call(server, "DescribeKey", {"KeyId": key}, region=region)
        return (reply.json["KeyMetadata"]["KeyState"]
                if reply.status == 200 else None)


if __name__ == "__main__":
    unittest.main()
