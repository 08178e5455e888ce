# SPDX-License-Identifier: Apache-2.0
"""`claviger explain` and `claviger policy simulate, who-can, replay` against a
server: what a denied caller does not learn, whoever is allowed to does."""

import json
import re
import subprocess
import unittest

from testlib import ServerCase
from testlib.clients import SECONDS
from testlib.server import BIN


class Explain(ServerCase):

    def claviger(self, *arguments, status=0, text=None):
        """Runs a verb as the administrator, over HTTP; returns what it says."""
        run = subprocess.run(
            [str(BIN / "claviger"), "--endpoint", self.server.endpoint,
             *arguments], input=text, capture_output=True, text=True,
            timeout=SECONDS, check=False, env={
                "AWS_ACCESS_KEY_ID": self.server.access_key,
                "AWS_SECRET_ACCESS_KEY": self.server.secret_key,
                "AWS_REGION": self.server.region})
        self.assertEqual(run.returncode, status, run.stderr + run.stdout)
        return run.stdout if status == 0 else run.stderr

    def events(self):
        for segment in sorted((self.server.dev / "audit")
                              .glob("audit-*.jsonl")):
            for line in segment.read_bytes().rstrip(b"\0").splitlines():
                event = json.loads(line)
                if "eventName" in event:
                    yield event

    def policy(self, *statements):
        return json.dumps({"Version": "2012-10-17", "Statement": [{
            "Sid": "account", "Effect": "Allow", "Action": "kms:*",
            "Resource": "*", "Principal": {
                "AWS": f"arn:aws:iam::{self.account}:root"}}, *statements]})

    def no_encrypt(self, **members):
        return {"Sid": "OnlyTenantA", "Effect": "Deny", "Principal": "*",
                "Action": "kms:Encrypt", "Resource": "*", "Condition": {
                    "StringNotEquals": {"kms:EncryptionContext:tenant": "a"}},
                **members}

    def setUp(self):
        self.key = self.new_key()

    def protect(self):
        self.kms.put_key_policy(KeyId=self.key["KeyId"], PolicyName="default",
                                Policy=self.policy(self.no_encrypt()))

    def test_explains_a_denied_request(self):
        self.protect()
        self.refuses("AccessDeniedException", re.compile(
            ".* with an explicit deny in a resource-based policy"),
            self.kms.encrypt, KeyId=self.key["KeyId"], Plaintext=b"x",
            EncryptionContext={"tenant": "b"})
        event = list(self.events())[-1]
        self.assertEqual(event["errorCode"], "AccessDeniedException")
        text = self.claviger("explain", "--event", event["eventID"])
        self.assertIn(f"Event {event['eventID']}: Encrypt at ", text)
        self.assertIn('Recorded: ExplicitDeny (resource-based policy '
                      '"OnlyTenantA").', text)
        self.assertIn("decided alike", text)
        self.assertIn(f"user/admin asks for kms:Encrypt on {self.key['Arn']}.",
                      text)
        self.assertTrue(text.endswith(
            'Denied by statement "OnlyTenantA" of the resource-based policy.\n'),
            text)
        reply = json.loads(self.claviger(
            "explain", "--event", event["eventID"], "--json"))
        self.assertIs(reply["Differs"], False)
        self.assertEqual(reply["Checks"][0]["request"]["context"]
                         ["kms:EncryptionContext:tenant"], "b")

    def test_says_that_there_is_no_such_event(self):
        self.assertIn("NotFoundException", self.claviger(
            "explain", "--event", "01234567-89ab-4cde-8f01-23456789abcd",
            status=1))

    def test_simulates(self):
        self.protect()
        arguments = ["policy", "simulate", "--principal",
                     f"arn:aws:iam::{self.account}:user/admin", "--action",
                     "kms:Encrypt", "--key", self.key["KeyId"]]
        denied = self.claviger(*arguments)
        self.assertIn('Denied by statement "OnlyTenantA"', denied)
        allowed = self.claviger(*arguments, "--context",
                                "kms:EncryptionContext:tenant=a")
        self.assertIn("Allowed by ", allowed)
        self.assertIn('the request has "a"', allowed)
        self.assertIn("NotFoundException", self.claviger(
            "policy", "simulate", "--principal",
            f"arn:aws:iam::{self.account}:user/nobody", "--action",
            "kms:Encrypt", status=1))
        self.assertIn("--context takes KEY=VALUE", self.claviger(
            *arguments, "--context", "x", status=2))

    def test_lists_who_can(self):
        self.kms.put_key_policy(
            KeyId=self.key["KeyId"], PolicyName="default", Policy=self.policy({
                "Sid": "sns", "Effect": "Allow", "Action": "kms:Decrypt",
                "Principal": {"Service": "sns.amazonaws.com"}, "Resource": "*",
                "Condition": {"StringLike": {"aws:SourceArn": "arn:*"}}}))
        text = self.claviger("policy", "who-can", "kms:Decrypt",
                             self.key["KeyId"])
        self.assertRegex(text, re.compile(
            rf"^Yes   arn:aws:iam::{self.account}:root ", re.M))
        self.assertRegex(text, re.compile(
            r'^Maybe sns\.amazonaws\.com  by \(resource-based policy "sns"\)  '
            r"depends on aws:SourceArn$", re.M))

    def test_replays(self):
        self.kms.encrypt(KeyId=self.key["KeyId"], Plaintext=b"x")
        self.kms.encrypt(KeyId=self.key["KeyId"], Plaintext=b"x",
                         EncryptionContext={"tenant": "a"})
        policy = self.server.folder / "policy.json"
        policy.write_text(self.policy(self.no_encrypt()))
        arguments = ["policy", "replay", "--key", self.key["KeyId"],
                     "--new-policy", str(policy)]
        text = self.claviger(*arguments, "--since", "30d")
        self.assertRegex(text, r"(?m)^2\d{3}-.* \S+user/admin kms:Encrypt$")
        self.assertIn('becomes ExplicitDeny (resource-based policy '
                      '"OnlyTenantA")', text)
        self.assertIn("1 of 2 requests would be answered otherwise.\n", text)
        reply = json.loads(self.claviger(
            "policy", "replay", "--key", self.key["KeyId"], "--new-policy",
            "-", "--since", "1h", "--json", text=self.policy()))
        self.assertEqual((reply["Examined"], reply["Changes"]), (2, []))
        self.assertIn("--since takes", self.claviger(
            *arguments, "--since", "lately", status=2))
        policy.write_text("{}")
        self.assertIn("MalformedPolicyDocumentException", self.claviger(
            *arguments, "--since", "1d", status=1))


if __name__ == "__main__":
    unittest.main()
