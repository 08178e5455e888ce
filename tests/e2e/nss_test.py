# SPDX-License-Identifier: Apache-2.0
"""A server on NSS softokn, a token that is there before `claviger init`."""

import subprocess
import unittest

import botocore.exceptions

from testlib.clients import boto3_client
from testlib.faults import wait_until
from testlib.installed import Installed
from testlib.server import BIN, START_SECONDS, STOP_SECONDS

MODULE = "/usr/lib/x86_64-linux-gnu/libsoftokn3.so"
TOKEN = "pkcs11:token=NSS%20Certificate%20DB"
RISKS = ("copies-can-be-extractable", "keys-can-be-wrapped-out")


class NssCase(unittest.TestCase):
    """A folder with NSS's database, and a server to be made for it."""

    def setUp(self):
        self.server = Installed()
        self.addCleanup(self.server.close)
        self.database = self.server.folder / "nss"
        self.database.mkdir()
        self.server.pin_file.parent.mkdir(parents=True)
        self.server.pin_file.write_text("a password of NSS\n")
        self.server.pin_file.chmod(0o600)
        subprocess.run(["certutil", "-N", "-d", f"sql:{self.database}",
                        "-f", self.server.pin_file], check=True)
        self.parameters = (f"configdir='sql:{self.database}' certPrefix='' "
                           "keyPrefix='' secmod='secmod.db' flags=")

    def token(self, risks=RISKS):
        """The options that say which token it is."""
        options = ["--module", MODULE, "--token", TOKEN,
                   "--module-parameters", self.parameters]
        for risk in risks:
            options += ["--accept-risk", risk]
        return options

    def init(self, *options, **other):
        command = self.server.init_command(
            **{"token_dir": None, "softhsm_conf": None, **other})
        return subprocess.run(command + list(options), capture_output=True,
                              text=True, stdin=subprocess.DEVNULL,
                              check=False, timeout=60)


class Probe(NssCase):

    def probe(self, risks):
        return self.server.claviger(
            "token", "probe", "--pin-file", self.server.pin_file,
            "--lock-dir", self.server.folder, *self.token(risks))

    def test_names_the_risks_and_refuses(self):
        run = self.probe(())
        self.assertEqual(run.returncode, 1, run.stdout)
        self.assertIn("profile: nss\n"
                      "risks: copies-can-be-extractable, "
                      "keys-can-be-wrapped-out\n"
                      "verdict: refused\n", run.stdout)
        self.assertIn('accept_risks = ["copies-can-be-extractable", '
                      '"keys-can-be-wrapped-out"]', run.stderr)

    def test_says_that_a_token_whose_risks_are_accepted_is_fit(self):
        run = self.probe(RISKS)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("verdict: fit to hold keys\n", run.stdout)

    def test_refuses_risks_that_there_are_not(self):
        run = self.probe(("everything",))
        self.assertEqual(run.returncode, 1)
        self.assertIn('unknown risk "everything"', run.stderr)


class BadInput(NssCase):

    def refuses(self, status, reason, *options, **other):
        before = self.server.contents()
        run = self.init(*options, **other)
        self.assertEqual(run.returncode, status, run.stderr)
        self.assertIn(reason, run.stderr)
        self.assertEqual(self.server.contents(), before)

    def test_refuses_options_that_do_not_go_together(self):
        self.refuses(2, "--module needs --token", "--module", MODULE)
        for option in ("token", "quirks", "module-parameters", "accept-risk"):
            self.refuses(2, f"--{option} needs --module", f"--{option}", "x")
        for option in ("token_dir", "token_label", "softhsm_conf"):
            self.refuses(2, "is for a new token of SoftHSM", *self.token(),
                         **{option: "x"})

    def test_refuses_what_would_break_the_configuration(self):
        for bad in '"\\\n':
            self.refuses(2, "may not hold quotes", "--module", MODULE,
                         "--token", f"pkcs11:token=a{bad}b")
        self.refuses(2, "known are keys-can-be-read", *self.token(("all",)))

    def test_needs_the_pin(self):
        self.server.pin_file.unlink()
        self.refuses(1, f"there is no {self.server.pin_file}: write the "
                     "token's PIN to it", *self.token())

    def test_makes_no_server_on_a_token_that_gives_keys_away(self):
        run = self.init(*self.token(()))
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("a non-extractable key can be wrapped", run.stderr)
        self.assertFalse(self.server.config.exists())


