# SPDX-License-Identifier: Apache-2.0
"""What the tests have in common: one server a file, and how to assert."""

import base64
import json
import re
import unittest

from botocore.exceptions import ClientError

from testlib.clients import boto3_client, call
from testlib.server import Server

ABSENT_KEY = "01234567-89ab-4cde-8f01-23456789abcd"


class ServerCase(unittest.TestCase):
    """Tests against one server that all classes of a file share."""

    maxDiff = None
    server = None
    account = "000000000000"

    @classmethod
    def setUpClass(cls):
        if ServerCase.server is None:
            ServerCase.server = Server().start()
            unittest.addModuleCleanup(ServerCase._close)
        cls.region = cls.server.region
        cls.kms = boto3_client(cls.server)
        cls.iam = boto3_client(cls.server, service="iam")

    @classmethod
    def tearDownClass(cls):
        cls.kms.close()
        cls.iam.close()

    @classmethod
    def _close(cls):
        server, ServerCase.server = ServerCase.server, None
        server.close()

    def call(self, operation, **request):
        """A raw call that must succeed; returns the reply's JSON."""
        reply = call(self.server, operation, request)
        self.assertEqual(reply.status, 200, reply.text)
        return reply.json

    def refuses(self, code, message, method, **request):
        """`method` is a boto3 method, or the name of an operation to call raw.

        `message` is the exact text, a compiled pattern that must match all of
        it, or None for an error that AWS sends without a message.
        """
        if isinstance(method, str):
            reply = call(self.server, method, request)
            self.assertEqual(reply.status, 400, reply.text)
            # AWS writes AccessDeniedException's in its own way.
            got, text = reply.json["__type"], reply.json.get(
                "message", reply.json.get("Message"))
        else:
            with self.assertRaises(ClientError) as caught:
                method(**request)
            error = caught.exception.response["Error"]
            got, text = error["Code"], error.get("Message") or None
        self.assertEqual(got, code, text)
        if isinstance(message, re.Pattern):
            self.assertRegex(text or "", re.compile(
                r"\A(?:" + message.pattern + r")\Z", re.S))
        else:
            self.assertEqual(text, message)

    def invalid(self, item, method, **request):
        """One broken constraint of the model: AWS's ValidationException."""
        text = f"1 validation error detected: Value {item}"
        self.refuses("ValidationException",
                     re.compile(re.escape(text) + r"\[.*\]") if
                     text.endswith("enum value set: ") else text,
                     method, **request)

    def user_arn(self, name):
        """The user of this name, who is made if they are not there."""
        try:
            return self.iam.get_user(UserName=name)["User"]["Arn"]
        except self.iam.exceptions.NoSuchEntityException:
            return self.iam.create_user(UserName=name)["User"]["Arn"]

    def role_arn(self, name):
        """The role of this name, which the account may assume."""
        trust = {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"AWS": self.account}}]}
        try:
            return self.iam.get_role(RoleName=name)["Role"]["Arn"]
        except self.iam.exceptions.NoSuchEntityException:
            return self.iam.create_role(
                RoleName=name,
                AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]

    def new_key(self, **request):
        return self.kms.create_key(**request)["KeyMetadata"]

    def key_arn(self, key_id, region=None):
        return f"arn:aws:kms:{region or self.region}:{self.account}:key/{key_id}"

    def alias_arn(self, name, region=None):
        return f"arn:aws:kms:{region or self.region}:{self.account}:{name}"

    def state(self, key_id):
        return self.kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"]

    def pending_deletion(self):
        """The metadata of a new key that is scheduled for deletion."""
        key = self.new_key()
        self.kms.schedule_key_deletion(KeyId=key["KeyId"])
        return key

    def refuses_unknown_keys(self, method, member="KeyId", aliases=True,
                             **request):
        """AWS KMS Developer Guide, "Key identifiers (KeyId)"."""
        for name in ("fake-key-id", ABSENT_KEY.replace("-", ""),
                     "mrk-fake-key-id"):
            self.refuses("NotFoundException", f"Invalid keyId '{name}'",
                         method, **{member: name}, **request)
        arn = self.key_arn(ABSENT_KEY)
        for name in (ABSENT_KEY, arn):
            self.refuses("NotFoundException", f"Key '{arn}' does not exist",
                         method, **{member: name}, **request)
        self.refuses("NotFoundException", "Invalid arn eu-north-1", method,
                     **{member: self.key_arn(ABSENT_KEY, "eu-north-1")},
                     **request)
        for name in ("alias/absent", self.alias_arn("alias/absent")):
            self.refuses(
                "NotFoundException",
                f"Alias {self.alias_arn('alias/absent')} is not found."
                if aliases else re.compile(".+"),
                method, **{member: name}, **request)
        self.refuses("InvalidArnException", re.compile(".+"), method,
                     **{member: "arn:aws:kms:nonsense"}, **request)
        self.invalid("null at '" + member[0].lower() + member[1:] +
                     "' failed to satisfy constraint: Member must not be null",
                     method, **request)


def b64(data):
    return base64.b64encode(data).decode()
