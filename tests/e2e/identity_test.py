# SPDX-License-Identifier: Apache-2.0
"""Users, groups, roles and temporary credentials, through Debian's unmodified
aws and boto3."""

import json
import re
import subprocess
import unittest

from botocore.exceptions import ClientError

from testlib import ServerCase
from testlib.clients import aws_cli, boto3_client
from testlib.server import BIN

OTHER = "444455556666"


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Resource": "*", **statement}
        for statement in statements]})


def trust(principal, **condition):
    statement = {"Effect": "Allow", "Principal": principal,
                 "Action": ["sts:AssumeRole", "sts:TagSession"]}
    if condition:
        statement["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class IdentityCase(ServerCase):

    def cli(self, service, *arguments, **options):
        return aws_cli(self.server, *arguments, service=service, **options)

    def client(self, service="kms", credentials=None):
        client = boto3_client(self.server, service=service,
                              credentials=credentials)
        self.addCleanup(client.close)
        return client

    def new_user(self, name, *statements):
        """A user with an inline policy; its access key."""
        self.iam.create_user(UserName=name)
        if statements:
            self.iam.put_user_policy(UserName=name, PolicyName="inline",
                                     PolicyDocument=document(*statements))
        return self.iam.create_access_key(UserName=name)["AccessKey"]

    def delete_user(self, name):
        for key in self.iam.list_access_keys(
                UserName=name)["AccessKeyMetadata"]:
            self.iam.delete_access_key(UserName=name,
                                       AccessKeyId=key["AccessKeyId"])
        for policy in self.iam.list_user_policies(
                UserName=name)["PolicyNames"]:
            self.iam.delete_user_policy(UserName=name, PolicyName=policy)
        self.iam.delete_user(UserName=name)

    def denied(self, method, **request):
        self.refuses("AccessDeniedException", re.compile(".+"), method,
                     **request)


class Users(IdentityCase):

    def test_a_user_may_do_what_its_policy_says(self):
        key = self.new_key()["KeyId"]
        kms = self.client(credentials=self.new_user(
            "app", {"Action": ["kms:Encrypt", "kms:DescribeKey"]}))
        kms.encrypt(KeyId=key, Plaintext=b"x")
        self.refuses(
            "AccessDeniedException",
            f"User: arn:aws:iam::{self.account}:user/app is not authorized to "
            f"perform: kms:GenerateDataKey on resource: {self.key_arn(key)} "
            "because no identity-based policy allows the "
            "kms:GenerateDataKey action",
            kms.generate_data_key, KeyId=key, KeySpec="AES_256")
        self.iam.put_user_policy(
            UserName="app", PolicyName="more",
            PolicyDocument=document({"Action": "kms:GenerateDataKey"}))
        kms.generate_data_key(KeyId=key, KeySpec="AES_256")
        self.iam.delete_user_policy(UserName="app", PolicyName="more")
        self.denied(kms.generate_data_key, KeyId=key, KeySpec="AES_256")

    def test_a_group_gives_and_takes(self):
        key = self.new_key()["KeyId"]
        kms = self.client(credentials=self.new_user("member"))
        self.denied(kms.describe_key, KeyId=key)
        self.iam.create_group(GroupName="readers")
        self.iam.put_group_policy(
            GroupName="readers", PolicyName="read",
            PolicyDocument=document({"Action": "kms:Describe*"}))
        self.iam.add_user_to_group(GroupName="readers", UserName="member")
        kms.describe_key(KeyId=key)
        self.iam.remove_user_from_group(GroupName="readers",
                                        UserName="member")
        self.denied(kms.describe_key, KeyId=key)

    def test_a_boundary_limits(self):
        key = self.new_key()["KeyId"]
        kms = self.client(credentials=self.new_user(
            "bounded", {"Action": "kms:*"}))
        kms.encrypt(KeyId=key, Plaintext=b"x")
        arn = self.iam.create_policy(
            PolicyName="boundary", PolicyDocument=document(
                {"Action": "kms:DescribeKey"}))["Policy"]["Arn"]
        self.iam.put_user_permissions_boundary(UserName="bounded",
                                               PermissionsBoundary=arn)
        self.refuses("AccessDeniedException",
                     re.compile(".*no permissions boundary allows the "
                                "kms:Encrypt action"),
                     kms.encrypt, KeyId=key, Plaintext=b"x")
        kms.describe_key(KeyId=key)

    def test_an_access_key_ends(self):
        key = self.new_user("leaver", {"Action": "kms:ListKeys"})
        kms = self.client(credentials=key)
        kms.list_keys()
        for status, works in (("Inactive", False), ("Active", True)):
            self.iam.update_access_key(UserName="leaver", Status=status,
                                       AccessKeyId=key["AccessKeyId"])
            if works:
                kms.list_keys()
            else:
                self.refuses("UnrecognizedClientException",
                             re.compile(".*invalid."), kms.list_keys)
        self.delete_user("leaver")
        self.refuses("UnrecognizedClientException", re.compile(".*invalid."),
                     kms.list_keys)

    def test_who_was_made_again_does_not_find_what_was_theirs(self):
        key = self.new_key()["KeyId"]
        first = self.new_user("phoenix")
        arn = f"arn:aws:iam::{self.account}:user/phoenix"
        policy = json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "kms:*", "Resource": "*",
             "Principal": {"AWS": [
                 f"arn:aws:iam::{self.account}:user/admin", arn]}}]})
        self.kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy)
        grant = self.kms.create_grant(KeyId=self.new_key()["KeyId"],
                                      GranteePrincipal=arn,
                                      Operations=["DescribeKey"])
        self.assertTrue(grant["GrantId"])
        self.client(credentials=first).describe_key(KeyId=key)
        unique = self.iam.get_user(UserName="phoenix")["User"]["UserId"]
        self.delete_user("phoenix")
        again = self.client(credentials=self.new_user("phoenix"))
        self.denied(again.describe_key, KeyId=key)
        shown = self.kms.get_key_policy(KeyId=key, PolicyName="default")
        self.assertIn(unique, shown["Policy"])
        self.assertNotIn("phoenix", shown["Policy"])

    def test_policies_name_only_who_exists(self):
        key = self.new_key()["KeyId"]
        policy = document({"Action": "kms:*", "Principal": {
            "AWS": f"arn:aws:iam::{self.account}:user/nobody"}})
        self.refuses("MalformedPolicyDocumentException",
                     re.compile("Policy contains a statement with one or more "
                                "invalid principals.*user/nobody.*"),
                     self.kms.put_key_policy, KeyId=key, PolicyName="default",
                     Policy=policy, BypassPolicyLockoutSafetyCheck=True)


