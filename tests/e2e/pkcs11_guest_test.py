# SPDX-License-Identifier: Apache-2.0
"""What the PKCS#11 module brings into its host and leaves there: the sentences
of docs/embedding.md, one by one."""

import pathlib
import sys
import unittest

from testlib.guest import SharedLibraryTests, WATCH
from testlib.pkcs11 import MODULE, Pkcs11Case

FUNCTIONS_OF_2_40 = 68
FUNCTIONS_OF_3_0 = 24


class LibraryTest(SharedLibraryTests, unittest.TestCase):
    library = MODULE

    def test_it_shows_the_functions_of_cryptoki_and_nothing_else(self):
        names = self.shown()
        self.assertEqual({name for name in names if not name.startswith("C_")},
                         set())
        self.assertEqual(len(names), FUNCTIONS_OF_2_40 + FUNCTIONS_OF_3_0)
        self.assertIn("C_GetFunctionList", names)
        self.assertIn("C_GetInterface", names)


# A host that watches itself. What is printed is what has changed.
HOST = """
import ctypes, os, sys, threading
sys.path.insert(0, sys.argv[2])
from testlib.cryptoki import Cryptoki

ctypes.CDLL("libcrypto.so.3")
""" + WATCH + """
def all_state():
    return {"descriptors": descriptors(), **state()}

def compare(when, before):
    now = all_state()
    for name in before:
        if now[name] != before[name]:
            print(f"{when}: {name}: {before[name]} -> {now[name]}")

before = all_state()
module = Cryptoki(sys.argv[1])
compare("initialised", before)
session = module.open()
key = module.private_key(session, "guest")
assert isinstance(module.sign(session, key, b"1" * 32), bytes)
using = all_state()
sockets = set(using["descriptors"]) - set(before["descriptors"])
assert len(sockets) == 1, sockets
for descriptor in sockets:
    assert os.readlink(f"/proc/self/fd/{descriptor}").startswith("socket:")
    assert not os.get_inheritable(int(descriptor))
using["descriptors"] = before["descriptors"]
for name in before:
    if using[name] != before[name]:
        print(f"using: {name}")
module.close()
compare("finalised", before)
"""


class HostTest(Pkcs11Case):

    def setUp(self):
        super().setUp()
        self.new("ECC_NIST_P256", "SIGN_VERIFY", "guest")

    def tearDown(self):
        self.kms.delete_alias(AliasName="alias/guest")

    def run_host(self, *prefix, **changes):
        here = str(pathlib.Path(__file__).parent)
        return self.run_program(
            *prefix, sys.executable, "-B", "-c", HOST, MODULE, here, **changes)

    def test_it_leaves_the_host_as_it_was(self):
        run = self.run_host()
        self.assertEqual((run.returncode, run.stdout, run.stderr), (0, "", ""))

    def test_initialising_makes_no_connection(self):
        # To a server that is not there.
        run = self.run_program(
            sys.executable, "-B", "-c",
            "import sys; sys.path.insert(0, sys.argv[2])\n"
            "from testlib.cryptoki import Cryptoki\n"
            "module = Cryptoki(sys.argv[1]); module.open(); module.close()",
            MODULE, str(pathlib.Path(__file__).parent),
            CLAVIGER_SOCKET=self.path("nobody"))
        self.assertEqual((run.returncode, run.stderr), (0, ""))

    def test_a_log_in_a_file_keeps_no_descriptor(self):
        log = self.path("log")
        config = self.file("pkcs11.toml", (
            f'log = "file:{log}"\nlog_level = "debug"\n'
            "[[token]]\n").encode())
        run = self.run_host(CLAVIGER_PKCS11_CONFIG=config)
        self.assertEqual((run.returncode, run.stdout, run.stderr), (0, "", ""))
        text = pathlib.Path(log).read_text()
        for line in ("C_Sign: CKR_OK", "C_Finalize: CKR_OK"):
            self.assertIn(line, text)


if __name__ == "__main__":
    unittest.main()
