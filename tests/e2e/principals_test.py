# SPDX-License-Identifier: Apache-2.0
"""Who asks without a signature: by a client certificate, by the uid of a
process. curl is the client."""

import json
import os
import subprocess
import unittest

from testlib import loopback
from testlib.clients import SECONDS, boto3_client
from testlib.installed import ACCOUNT, Installed, free_port

USER = f"arn:aws:iam::{ACCOUNT}:user/backup"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/service/web"
GONE = f"arn:aws:iam::{ACCOUNT}:user/gone"
USER_UID, ROLE_UID, GONE_UID, OTHER_UID = 54321, 54322, 54323, 54324
MAY_LIST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "kms:ListKeys", "Resource": "*"}]})
TRUSTS_NOBODY_HERE = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "sts:AssumeRole",
     "Principal": {"AWS": ACCOUNT},
     "Condition": {"StringEquals": {"aws:username": "nobody"}}}]})


def openssl(*words):
    return subprocess.run(["openssl", *map(str, words)], check=True, text=True,
                          capture_output=True, timeout=SECONDS).stdout


class Certificate:
    """A self-signed certificate, its key, and what openssl says of it."""

    def __init__(self, folder, name, *options):
        self.file = folder / f"{name}.pem"
        self.key = folder / f"{name}.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.file,
                *options)
        said = openssl("x509", "-in", self.file, "-noout", "-fingerprint",
                       "-sha256")
        self.fingerprint = said.strip().rpartition("=")[2]
        self.digits = self.fingerprint.replace(":", "").lower()