class Server(NssCase):

    def setUp(self):
        super().setUp()
        run = self.init(*self.token())
        self.assertEqual(run.returncode, 0, run.stderr)
        self.server.read_credential()
        self.server.start()
        self.kms = boto3_client(self.server)

    def hsm_log(self):
        return (self.server.folder / "claviger-hsm.log").read_text()

    def test_encrypts_signs_and_makes_macs_also_after_a_restart(self):
        key = self.kms.create_key()["KeyMetadata"]["KeyId"]
        sealed = self.kms.encrypt(KeyId=key, Plaintext=b"secret")
        signs = self.kms.create_key(
            KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
        signs = signs["KeyMetadata"]["KeyId"]
        made = self.kms.sign(KeyId=signs, Message=b"message",
                             SigningAlgorithm="ECDSA_SHA_256")
        macs = self.kms.create_key(
            KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
        macs = macs["KeyMetadata"]["KeyId"]
        mac = self.kms.generate_mac(KeyId=macs, Message=b"message",
                                    MacAlgorithm="HMAC_SHA_256")["Mac"]
        self.server.stop()
        self.server.start()
        opened = self.kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"])
        self.assertEqual(opened["Plaintext"], b"secret")
        self.assertTrue(self.kms.verify(
            KeyId=signs, Message=b"message", Signature=made["Signature"],
            SigningAlgorithm="ECDSA_SHA_256")["SignatureValid"])
        self.assertTrue(self.kms.verify_mac(
            KeyId=macs, Message=b"message", Mac=mac,
            MacAlgorithm="HMAC_SHA_256")["MacValid"])

    def test_what_the_token_lacks_is_an_unsupported_operation(self):
        for spec in ("ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519"):
            with self.subTest(spec):
                with self.assertRaises(
                        botocore.exceptions.ClientError) as caught:
                    self.kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")
                self.assertEqual(caught.exception.response["Error"]["Code"],
                                 "UnsupportedOperationException")

    def test_every_start_warns_of_the_accepted_risks(self):
        for risk in RISKS:
            self.assertIn(f'accepted risk "{risk}": ', self.hsm_log())
        self.assertNotIn("does not have the risk", self.hsm_log())

    def test_a_risk_that_the_token_does_not_have_is_a_warning(self):
        self.server.stop()
        self.server.edit('accept_risks = ["',
                         'accept_risks = ["keys-can-be-read", "')
        self.server.start()
        self.assertIn('does not have the risk "keys-can-be-read": remove it '
                      "from accept_risks", self.hsm_log())

    def test_wrapped_keys_are_refused(self):
        self.server.stop()
        self.server.edit('# placement = "wrapped" ', 'placement = "wrapped" ')
        hsm = subprocess.Popen(
            [BIN / "claviger-hsm", "--config", self.server.config],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_until((self.server.run_folder / "claviger-hsm/main.sock")
                       .exists, "claviger-hsm listens")
            for _ in range(10):  # It once crashed now and then.
                daemon = subprocess.run(
                    [BIN / "clavigerd", "--config", self.server.config],
                    capture_output=True, text=True, stdin=subprocess.DEVNULL,
                    timeout=START_SECONDS, check=False)
                self.assertEqual(daemon.returncode, 1)
                self.assertIn("does not heed CKA_UNWRAP_TEMPLATE",
                              daemon.stderr)
        finally:
            hsm.terminate()
            hsm.wait(STOP_SECONDS)
