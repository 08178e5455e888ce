# SPDX-License-Identifier: Apache-2.0
"""Custom key stores of the type AWS_CLOUDHSM, to boto3: a server with two key
stores, each on a SoftHSM token of its own."""

import os
import re
import signal
import subprocess
import unittest

from testlib.clients import boto3_client
from testlib.faults import wait_until
from testlib.installed import Installed
from testlib.server import BIN, START_SECONDS, STOP_SECONDS

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
CLUSTER = "cluster-2abcdefghij"
PASSWORD = "kmsPswd1-of-the-token"
MESSAGE = b"a message"

TABLE = """
[[key_store]]
name = "vault"
module = "{module}"
token = "pkcs11:token=vault"
pin_file = "{folder}/pin"
socket = "{run}/claviger-hsm/vault.sock"
cluster_id = "{cluster}"
workers = 1
"""


class TwoTokens(Installed):
    """An Installed with a second token, and that one's claviger-hsm."""

    def __init__(self):
        super().__init__()
        self.vault = self.folder / "vault"
        self.vault_hsm = None

    @property
    def vault_environment(self):
        return {**os.environ, "SOFTHSM2_CONF": str(self.vault / "softhsm2.conf")}

    def made(self):
        super().made()
        (self.vault / "tokens").mkdir(parents=True)
        (self.vault / "softhsm2.conf").write_text(
            f"directories.tokendir = {self.vault}/tokens\n"
            "log.level = ERROR\n")
        for name, pin in (("pin", PASSWORD), ("so-pin", "12345678")):
            (self.vault / name).write_text(pin)
            (self.vault / name).chmod(0o600)
        subprocess.run(
            [BIN / "claviger-hsm", "init-token", "--module", MODULE,
             "--label", "vault", "--so-pin-file", self.vault / "so-pin",
             "--pin-file", self.vault / "pin"],
            check=True, timeout=START_SECONDS, env=self.vault_environment)
        with open(self.config, "a") as config:
            config.write(self.table())
        return self

    def table(self):
        """That of the second token in the configuration."""
        return TABLE.format(module=MODULE, folder=self.vault,
                            run=self.run_folder, cluster=CLUSTER)

    def start(self):
        (self.run_folder / "claviger-hsm").mkdir(parents=True, exist_ok=True)
        self.start_vault()
        return super().start()

    def key_stores(self):
        return ["main"]  # The vault's claviger-hsm has its own environment.

    def start_vault(self):
        with open(self.vault / "log", "ab") as log:
            self.vault_hsm = subprocess.Popen(
                [BIN / "claviger-hsm", "--config", self.config,
                 "--key-store", "vault"],
                env=self.vault_environment, stdin=subprocess.DEVNULL,
                stderr=log)
        wait_until((self.run_folder / "claviger-hsm/vault.sock").exists,
                   "claviger-hsm listens for the vault")

    def stop_vault(self):
        self.vault_hsm.terminate()
        status = self.vault_hsm.wait(STOP_SECONDS)
        self.vault_hsm = None
        return status

    def kill(self):
        super().kill()
        if self.vault_hsm is not None and self.vault_hsm.poll() is None:
            self.vault_hsm.kill()
            self.vault_hsm.wait()
        self.vault_hsm = None

    def objects(self):
        """How many objects the second token has."""
        return len(list((self.vault / "tokens").rglob("*.object"))) - 1