class Roles(IdentityCase):

    def assume(self, credentials, arn, **more):
        return self.client("sts", credentials).assume_role(
            RoleArn=arn, RoleSessionName="job", **more)["Credentials"]

    def test_a_session_of_a_role(self):
        key = self.new_key()["KeyId"]
        user = self.new_user("assumer", {"Action": "sts:AssumeRole"})
        arn = self.iam.create_role(
            RoleName="encrypter", Path="/service/",
            AssumeRolePolicyDocument=trust({"AWS": self.account}))["Role"]["Arn"]
        self.iam.put_role_policy(
            RoleName="encrypter", PolicyName="use",
            PolicyDocument=document({"Action": "kms:Encrypt"}))
        self.denied(self.client(credentials=user).encrypt, KeyId=key,
                    Plaintext=b"x")
        session = self.assume(user, arn)
        kms = self.client(credentials=session)
        kms.encrypt(KeyId=key, Plaintext=b"x")
        self.denied(kms.describe_key, KeyId=key)
        who = self.cli("sts", "get-caller-identity", credentials=session)
        self.assertEqual(
            who["Arn"],
            f"arn:aws:sts::{self.account}:assumed-role/encrypter/job")
        self.iam.delete_role_policy(RoleName="encrypter", PolicyName="use")
        self.denied(kms.encrypt, KeyId=key, Plaintext=b"x")
        self.iam.delete_role(RoleName="encrypter")
        self.refuses("UnrecognizedClientException", re.compile(".*invalid."),
                     kms.encrypt, KeyId=key, Plaintext=b"x")

    def test_a_stranger_may_not_assume(self):
        user = self.new_user("stranger")
        arn = self.role_arn("guarded")
        with self.assertRaises(ClientError) as caught:
            self.assume(user, arn)
        error = caught.exception.response["Error"]
        self.assertEqual(error["Code"], "AccessDenied")
        self.assertEqual(
            error["Message"],
            f"User: arn:aws:iam::{self.account}:user/stranger is not "
            f"authorized to perform: sts:AssumeRole on resource: {arn}")

    def test_a_session_token_of_a_user(self):
        user = self.new_user("tokened", {"Action": "kms:ListKeys"})
        session = self.client("sts", user).get_session_token()["Credentials"]
        self.client(credentials=session).list_keys()
        with self.assertRaises(ClientError) as caught:
            self.client("iam", session).list_users()
        self.assertEqual(caught.exception.response["Error"]["Code"],
                         "AccessDenied")
        broken = {**session, "SessionToken": session["SessionToken"][:-8]}
        self.refuses("UnrecognizedClientException", re.compile(".*invalid."),
                     self.client(credentials=broken).list_keys)

    def test_session_tags_decide(self):
        key = self.new_key()["KeyId"]
        user = self.new_user("tagger", {"Action": "sts:*"})
        arn = self.iam.create_role(
            RoleName="tagged",
            AssumeRolePolicyDocument=trust({"AWS": self.account}))["Role"]["Arn"]
        self.iam.put_role_policy(
            RoleName="tagged", PolicyName="use", PolicyDocument=document(
                {"Action": "kms:Encrypt", "Condition": {"StringEquals": {
                    "aws:PrincipalTag/team": "blue"}}}))
        for team, works in (("blue", True), ("red", False)):
            kms = self.client(credentials=self.assume(
                user, arn, Tags=[{"Key": "team", "Value": team}]))
            if works:
                kms.encrypt(KeyId=key, Plaintext=b"x")
            else:
                self.denied(kms.encrypt, KeyId=key, Plaintext=b"x")


