# SPDX-License-Identifier: Apache-2.0
"""GetKeyPolicy, PutKeyPolicy, ListKeyPolicies, and that policies decide. What
each element of a policy means is tested beside the engine."""

import json
import re
import unittest

from testlib import ServerCase


class KeyPolicies(ServerCase):

    def statement(self, **members):
        return {"Sid": "all", "Effect": "Allow", "Action": "kms:*",
                "Principal": {"AWS": f"arn:aws:iam::{self.account}:root"},
                "Resource": "*", **members}

    def policy(self, *statements):
        return json.dumps({"Version": "2012-10-17",
                           "Statement": statements or [self.statement()]})

    def put(self, key, policy, **request):
        self.kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy,
                                **request)

    def get(self, key):
        return self.kms.get_key_policy(KeyId=key,
                                       PolicyName="default")["Policy"]

    def test_the_default_policy(self):
        policy = json.loads(self.get(self.new_key()["KeyId"]))
        self.assertEqual(policy, {
            "Version": "2012-10-17", "Id": "key-default-1",
            "Statement": [self.statement(Sid="Enable IAM User Permissions")]})

    def test_the_replies(self):
        key = self.new_key()["KeyId"]
        reply = self.call("GetKeyPolicy", KeyId=key)
        self.assertEqual(set(reply), {"Policy", "PolicyName"})
        self.assertEqual(reply["PolicyName"], "default")
        self.assertEqual(self.call("ListKeyPolicies", KeyId=key),
                         {"PolicyNames": ["default"], "Truncated": False})

    def test_putting(self):
        key = self.new_key()
        policy = self.policy(self.statement(Sid="mine"))
        self.put(key["KeyId"], policy)
        self.assertEqual(json.loads(self.get(key["Arn"])), json.loads(policy))
        # The name may be left out, for putting as for getting.
        reply = self.call("GetKeyPolicy", KeyId=key["Arn"])
        self.assertEqual(json.loads(reply["Policy"]), json.loads(policy))

    def test_a_deny_beats_the_administrator(self):
        key = self.new_key()
        self.put(key["KeyId"], self.policy(
            self.statement(), self.statement(
                Sid="never", Effect="Deny", Action="kms:Encrypt",
                Principal="*")))
        self.refuses(
            "AccessDeniedException",
            f"User: arn:aws:iam::{self.account}:user/admin is not authorized "
            f"to perform: kms:Encrypt on resource: {key['Arn']} with an "
            "explicit deny in a resource-based policy", self.kms.encrypt,
            KeyId=key["KeyId"], Plaintext=b"x")
        self.kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256")
        self.put(key["KeyId"], self.policy())
        self.kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")

    def test_a_condition_on_the_encryption_context(self):
        key = self.new_key()["KeyId"]
        self.put(key, self.policy(
            self.statement(), self.statement(
                Effect="Deny", Action="kms:Encrypt", Principal="*",
                Condition={"StringNotEquals": {
                    "kms:EncryptionContext:tenant": "a"}})))
        self.kms.encrypt(KeyId=key, Plaintext=b"x",
                         EncryptionContext={"tenant": "a"})
        for context in ({}, {"tenant": "b"}):
            self.refuses("AccessDeniedException", re.compile(".*"),
                         self.kms.encrypt, KeyId=key, Plaintext=b"x",
                         EncryptionContext=context)

    def test_nobody_locks_themselves_out(self):
        key = self.new_key()["KeyId"]
        policy = self.policy(self.statement(Principal={
            "AWS": self.user_arn("uid-1000")}))
        self.refuses("MalformedPolicyDocumentException",
                     "The new key policy will not allow you to update the key "
                     "policy in the future.", self.put, key=key,
                     policy=policy)
        self.put(key, policy, BypassPolicyLockoutSafetyCheck=True)
        self.refuses("AccessDeniedException", re.compile(".*"), self.get,
                     key=key)

    def test_only_one_name(self):
        key = self.new_key()["KeyId"]
        self.refuses("NotFoundException", "No such policy exists",
                     self.kms.get_key_policy, KeyId=key, PolicyName="other")
        self.refuses("NotFoundException", "No such policy exists",
                     self.kms.put_key_policy, KeyId=key, PolicyName="other",
                     Policy=self.policy())

    def test_refuses_what_is_no_policy(self):
        key = self.new_key()["KeyId"]
        before = self.get(key)
        for text in ("no json", "[]", "{}", '{"Version":"2012-10-17"}',
                     self.policy()[:-1],
                     self.policy(self.statement(Effect="Perhaps")),
                     self.policy(self.statement(Action=7)),
                     self.policy(self.statement(Principal={"Nobody": "*"}))):
            with self.subTest(text=text):
                self.refuses("MalformedPolicyDocumentException",
                             re.compile(".*"), self.kms.put_key_policy,
                             KeyId=key, PolicyName="default", Policy=text)
        self.assertEqual(self.get(key), before)

    def test_size(self):
        key = self.new_key()["KeyId"]
        empty = len(self.policy(self.statement(Sid="")))
        self.put(key, self.policy(self.statement(Sid="s" * (32768 - empty))))
        self.refuses("LimitExceededException", re.compile(".*"),
                     self.kms.put_key_policy, KeyId=key, PolicyName="default",
                     Policy=self.policy(
                         self.statement(Sid="s" * (32769 - empty))))
        self.refuses("ValidationException",
                     re.compile(r"1 validation error detected: Value '.*' at "
                                r"'policy' failed to satisfy constraint: Member "
                                r"must have length less than or equal to "
                                r"131072"), self.kms.put_key_policy,
                     KeyId=key, PolicyName="default", Policy="x" * 131073)

    def test_refuses_unknown_keys(self):
        self.refuses_unknown_keys(self.kms.get_key_policy, aliases=False,
                                  PolicyName="default")
        self.refuses_unknown_keys(self.kms.put_key_policy, aliases=False,
                                  PolicyName="default", Policy=self.policy())
        self.refuses_unknown_keys(self.kms.list_key_policies, aliases=False)

    def test_refuses_a_missing_policy(self):
        self.invalid("null at 'policy' failed to satisfy constraint: Member "
                     "must not be null", self.kms.put_key_policy,
                     KeyId=self.new_key()["KeyId"], PolicyName="default")


if __name__ == "__main__":
    unittest.main()
