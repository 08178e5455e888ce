# SPDX-License-Identifier: Apache-2.0
"""A session of the PKCS#11 module whose caller may no longer do what it did a
moment ago: the next call fails as it should, and no handle is lost."""

import json
import os
import unittest

from testlib.cryptoki import CKR_OK, Cryptoki
from testlib.pkcs11 import MODULE, Pkcs11Case

CKR_KEY_FUNCTION_NOT_PERMITTED = 0x68
CKR_USER_NOT_LOGGED_IN = 0x101
CKR_FUNCTION_REJECTED = 0x200
DIGEST = b"\x01" * 32


def statement(effect, principal, action):
    return {"Effect": effect, "Principal": {"AWS": principal},
            "Action": action, "Resource": "*"}


class RefusalTest(Pkcs11Case):

    def setUp(self):
        super().setUp()
        name = self._testMethodName[:60]
        self.user = name
        self.user_arn(name)
        self.iam.put_user_policy(
            UserName=name, PolicyName="use", PolicyDocument=json.dumps(
                {"Version": "2012-10-17", "Statement": [
                    {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}))
        self.credential = self.iam.create_access_key(
            UserName=name)["AccessKey"]
        self.key, _ = self.new("ECC_NIST_P256", "SIGN_VERIFY", name)
        before = dict(os.environ)
        self.addCleanup(os.environ.update, before)
        # Over HTTP: the socket's callers are known by their uid.
        os.environ.update(
            XDG_CONFIG_HOME=str(self.folder), CLAVIGER_SOCKET="",
            CLAVIGER_ENDPOINT=self.server.endpoint,
            AWS_REGION=self.region,
            AWS_ACCESS_KEY_ID=self.credential["AccessKeyId"],
            AWS_SECRET_ACCESS_KEY=self.credential["SecretAccessKey"])
        self.module = Cryptoki(MODULE)
        self.addCleanup(self.module.close)
        self.session = self.module.open()
        self.private = self.module.private_key(self.session, name)

    def sign(self):
        """CKR_OK for a signature, else why there is none."""
        made = self.module.sign(self.session, self.private, DIGEST)
        return CKR_OK if isinstance(made, bytes) else made

    def put_policy(self, *statements):
        root = f"arn:aws:iam::{self.account}:root"
        self.kms.put_key_policy(
            KeyId=self.key["KeyId"], PolicyName="default",
            Policy=json.dumps({"Version": "2012-10-17", "Statement": [
                statement("Allow", root, "kms:*"), *statements]}))

    def test_denied_by_a_policy(self):
        self.assertEqual(self.sign(), CKR_OK)
        self.put_policy(statement("Deny", self.user_arn(self.user),
                                  "kms:Sign"))
        self.assertEqual(self.sign(), CKR_FUNCTION_REJECTED)
        # The operation has ended: another one can begin.
        self.assertEqual(self.sign(), CKR_FUNCTION_REJECTED)
        self.put_policy()
        self.assertEqual(self.sign(), CKR_OK)

    def test_credentials_that_are_withdrawn(self):
        self.assertEqual(self.sign(), CKR_OK)
        for status, answer in (("Inactive", CKR_USER_NOT_LOGGED_IN),
                               ("Active", CKR_OK)):
            self.iam.update_access_key(
                UserName=self.user, Status=status,
                AccessKeyId=self.credential["AccessKeyId"])
            self.assertEqual(self.sign(), answer)

    def test_a_key_that_is_disabled(self):
        self.assertEqual(self.sign(), CKR_OK)
        self.kms.disable_key(KeyId=self.key["KeyId"])
        self.assertEqual(self.sign(), CKR_KEY_FUNCTION_NOT_PERMITTED)
        self.kms.enable_key(KeyId=self.key["KeyId"])
        self.assertEqual(self.sign(), CKR_OK)


if __name__ == "__main__":
    unittest.main()
