# SPDX-License-Identifier: Apache-2.0
"""What the OpenSSL provider brings into its host and leaves there: the sentences
of docs/embedding.md, one by one."""

import re
import socket
import subprocess
import unittest

from testlib.openssl import P256, PROVIDER, OpensslCase, uri

LIBRARIES = {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "libstdc++.so.6",
             "libcrypto.so.3", "libssl.so.3", "ld-linux-x86-64.so.2"}
SANITIZERS = re.compile(r"lib([atl]san|ubsan)\.so")


def read_elf(*options):
    return subprocess.run(["readelf", "--wide", *options, PROVIDER], check=True,
                          capture_output=True, text=True).stdout


class LibraryTest(unittest.TestCase):

    def test_it_needs_openssl_and_the_compilers_libraries_only(self):
        needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", read_elf("--dynamic")))
        self.assertIn("libcrypto.so.3", needed)
        self.assertEqual(
            {name for name in needed - LIBRARIES if not SANITIZERS.match(name)},
            set())

    def test_it_shows_one_function(self):
        shown = [line.split() for line in
                 read_elf("--dyn-syms").splitlines() if " UND " not in line]
        self.assertEqual({words[7].split("@")[0] for words in shown
                          if len(words) > 7 and words[4] in ("GLOBAL", "WEAK")},
                         {"OSSL_provider_init"})

    def test_it_stays_loaded_and_is_hardened(self):
        flags = read_elf("--dynamic")
        self.assertRegex(flags, r"FLAGS_1.*NOW.*NODELETE|FLAGS_1.*NODELETE.*NOW")
        self.assertNotIn("TEXTREL", flags)
        self.assertIn("GNU_RELRO", read_elf("--segments"))
        self.assertRegex(read_elf("--segments"), r"GNU_STACK .* RW ")


# A host that watches itself. What is printed is what has changed.
HOST = """
import ctypes, os, ssl, sys

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
            "handled": status("SigCgt"), "ignored": status("SigIgn"),
            "blocked": status("SigBlk"), "umask": status("Umask"),
            "environment": dict(os.environ), "folder": os.getcwd(),
            "locale": ctypes.CDLL(None).setlocale(6, None)}

before, open_before = state(), descriptors()
server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server.load_cert_chain(sys.argv[1], sys.argv[2])
client = ssl.create_default_context(cafile=sys.argv[1])
ours, theirs = ssl.MemoryBIO(), ssl.MemoryBIO()
ends = [server.wrap_bio(ours, theirs, server_side=True),
        client.wrap_bio(theirs, ours, server_hostname="localhost")]
done = 0
while done < 2:
    done = 0
    for end in ends:
        try:
            end.do_handshake()
            done += 1
        except ssl.SSLWantReadError:
            pass
sockets = set(descriptors()) - set(open_before)
assert len(sockets) == 1, sockets
for descriptor in sockets:
    assert os.readlink(f"/proc/self/fd/{descriptor}").startswith("socket:")
    assert not os.get_inheritable(int(descriptor))
now = state()
for name in before:
    if now[name] != before[name]:
        print(f"{name}: {before[name]} -> {now[name]}")
"""


class HostTest(OpensslCase):
    KEYS = (P256,)

    def test_it_leaves_the_host_as_it_was(self):
        run = self.run_program(
            "/usr/bin/python3", "-B", "-c", HOST, self.self_signed("p256"),
            self.reference("p256"), OPENSSL_CONF=self.configuration())
        self.assertEqual((run.returncode, run.stdout, run.stderr), (0, "", ""))

    def test_who_wants_no_key_makes_no_connection(self):
        certificate = self.self_signed("p256")
        key = self.path("key")
        self.plain("genpkey", "-algorithm", "RSA", "-out", key)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.path("listener"))
            listener.listen()
            listener.setblocking(False)
            for words in (("list", "-providers"), ("list", "-signature-algorithms"),
                          ("x509", "-noout", "-in", certificate),
                          ("pkey", "-noout", "-in", key),
                          ("storeutl", "-certs", uri("p256")),
                          ("rand", "8")):
                with self.subTest(words=words):
                    self.ours(*words, CLAVIGER_SOCKET=self.path("listener"))
                    self.assertRaises(BlockingIOError, listener.accept)

    def test_loading_it_alone_says_nothing(self):
        run = self.run_ours("version", CLAVIGER_SOCKET="/absent.sock")
        self.assertEqual(run.stderr, "")
        shown = self.ours("list", "-providers", CLAVIGER_SOCKET="/absent.sock")
        self.assertRegex(shown, r"(?s)claviger\n.*status: active.*default\n")


if __name__ == "__main__":
    unittest.main()
