# SPDX-License-Identifier: Apache-2.0
"""The AWS SDK and the AWS Encryption SDK for JavaScript, against a server.

js/package-lock.json pins the SDKs and the Node.js that they need, which is newer
than Debian's; `npm ci` in js/ (or tools/test) fetches both.
"""

import pathlib
import subprocess
import unittest

from testlib import ServerCase, aws_environment, loopback

FOLDER = pathlib.Path(__file__).parent / "js"
# Not .bin/node: npm 9, which is Debian's, makes no link to it.
NODES = sorted(FOLDER.glob("node_modules/node-linux-*/bin/node"))


class JavaScript(ServerCase):

    def run_file(self, name):
        self.assertEqual(len(NODES), 1, f"run `npm ci` in {FOLDER}")
        run = subprocess.run(
            [NODES[0], "--test", FOLDER / name],
            env={**aws_environment(self.server),
                 "E2E_ENDPOINT": loopback(self.server.endpoint)},
            capture_output=True, text=True, stdin=subprocess.DEVNULL,
            timeout=300)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertRegex(run.stdout, r"(?m)^# fail 0$")

    def test_the_sdk(self):
        self.run_file("kms_test.mjs")

    def test_every_operation(self):
        self.run_file("every_operation_test.mjs")

    def test_the_encryption_sdk(self):
        self.run_file("encryption_sdk_test.mjs")


if __name__ == "__main__":
    unittest.main()
