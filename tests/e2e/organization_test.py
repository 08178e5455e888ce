# SPDX-License-Identifier: Apache-2.0
"""An organization in the configuration bounds accounts, and the operator's way
back to a key whose policy lets nobody in."""

import json
import subprocess
import unittest

from botocore.exceptions import ClientError

from testlib.clients import SECONDS, boto3_client
from testlib.installed import ACCOUNT, PROGRAM, Installed

NO_DELETION = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Deny", "Action": "kms:ScheduleKeyDeletion", "Resource": "*"}]}
OWN_ONLY = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Deny", "Principal": "*", "Action": "kms:DisableKey",
     "Resource": "*", "Condition": {"StringEquals": {
         "aws:PrincipalOrgID": "o-exampleorg1"}}}]}
NOBODY = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*"}]})


class Organization(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.server = Installed()
        cls.addClassCleanup(cls.server.close)
        cls.server.made()
        cls.scp = cls.server.folder / "scp.json"
        cls.rcp = cls.server.folder / "rcp.json"
        cls.scp.write_text(json.dumps(NO_DELETION))
        cls.rcp.write_text(json.dumps(OWN_ONLY))
        with open(cls.server.config, "a") as config:
            config.write(f"""
[organization]
id = "o-exampleorg1"
[[organization.unit]]
id = "r-ab12"
[[organization.unit]]
id = "ou-ab12-11111111"
parent = "r-ab12"
service_control_policies = ["FullAWSAccess", "{cls.scp}"]
resource_control_policies = ["{cls.rcp}"]
[[organization.account]]
id = "{ACCOUNT}"
parent = "ou-ab12-11111111"
""")
        cls.server.start()
        cls.kms = boto3_client(cls.server)
        cls.addClassCleanup(cls.kms.close)
        cls.key = cls.kms.create_key()["KeyMetadata"]["KeyId"]

    def claviger(self, *words):
        return subprocess.run(
            [PROGRAM, *map(str, words)], capture_output=True, text=True,
            env={"CLAVIGER_SOCKET": str(self.server.socket),
                 "PATH": "/usr/bin:/bin"}, timeout=SECONDS)

    def denied(self, words, call, **arguments):
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        error = caught.exception.response["Error"]
        self.assertEqual(error["Code"], "AccessDeniedException")
        self.assertIn(words, error["Message"])

    def test_its_policies_deny_what_the_administrator_may(self):
        self.denied("explicit deny in a service control policy",
                    self.kms.schedule_key_deletion, KeyId=self.key)
        self.denied("explicit deny in a resource control policy",
                    self.kms.disable_key, KeyId=self.key)
        self.kms.describe_key(KeyId=self.key)

    def test_a_changed_policy_file_needs_a_restart(self):
        good = self.scp.read_text()
        self.addCleanup(self.scp.write_text, good)
        self.scp.write_text(good + "\n")
        self.assertIn("needs a restart", self.server.reload())

    def test_a_bad_policy_file_is_found_before(self):
        good = self.scp.read_text()
        self.addCleanup(self.scp.write_text, good)
        self.scp.write_text('{"Statement": [{"Effect": "Perhaps"}]}')
        run = self.claviger("config", "check", self.server.config)
        self.assertEqual(run.returncode, 2, run.stderr)
        self.assertIn(f"ou-ab12-11111111: {self.scp}", run.stderr)

    def test_the_operator_resets_a_policy_that_shuts_everybody_out(self):
        key = self.kms.create_key()["KeyMetadata"]["KeyId"]
        self.kms.put_key_policy(KeyId=key, Policy=NOBODY,
                                BypassPolicyLockoutSafetyCheck=True)
        self.denied("explicit deny", self.kms.describe_key, KeyId=key)
        run = self.claviger("policy", "reset", key)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("has the default key policy", run.stdout)
        self.kms.describe_key(KeyId=key)
        run = self.claviger("policy", "reset", "alias/none")
        self.assertEqual(run.returncode, 1)
        self.assertIn("alias/none is not found", run.stderr)


if __name__ == "__main__":
    unittest.main()