class TwoAccounts(IdentityCase):
    """A role of account B uses a key of account A."""

    def new_account(self):
        run = subprocess.run(
            [BIN / "claviger", "account", "add", OTHER], text=True,
            capture_output=True, timeout=60, stdin=subprocess.DEVNULL,
            env={**self.server.environment})
        self.assertEqual(run.returncode, 0, run.stderr)
        words = dict(re.findall(r"(AWS_\w+)=['\"]?([^\s'\"]+)", run.stdout))
        return {"AccessKeyId": words["AWS_ACCESS_KEY_ID"],
                "SecretAccessKey": words["AWS_SECRET_ACCESS_KEY"]}

    def test_the_walk_through(self):
        admin = self.new_account()
        iam = self.client("iam", admin)
        role = iam.create_role(
            RoleName="worker",
            AssumeRolePolicyDocument=trust({"AWS": OTHER}))["Role"]["Arn"]
        self.assertEqual(role, f"arn:aws:iam::{OTHER}:role/worker")
        key = self.new_key()["Arn"]
        session = self.cli(
            "sts", "assume-role", "--role-arn", role, "--role-session-name",
            "job", credentials=admin)["Credentials"]
        kms = self.client(credentials=session)
        # Neither side allows it, then one, then the other, then both.
        self.denied(kms.encrypt, KeyId=key, Plaintext=b"x")
        iam.put_role_policy(
            RoleName="worker", PolicyName="use", PolicyDocument=json.dumps(
                {"Version": "2012-10-17", "Statement": [
                    {"Effect": "Allow", "Resource": key, "Action":
                     ["kms:Encrypt", "kms:Decrypt", "kms:DisableKey"]}]}))
        self.denied(kms.encrypt, KeyId=key, Plaintext=b"x")
        policy = json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "kms:*", "Resource": "*",
             "Principal": {"AWS": f"arn:aws:iam::{account}:root"}}
            for account in (self.account, OTHER)]})
        self.kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy)
        blob = kms.encrypt(KeyId=key, Plaintext=b"shared")["CiphertextBlob"]
        # Without KeyId: the ciphertext names the key.
        self.assertEqual(kms.decrypt(CiphertextBlob=blob)["Plaintext"],
                         b"shared")
        # Never across accounts, whoever allows it.
        self.denied(kms.disable_key, KeyId=key)
        iam.delete_role_policy(RoleName="worker", PolicyName="use")
        self.denied(kms.encrypt, KeyId=key, Plaintext=b"x")
        # Each account sees its own.
        self.assertEqual(self.client(credentials=admin).list_keys()["Keys"],
                         [])
        self.assertEqual(
            [user["UserName"] for user in iam.list_users()["Users"]],
            ["admin"])


if __name__ == "__main__":
    unittest.main()
