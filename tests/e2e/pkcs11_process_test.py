# SPDX-License-Identifier: Apache-2.0
"""The PKCS#11 module in a process that forks, has threads and lives longer than
its server."""

import os
import pathlib
import tempfile
import threading
import unittest

from testlib import Server, boto3_client
from testlib.cryptoki import CKR_DEVICE_ERROR, CKR_OK, Cryptoki
from testlib.pkcs11 import MODULE

DIGEST = b"\x01" * 32


class ProcessTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.server = Server().start()
        cls.addClassCleanup(cls.server.close)
        kms = boto3_client(cls.server)
        cls.addClassCleanup(kms.close)
        key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
        kms.create_alias(AliasName="alias/signer",
                         TargetKeyId=key["KeyMetadata"]["KeyId"])
        os.environ["XDG_CONFIG_HOME"] = str(pathlib.Path(folder.name))
        os.environ["CLAVIGER_SOCKET"] = (
            cls.server.environment["CLAVIGER_SOCKET"])

    def setUp(self):
        self.module = Cryptoki(MODULE)
        self.addCleanup(self.module.close)
        self.session = self.module.open()
        self.key = self.module.private_key(self.session, "signer")

    def signs(self, session=None):
        signature = self.module.sign(session or self.session, self.key, DIGEST)
        return isinstance(signature, bytes) and len(signature) == 64

    def in_child(self, work):
        """Whether `work` is true in a child of this process."""
        child = os.fork()
        if child == 0:
            good = False
            try:
                good = work()
            finally:
                os._exit(0 if good else 1)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    def test_parent_and_child_sign_after_a_fork(self):
        self.assertTrue(self.signs())
        self.assertTrue(self.in_child(
            lambda: all(self.signs() for _ in range(20))))
        self.assertTrue(self.signs())

    def test_children_that_initialise_start_afresh_and_keep_the_handle(self):
        def work():
            self.module.check("C_Initialize", None)
            return self.signs(self.module.open())

        self.assertTrue(self.in_child(work))
        self.assertTrue(self.signs())

    def test_a_fork_while_other_threads_sign(self):
        stop = threading.Event()
        bad = []

        def sign_on():
            session = self.module.open()
            while not stop.is_set():
                if not self.signs(session):
                    bad.append("thread")

        threads = [threading.Thread(target=sign_on) for _ in range(4)]
        for thread in threads:
            thread.start()
        children = [self.in_child(self.signs) for _ in range(10)]
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(bad, [])
        self.assertEqual(children, [True] * 10)

    def test_a_server_that_goes_and_comes_costs_no_handle(self):
        self.assertTrue(self.signs())
        self.server.stop()
        self.assertEqual(self.module.sign(self.session, self.key, DIGEST),
                         CKR_DEVICE_ERROR)
        self.server.start()
        self.assertTrue(self.signs())

    def test_handles_outlive_finalize(self):
        self.module.check("C_Finalize", None)
        self.assertEqual(self.module.rv("C_Initialize", None), CKR_OK)
        self.assertTrue(self.signs(self.module.open()))


if __name__ == "__main__":
    unittest.main()
