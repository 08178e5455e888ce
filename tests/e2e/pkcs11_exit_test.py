# SPDX-License-Identifier: Apache-2.0
"""How a process ends that has loaded the PKCS#11 module: in any order, with
things left open, and after OpenSSL has gone."""

import itertools
import pathlib
import sys
import unittest

from testlib import cryptoki
from testlib.pkcs11 import MODULE, Pkcs11Case

# A host that does what its arguments say, one after the other. It is a process
# of its own, for what is judged is how that ends.
HOST = """
import ctypes, os, sys
import _ctypes
sys.path.insert(0, sys.argv[2])
from cryptoki import CKM_ECDSA, Cryptoki, Mechanism, ULONG

class Host:
    def initialise(self):
        self.module = Cryptoki(sys.argv[1])
        self.session = self.module.open()
        self.key = self.module.private_key(self.session, "exit")

    def sign(self):
        signature = self.module.sign(self.session, self.key, bytes(32))
        assert len(signature) == 64

    def begin(self):
        mechanism = Mechanism(CKM_ECDSA, None, 0)
        self.module.check("C_SignInit", self.session, ctypes.byref(mechanism),
                          self.key)
        self.module.check("C_FindObjectsInit", self.session, None, ULONG(0))

    def finalize(self):
        self.module.close()

    def unload(self):
        _ctypes.dlclose(self.module.library._handle)

    def reload(self):
        self.module.library = ctypes.CDLL(sys.argv[1])

    def cleanup(self):
        ctypes.CDLL("libcrypto.so.3").OPENSSL_cleanup()

    def at_exit(self):
        # Run by exit(), after the handlers of everybody who came later.
        def finalize(status, argument):
            print("C_Finalize", self.module.rv("C_Finalize", None), flush=True)
        self.handler = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p)(
            finalize)
        ctypes.CDLL(None).on_exit(self.handler, None)

host = Host()
for step in sys.argv[3:]:
    getattr(host, step)()
print("done")
sys.stdout.flush()
ctypes.CDLL(None).exit(0)
"""


class ExitTest(Pkcs11Case):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        key = cls.kms.create_key(KeySpec="ECC_NIST_P256",
                                 KeyUsage="SIGN_VERIFY")
        cls.kms.create_alias(AliasName="alias/exit",
                             TargetKeyId=key["KeyMetadata"]["KeyId"])

    def host(self, *steps):
        with self.subTest(steps=steps):
            run = self.run_program(
                sys.executable, "-B", "-c", HOST, MODULE,
                pathlib.Path(cryptoki.__file__).parent, *steps)
            self.assertEqual((run.returncode, run.stderr), (0, ""))
            self.assertIn("done\n", run.stdout)
        return run.stdout

    def test_an_end_without_finalize(self):
        self.host("initialise")
        self.host("initialise", "sign")
        self.host("initialise", "sign", "begin")

    def test_finalize_with_operations_open(self):
        self.host("initialise", "begin", "finalize")
        self.host("initialise", "begin", "finalize", "initialise", "sign")

    def test_finalize_unload_and_the_end_of_openssl_in_any_order(self):
        for order in itertools.permutations(("finalize", "unload", "cleanup")):
            if order.index("unload") < order.index("finalize"):
                # A program that has unloaded it must load it to call it.
                at = order.index("finalize")
                order = (*order[:at], "reload", *order[at:])
            self.host("initialise", "sign", *order)

    def test_finalize_from_a_handler_of_exit(self):
        for steps in (("at_exit", "initialise", "sign"),
                      ("initialise", "sign", "at_exit"),
                      ("at_exit", "initialise", "begin")):
            self.assertIn("C_Finalize 0\n", self.host(*steps))


if __name__ == "__main__":
    unittest.main()
