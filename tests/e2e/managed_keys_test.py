# SPDX-License-Identifier: Apache-2.0
"""AWS managed keys: made by a service, looked at by the account."""

import json
import re
import threading
import unittest
from types import SimpleNamespace

from botocore.exceptions import ClientError

from testlib.case import ServerCase
from testlib.clients import boto3_client
from testlib.faults import FaultCase, audit_records
from testlib.installed import ACCOUNT, Installed
from testlib.server import Server

S3_ID, S3_SECRET = "AKIASERVICEOFSTHREE1", "s3-development-secret-value"
SQS_ID, SQS_SECRET = "AKIASERVICEOFSQS0001", "sqs-development-secret-value"
SERVICES = ("--dev-service", f"s3.amazonaws.com={S3_ID}:{S3_SECRET}",
            "--dev-service", f"sqs.amazonaws.com={SQS_ID}:{SQS_SECRET}")
ALIAS = "alias/aws/s3"
DENIED = re.compile(
    r"User: \S+ is not authorized to perform: kms:(\w+) on resource: "
    r"arn:aws:kms:\S+ because no resource-based policy allows the kms:\1 "
    r"action")


def service_client(server, access_key, secret_key, region=None):
    return boto3_client(
        SimpleNamespace(access_key=access_key, secret_key=secret_key,
                        region=server.region, endpoint=server.endpoint),
        region=region)


