# SPDX-License-Identifier: Apache-2.0
"""What the PKCS#11 module brings into its host and leaves there: the sentences
of docs/embedding.md, one by one."""

import pathlib
import re
import subprocess
import sys
import unittest

from testlib.pkcs11 import MODULE, Pkcs11Case

# What every host of it has anyway, and what sanitizers bring.
LIBRARIES = {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "libstdc++.so.6",
             "libcrypto.so.3", "libssl.so.3", "ld-linux-x86-64.so.2"}
SANITIZERS = re.compile(r"lib([atl]san|ubsan)\.so")
FUNCTIONS_OF_2_40 = 68
FUNCTIONS_OF_3_0 = 24


def read_elf(*options):
    return subprocess.run(["readelf", "--wide", *options, MODULE], check=True,
                          capture_output=True, text=True).stdout


class LibraryTest(unittest.TestCase):

    def test_it_needs_openssl_and_the_compilers_libraries_only(self):
        needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", read_elf("--dynamic")))
        self.assertIn("libcrypto.so.3", needed)
        self.assertEqual(
            {name for name in needed - LIBRARIES if not SANITIZERS.match(name)},
            set())

    def test_it_shows_the_functions_of_cryptoki_and_nothing_else(self):
        shown = [line.split() for line in
                 read_elf("--dyn-syms").splitlines() if " UND " not in line]
        names = {words[7].split("@")[0] for words in shown
                 if len(words) > 7 and words[4] in ("GLOBAL", "WEAK")}
        self.assertEqual({name for name in names if not name.startswith("C_")},
                         set())
        self.assertEqual(len(names), FUNCTIONS_OF_2_40 + FUNCTIONS_OF_3_0)
        self.assertIn("C_GetFunctionList", names)
        self.assertIn("C_GetInterface", names)

    def test_it_stays_loaded_and_is_hardened(self):
        flags = read_elf("--dynamic")
        self.assertRegex(flags, r"FLAGS_1.*NOW.*NODELETE|FLAGS_1.*NODELETE.*NOW")
        self.assertNotIn("TEXTREL", flags)
        self.assertIn("GNU_RELRO", read_elf("--segments"))
        self.assertRegex(read_elf("--segments"), r"GNU_STACK .* RW ")


# A host that watches itself. What is printed is what has changed.
HOST = """
import ctypes, os, sys, threading
sys.path.insert(0, sys.argv[2])
from testlib.cryptoki import Cryptoki

ctypes.CDLL("libcrypto.so.3")

def status(name):
    for line in open("/proc/self/status"):
        if line.startswith(name + ":"):
            return line.split()[1]

def descriptors():
    # But for that of the folder itself, which is closed by now.
    return sorted(name for name in os.listdir("/proc/self/fd")
                  if os.path.lexists(f"/proc/self/fd/{name}"))

def state():
    return {"threads": len(os.listdir("/proc/self/task")),
            "descriptors": descriptors(),
            "handled": status("SigCgt"), "ignored": status("SigIgn"),
            "blocked": status("SigBlk"), "umask": status("Umask"),
            "environment": dict(os.environ), "folder": os.getcwd(),
            "locale": ctypes.CDLL(None).setlocale(6, None)}

def compare(when, before):
    now = state()
    for name in before:
        if now[name] != before[name]:
            print(f"{when}: {name}: {before[name]} -> {now[name]}")

before = state()
module = Cryptoki(sys.argv[1])
compare("initialised", before)
session = module.open()
key = module.private_key(session, "guest")
assert isinstance(module.sign(session, key, b"1" * 32), bytes)
using = state()
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