class CloudHsmTest(unittest.TestCase):

    def setUp(self):
        self.server = TwoTokens()
        self.addCleanup(self.server.close)
        self.server.made().start()
        self.kms = boto3_client(self.server)
        self.addCleanup(self.kms.close)

    def create(self, password=PASSWORD):
        certificate = subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=vault",
             "-keyout", "/dev/null"],
            check=True, capture_output=True, text=True).stdout
        return self.kms.create_custom_key_store(
            CustomKeyStoreName="vault", CloudHsmClusterId=CLUSTER,
            TrustAnchorCertificate=certificate,
            KeyStorePassword=password)["CustomKeyStoreId"]

    def entry(self, store):
        return self.kms.describe_custom_key_stores(
            CustomKeyStoreId=store)["CustomKeyStores"][0]

    def connect(self, store):
        """Returns the entry once it is known what became of it."""
        self.kms.connect_custom_key_store(CustomKeyStoreId=store)
        return wait_until(
            lambda: next((entry for entry in [self.entry(store)]
                          if entry["ConnectionState"] != "CONNECTING"), None),
            "the store is connected, or not")

    def test_a_key_lives_on_the_second_token(self):
        store = self.create()
        self.assertEqual(self.connect(store)["ConnectionState"], "CONNECTED")
        before = self.server.objects()
        made = self.kms.create_key(
            Origin="AWS_CLOUDHSM", CustomKeyStoreId=store)["KeyMetadata"]
        self.assertEqual(self.server.objects(), before + 1)
        self.assertEqual(made["CloudHsmClusterId"], CLUSTER)
        self.assertEqual(made["CustomKeyStoreId"], store)
        key = made["KeyId"]
        sealed = self.kms.encrypt(
            KeyId=key, Plaintext=MESSAGE)["CiphertextBlob"]
        data_key = self.kms.generate_data_key(KeyId=key, KeySpec="AES_256")
        self.assertEqual(self.kms.decrypt(
            CiphertextBlob=data_key["CiphertextBlob"])["Plaintext"],
            data_key["Plaintext"])
        self.assertEqual(len(self.kms.generate_random(
            NumberOfBytes=32, CustomKeyStoreId=store)["Plaintext"]), 32)

        self.kms.disconnect_custom_key_store(CustomKeyStoreId=store)
        with self.assertRaises(self.kms.exceptions.KMSInvalidStateException):
            self.kms.decrypt(CiphertextBlob=sealed)
        with self.assertRaises(
                self.kms.exceptions.CustomKeyStoreHasCMKsException):
            self.kms.delete_custom_key_store(CustomKeyStoreId=store)

        self.assertEqual(self.server.stop_vault(), 0)
        self.assertEqual(self.server.stop(), [0, 0])
        self.server.start()
        self.assertEqual(self.entry(store)["ConnectionState"], "DISCONNECTED")
        self.assertEqual(self.connect(store)["ConnectionState"], "CONNECTED")
        self.assertEqual(
            self.kms.decrypt(CiphertextBlob=sealed)["Plaintext"], MESSAGE)

    def test_a_wrong_password_is_told_and_can_be_changed(self):
        store = self.create("kmsPswd1-of-another")
        entry = self.connect(store)
        self.assertEqual(entry["ConnectionState"], "FAILED")
        self.assertEqual(entry["ConnectionErrorCode"], "INVALID_CREDENTIALS")
        self.kms.disconnect_custom_key_store(CustomKeyStoreId=store)
        self.kms.update_custom_key_store(
            CustomKeyStoreId=store, KeyStorePassword=PASSWORD)
        self.assertEqual(self.connect(store)["ConnectionState"], "CONNECTED")

    def test_without_workers_the_key_is_unavailable_until_they_are_back(self):
        store = self.create()
        self.connect(store)
        key = self.kms.create_key(
            Origin="AWS_CLOUDHSM",
            CustomKeyStoreId=store)["KeyMetadata"]["KeyId"]
        own = self.kms.create_key()["KeyMetadata"]["KeyId"]
        self.assertEqual(self.server.stop_vault(), 0)
        with self.assertRaises(self.kms.exceptions.KeyUnavailableException):
            self.kms.encrypt(KeyId=key, Plaintext=MESSAGE)
        self.kms.encrypt(KeyId=own, Plaintext=MESSAGE)
        self.assertEqual(self.entry(store)["ConnectionState"], "CONNECTED")
        self.server.start_vault()

        def encrypts():
            try:
                return self.kms.encrypt(KeyId=key, Plaintext=MESSAGE)
            except self.kms.exceptions.KeyUnavailableException:
                return None

        wait_until(encrypts, "the workers are back")

    def test_a_cluster_that_is_configured_no_more_is_not_connected(self):
        store = self.create()
        self.connect(store)
        key = self.kms.create_key(
            Origin="AWS_CLOUDHSM",
            CustomKeyStoreId=store)["KeyMetadata"]["KeyId"]
        self.assertEqual(self.server.stop_vault(), 0)
        self.assertEqual(self.server.stop(), [0, 0])
        self.server.edit(CLUSTER, "cluster-abcdefghijk")
        self.server.start()
        entry = self.entry(store)
        self.assertEqual(entry["ConnectionState"], "FAILED")
        self.assertEqual(entry["ConnectionErrorCode"], "CLUSTER_NOT_FOUND")
        with self.assertRaises(self.kms.exceptions.KMSInvalidStateException):
            self.kms.encrypt(KeyId=key, Plaintext=MESSAGE)

    def test_a_restart_does_not_try_a_refused_pin_again(self):
        pin = self.server.vault / "pin"
        log = self.server.vault / "log"

        def says(text, times):
            wait_until(lambda: log.read_text().count(text) == times, text)

        def restart():
            self.assertEqual(self.server.stop_vault(), 0)
            self.server.start_vault()

        ready = log.read_text().count("is ready")
        pin.write_text("kmsPswd1-of-another")
        restart()
        says("refuses the PIN", 1)
        for times in (1, 2):
            restart()
            says(f"has refused the PIN in {pin}", times)
        self.server.vault_hsm.send_signal(signal.SIGHUP)
        says("refuses the PIN", 2)
        pin.write_text(PASSWORD)
        restart()
        says("is ready", 2 * ready)

    def test_doctor_names_the_key_store_whose_token_is_gone(self):
        def finding():
            run = self.server.claviger("doctor", "--config", self.server.config)
            return next(line for line in run.stdout.splitlines()
                        if re.match(r"\S+ +tokens ", line))

        self.assertTrue(finding().startswith("ok"), finding())
        self.assertEqual(self.server.stop_vault(), 0)
        wait_until(lambda: finding().startswith("WARN"), "doctor warns")
        self.assertIn("vault/home is down", finding())
        self.assertNotIn("main", finding())

    def test_a_cluster_is_one_that_is_configured_and_free(self):
        self.create()
        with self.assertRaises(
                self.kms.exceptions.CloudHsmClusterInUseException):
            self.create()
        certificate = "-----BEGIN CERTIFICATE-----"
        with self.assertRaises(
                self.kms.exceptions.CloudHsmClusterNotFoundException):
            self.kms.create_custom_key_store(
                CustomKeyStoreName="other", KeyStorePassword=PASSWORD,
                CloudHsmClusterId="cluster-abcdefghijk",
                TrustAnchorCertificate=certificate)
        with self.assertRaises(
                self.kms.exceptions.IncorrectTrustAnchorException):
            self.kms.create_custom_key_store(
                CustomKeyStoreName="other", KeyStorePassword=PASSWORD,
                CloudHsmClusterId=CLUSTER, TrustAnchorCertificate=certificate)


if __name__ == "__main__":
    unittest.main()