class ManagedKeys(ServerCase):

    @classmethod
    def setUpClass(cls):
        if ServerCase.server is None:
            ServerCase.server = Server(*SERVICES).start()
            unittest.addModuleCleanup(ServerCase._close)
        super().setUpClass()
        cls.s3 = service_client(cls.server, S3_ID, S3_SECRET)
        cls.sqs = service_client(cls.server, SQS_ID, SQS_SECRET)

    @classmethod
    def tearDownClass(cls):
        cls.s3.close()
        cls.sqs.close()
        super().tearDownClass()

    def managed(self):
        return self.s3.describe_key(KeyId=ALIAS)["KeyMetadata"]

    def test_it_is_made_and_used_by_its_service(self):
        made = self.s3.generate_data_key(
            KeyId=ALIAS, KeySpec="AES_256", EncryptionContext={"a": "b"})
        opened = self.s3.decrypt(CiphertextBlob=made["CiphertextBlob"],
                                 EncryptionContext={"a": "b"})
        self.assertEqual(opened["Plaintext"], made["Plaintext"])
        key = self.kms.describe_key(KeyId=ALIAS)["KeyMetadata"]
        self.assertEqual(made["KeyId"], key["Arn"])
        self.assertEqual(key["KeyManager"], "AWS")
        self.assertEqual(key["KeyState"], "Enabled")
        self.assertEqual(key["AWSAccountId"], self.account)
        self.assertEqual(
            self.call("GetKeyRotationStatus", KeyId=key["KeyId"])
            ["RotationPeriodInDays"], 365)

    def test_first_uses_at_once_make_one_key(self):
        region, names, failures = "eu-north-1", set(), []

        def use():
            client = service_client(self.server, S3_ID, S3_SECRET, region)
            try:
                names.add(client.generate_data_key_without_plaintext(
                    KeyId=ALIAS, KeySpec="AES_256")["KeyId"])
            except ClientError as error:
                failures.append(error)
            finally:
                client.close()

        threads = [threading.Thread(target=use) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertEqual(len(names), 1)
        client = boto3_client(self.server, region=region)
        self.addCleanup(client.close)
        self.assertEqual([key["KeyArn"] for key in client.list_keys()["Keys"]],
                         list(names))

    def test_the_account_looks_at_it(self):
        key = self.managed()["KeyId"]
        aliases = {alias["AliasName"]: alias.get("TargetKeyId")
                   for alias in self.kms.list_aliases()["Aliases"]}
        self.assertEqual(aliases[ALIAS], key)
        self.assertIn(key, [entry["KeyId"]
                            for entry in self.kms.list_keys()["Keys"]])
        policy = json.loads(self.kms.get_key_policy(
            KeyId=key, PolicyName="default")["Policy"])
        condition = policy["Statement"][0]["Condition"]["StringEquals"]
        self.assertEqual(condition, {
            "kms:CallerAccount": self.account,
            "kms:ViaService": f"s3.{self.region}.amazonaws.com"})

    def test_the_account_neither_uses_nor_changes_it(self):
        key = self.managed()["KeyId"]
        own = self.new_key()["KeyId"]
        blob = self.s3.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
        policy = self.kms.get_key_policy(KeyId=own, PolicyName="default")
        user = self.user_arn("u")
        for method, request in (
                (self.kms.encrypt, {"Plaintext": b"x"}),
                (self.kms.generate_data_key, {"KeySpec": "AES_256"}),
                (self.kms.put_key_policy, {"PolicyName": "default",
                                           "Policy": policy["Policy"]}),
                (self.kms.schedule_key_deletion, {}),
                (self.kms.disable_key, {}),
                (self.kms.enable_key, {}),
                (self.kms.enable_key_rotation, {}),
                (self.kms.disable_key_rotation, {}),
                ("RotateKeyOnDemand", {}),
                (self.kms.tag_resource, {"Tags": [
                    {"TagKey": "a", "TagValue": "b"}]}),
                (self.kms.untag_resource, {"TagKeys": ["a"]}),
                (self.kms.update_key_description, {"Description": "mine"}),
                (self.kms.create_grant, {"GranteePrincipal": user,
                                         "Operations": ["Decrypt"]})):
            self.refuses("AccessDeniedException", DENIED, method, KeyId=key,
                         **request)
        self.refuses("AccessDeniedException", DENIED, self.kms.decrypt,
                     CiphertextBlob=blob)
        self.refuses("AccessDeniedException", DENIED, self.kms.create_alias,
                     AliasName="alias/mine", TargetKeyId=key)

    def test_its_alias_is_reserved(self):
        own = self.new_key()["KeyId"]
        self.managed()
        for client in (self.kms, self.s3):
            for name in (ALIAS, "alias/aws/other"):
                for method in (client.create_alias, client.update_alias):
                    self.refuses("NotAuthorizedException", None, method,
                                 AliasName=name, TargetKeyId=own)
                self.refuses("NotAuthorizedException", None,
                             client.delete_alias, AliasName=name)

    def test_a_service_has_its_own_key_and_no_other(self):
        managed = self.managed()["KeyId"]
        own = self.new_key()["KeyId"]
        for key, client in ((managed, self.sqs), (own, self.s3)):
            self.refuses("AccessDeniedException", DENIED,
                         client.generate_data_key, KeyId=key,
                         KeySpec="AES_256")
        self.refuses("NotFoundException", re.compile("Alias .* is not found."),
                     self.s3.describe_key, KeyId="alias/aws/lambda")
        for method in (self.s3.list_keys, self.s3.list_aliases,
                       self.s3.create_key):
            self.refuses("AccessDeniedException",
                         re.compile("User: s3.amazonaws.com is not .*"),
                         method)
        self.refuses("AccessDeniedException", DENIED,
                     self.s3.schedule_key_deletion, KeyId=managed)

    def test_a_service_creates_grants_that_the_account_revokes(self):
        key = self.managed()["KeyId"]
        grant = self.s3.create_grant(
            KeyId=key, GranteePrincipal=self.user_arn("u"),
            Operations=["Decrypt"])["GrantId"]
        self.assertIn(grant, [entry["GrantId"] for entry in
                              self.kms.list_grants(KeyId=key)["Grants"]])
        self.kms.revoke_grant(KeyId=key, GrantId=grant)


class Crashes(FaultCase):

    def test_a_managed_key_outlives_a_kill(self):
        server = self.new_server(*SERVICES[:2]).start()
        client = service_client(server, S3_ID, S3_SECRET)
        made = client.generate_data_key(KeyId=ALIAS, KeySpec="AES_256")
        client.close()
        self.kill_all(server)
        server.start()
        client = service_client(server, S3_ID, S3_SECRET)
        self.addCleanup(client.close)
        again = client.generate_data_key(KeyId=ALIAS, KeySpec="AES_256")
        self.assertEqual(again["KeyId"], made["KeyId"])
        opened = client.decrypt(CiphertextBlob=made["CiphertextBlob"])
        self.assertEqual(opened["Plaintext"], made["Plaintext"])
        created = [record for record in audit_records(server)
                   if record.get("eventName") == "CreateKey"]
        self.assertEqual(len(created), 1)
        self.check_audit(server)
        self.check_nothing_unknown(server)

    def test_a_bad_service_is_refused(self):
        for bad in ("s3.amazonaws.com", "s3=AKIA:secret",
                    "s3.amazonaws.com=AKIASHORTSECRET0:short",
                    "s3.amazonaws.com=:secret-secret-secret"):
            server = self.new_server("--dev-service", bad)
            self.assertIn("service", self.start_refused(server))


class Configured(unittest.TestCase):
    """The same, told by a configuration file."""

    def test_a_service_has_an_access_key_of_its_own(self):
        server = Installed()
        self.addCleanup(server.close)
        server.made()
        secret = server.folder / "s3.secret"
        secret.write_text(S3_SECRET + "\n")
        secret.chmod(0o600)
        with open(server.config, "a") as config:
            config.write("\n[[service_principal]]\n"
                         'service = "s3.amazonaws.com"\n'
                         f'access_key_id = "{S3_ID}"\n'
                         f'secret_file = "{secret}"\n'
                         "unix_uid = 54321\n")
        secret.rename(server.folder / "aside")
        checked = server.claviger("config", "check", server.config)
        self.assertIn(f"service_principal.secret_file: there is no {secret}",
                      checked.stderr)
        (server.folder / "aside").rename(secret)
        checked = server.claviger("config", "check", server.config)
        self.assertEqual(checked.returncode, 0, checked.stderr)
        server.start()
        client = service_client(server, S3_ID, S3_SECRET)
        self.addCleanup(client.close)
        made = client.generate_data_key(KeyId=ALIAS, KeySpec="AES_256")
        self.assertTrue(made["KeyId"].startswith(
            f"arn:aws:kms:us-east-1:{ACCOUNT}:key/"))
        with self.assertRaises(ClientError) as caught:
            client.list_keys()
        self.assertEqual(caught.exception.response["Error"]["Code"],
                         "AccessDeniedException")
        self.assertEqual(server.stop(), [0, 0])

    def test_a_secret_that_others_can_read_is_refused(self):
        server = Installed()
        self.addCleanup(server.close)
        server.made()
        secret = server.folder / "s3.secret"
        secret.write_text(S3_SECRET)
        secret.chmod(0o644)
        with open(server.config, "a") as config:
            config.write("\n[[service_principal]]\n"
                         'service = "s3.amazonaws.com"\n'
                         f'access_key_id = "{S3_ID}"\n'
                         f'secret_file = "{secret}"\n')
        with self.assertRaises(AssertionError) as caught:
            server.start()
        self.assertIn(str(secret), str(caught.exception))
        self.assertNotIn(S3_SECRET, str(caught.exception))


if __name__ == "__main__":
    unittest.main()