class Principals(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.server = Installed()
        cls.addClassCleanup(cls.server.close)
        cls.server.made()
        cls.folder = cls.server.folder / "tls"
        cls.folder.mkdir()
        cls.own = Certificate(cls.folder, "server", "-addext",
                              "subjectAltName=IP:127.0.0.1")
        cls.user, cls.role, cls.gone, cls.unknown = (
            Certificate(cls.folder, name)
            for name in ("user", "role", "gone", "unknown"))
        cls.port = free_port()
        cls.server.edit(
            '# https = "0.0.0.0:8443"         # Needs the two below.',
            f'https = "127.0.0.1:{cls.port}"')
        cls.server.edit(
            '# certificate = "/etc/claviger/tls/certificate.pem"',
            f'certificate = "{cls.own.file}"')
        cls.server.edit(
            '# private_key = "/etc/claviger/tls/private-key.pem"',
            f'private_key = "{cls.own.key}"')
        cls.append(
            "[peer_principals]",
            f'"{USER_UID}" = "{USER}"',
            f'"{ROLE_UID}" = "{ROLE}"',
            f'{GONE_UID} = "{GONE}"',
            "[certificate_principals]",
            f'"{cls.user.fingerprint}" = "{USER}"',
            f'{cls.role.digits} = "{ROLE}"',
            f'{cls.gone.digits} = "{GONE}"')
        cls.server.start()
        cls.make_principals()

    @classmethod
    def append(cls, *lines):
        with open(cls.server.config, "a") as config:
            config.write("\n" + "\n".join(lines) + "\n")

    @classmethod
    def make_principals(cls):
        iam = boto3_client(cls.server, service="iam")
        cls.addClassCleanup(iam.close)
        iam.create_user(UserName="backup")
        iam.put_user_policy(UserName="backup", PolicyName="inline",
                            PolicyDocument=MAY_LIST)
        iam.create_role(RoleName="web", Path="/service/",
                        AssumeRolePolicyDocument=TRUSTS_NOBODY_HERE)
        iam.put_role_policy(RoleName="web", PolicyName="inline",
                            PolicyDocument=MAY_LIST)

    def setUp(self):
        self.good = self.server.config.read_text()
        self.addCleanup(self.server.config.write_text, self.good)

    def curl(self, *words, uid=None):
        """(status, text) of a request that curl makes, as that uid."""
        command = ["curl", "-sS", "--max-time", str(SECONDS), "-w",
                   "\n%{http_code}", *map(str, words)]
        if uid is not None:
            command = ["setpriv", f"--reuid={uid}", f"--regid={uid}",
                       "--clear-groups", "--", *command]
        run = subprocess.run(command, capture_output=True, text=True,
                             env={"PATH": "/usr/bin:/bin"}, timeout=SECONDS)
        self.assertEqual(run.returncode, 0, run.stderr)
        text, _, status = run.stdout.rpartition("\n")
        return int(status), text

    def https(self, operation, shown=None, *words):
        where = loopback(f"https://127.0.0.1:{self.port}")
        shows = ("--cert", shown.file, "--key", shown.key) if shown else ()
        return self.curl("--cacert", self.own.file, *shows, where + "/",
                         *self.request(operation), *words)

    def over_socket(self, operation, uid, *words):
        return self.curl("--unix-socket", self.server.socket,
                         "http://localhost/", *self.request(operation), *words,
                         uid=uid)

    @staticmethod
    def request(operation):
        if operation == "GetCallerIdentity":
            return ("-d", "Action=GetCallerIdentity&Version=2011-06-15")
        return ("-H", "Content-Type: application/x-amz-json-1.1", "-H",
                f"X-Amz-Target: TrentService.{operation}", "-d", "{}")

    def refused(self, answer, status, *words):
        self.assertEqual(answer[0], status, answer[1])
        for word in words:
            self.assertIn(word, answer[1])

    def last_event(self, name):
        """The newest record of a call of this name."""
        records = []
        for path in sorted((self.server.state / "audit").iterdir()):
            for line in path.read_bytes().rstrip(b"\0").splitlines():
                if line.startswith(b"{") and line.endswith(b"}"):
                    records.append(json.loads(line))
        return [record for record in records
                if record.get("eventName") == name][-1]

    # By certificate.

    def test_a_certificate_is_a_user(self):
        status, text = self.https("GetCallerIdentity", self.user)
        self.assertEqual(status, 200, text)
        self.assertIn(f"<Arn>{USER}</Arn>", text)
        status, text = self.https("ListKeys", self.user)
        self.assertEqual(status, 200, text)
        self.assertIn("Keys", json.loads(text))
        who = self.last_event("ListKeys")["userIdentity"]
        self.assertEqual(who["type"], "IAMUser")
        self.assertEqual(who["arn"], USER)
        self.assertEqual(who["userName"], "backup")
        self.assertNotIn("accessKeyId", who)
        self.refused(self.https("CreateKey", self.user), 400,
                     "AccessDeniedException", USER)

    def test_a_certificate_is_a_session_of_a_role(self):
        name = f"cert-{self.role.digits[:16]}"
        arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/web/{name}"
        status, text = self.https("GetCallerIdentity", self.role)
        self.assertEqual(status, 200, text)
        self.assertIn(f"<Arn>{arn}</Arn>", text)
        status, text = self.https("ListKeys", self.role)
        self.assertEqual(status, 200, text)
        who = self.last_event("ListKeys")["userIdentity"]
        self.assertEqual(who["type"], "AssumedRole")
        self.assertEqual(who["arn"], arn)
        self.assertEqual(who["sessionContext"]["sessionIssuer"]["arn"], ROLE)
        self.assertNotIn("accessKeyId", who)
        self.refused(self.https("CreateKey", self.role), 400,
                     "AccessDeniedException", arn)

    def test_its_region_is_that_of_the_header(self):
        for region in ("eu-north-1", "us-east-1"):
            status, text = self.https("ListKeys", self.user, "-H",
                                      f"X-Claviger-Region: {region}")
            self.assertEqual(status, 200, text)
            self.assertEqual(self.last_event("ListKeys")["awsRegion"], region)

    def test_a_certificate_counts_with_tls_1_2_too(self):
        for version in ("1.2", "1.3"):
            status, text = self.https("ListKeys", self.user, "--tlsv1.2",
                                      "--tls-max", version)
            self.assertEqual(status, 200, text)

    def test_a_certificate_of_nobody(self):
        self.refused(self.https("ListKeys"), 400,
                     "MissingAuthenticationTokenException")
        self.refused(self.https("ListKeys", self.unknown), 400,
                     "MissingAuthenticationTokenException",
                     self.unknown.digits)
        self.refused(self.https("ListKeys", self.gone), 400,
                     "UnrecognizedClientException", GONE)

    def test_a_certificate_does_not_mend_a_signature(self):
        self.refused(
            self.https("ListKeys", self.user, "--aws-sigv4",
                       "aws:amz:us-east-1:kms", "--user",
                       f"{self.server.access_key}:wrong"),
            400, "InvalidSignatureException")

    def test_a_browser_does_not_lend_its_certificate(self):
        self.refused(
            self.https("GetCallerIdentity", self.user, "-H",
                       "Origin: https://evil.example"), 403,
            "MissingAuthenticationToken", "Origin")

    def test_a_certificate_is_not_needed(self):
        status, text = self.https(
            "ListKeys", None, "--aws-sigv4", "aws:amz:us-east-1:kms",
            "--user", f"{self.server.access_key}:{self.server.secret_key}")
        self.assertEqual(status, 200, text)

    # By uid.

    def require_root(self):
        if os.geteuid():
            self.skipTest("needs root, to be another user")
        # So that others reach the socket.
        self.server.folder.chmod(0o711)

    def test_a_uid_is_a_user(self):
        self.require_root()
        status, text = self.over_socket("ListKeys", USER_UID)
        self.assertEqual(status, 200, text)
        event = self.last_event("ListKeys")
        self.assertEqual(event["userIdentity"]["arn"], USER)
        self.assertNotIn("accessKeyId", event["userIdentity"])
        self.refused(self.over_socket("CreateKey", USER_UID), 400,
                     "AccessDeniedException", USER)

    def test_a_uid_is_a_session_of_a_role(self):
        self.require_root()
        arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/web/uid-{ROLE_UID}"
        status, text = self.over_socket("GetCallerIdentity", ROLE_UID)
        self.assertEqual(status, 200, text)
        self.assertIn(f"<Arn>{arn}</Arn>", text)
        status, text = self.over_socket("ListKeys", ROLE_UID)
        self.assertEqual(status, 200, text)
        who = self.last_event("ListKeys")["userIdentity"]
        self.assertEqual((who["type"], who["arn"]), ("AssumedRole", arn))

    def test_a_uid_of_nobody(self):
        self.require_root()
        self.refused(self.over_socket("ListKeys", GONE_UID), 400,
                     "UnrecognizedClientException", GONE)
        self.refused(self.over_socket("ListKeys", OTHER_UID), 400,
                     "UnrecognizedClientException", f"user uid-{OTHER_UID}",
                     "[peer_principals]")

    # The configuration.

    def check(self):
        return self.server.claviger("config", "check", self.server.config)

    def test_the_check_of_a_configuration_reads_them(self):
        self.assertEqual(self.check().returncode, 0)
        for old, new, reason in (
                (f'"{USER_UID}" =', '"0" =', "peer_principals.0 is root"),
                (f'"{USER_UID}" =', '"backup" =',
                 "peer_principals.backup is not a uid"),
                (f'"{USER_UID}" = "{USER}"', f'"{USER_UID}" = "backup"',
                 f"peer_principals.{USER_UID} must be the ARN of a user or "
                 "role"),
                (self.role.digits, self.role.digits[2:],
                 "is not the SHA-256 fingerprint of a certificate"),
                (self.role.digits, self.user.digits, "stands there twice")):
            with self.subTest(new):
                self.server.edit(old, new)
                run = self.check()
                self.server.config.write_text(self.good)
                self.assertNotEqual(run.returncode, 0)
                self.assertIn(reason, run.stderr)
                self.assertIn(f"{self.server.config}:", run.stderr)

    def test_a_change_needs_a_restart(self):
        for row in (f'"{USER_UID}" = "{USER}"',
                    f'"{self.user.fingerprint}" = "{USER}"'):
            with self.subTest(row):
                self.server.edit(row, "")
                said = self.server.reload()
                self.server.config.write_text(self.good)
                self.assertIn("error: nothing was reloaded: ", said)
                self.assertIn("needs a restart", said)
        self.assertIn("configuration reloaded", self.server.reload())
        self.assertEqual(self.https("ListKeys", self.user)[0], 200)


if __name__ == "__main__":
    unittest.main()
