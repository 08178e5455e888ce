# SPDX-License-Identifier: Apache-2.0
"""What the OpenSSL provider brings into its host and leaves there: the sentences
of docs/embedding.md, one by one."""

import socket
import unittest

from testlib.guest import SharedLibraryTests, WATCH
from testlib.openssl import P256, PROVIDER, OpensslCase, uri


class LibraryTest(SharedLibraryTests, unittest.TestCase):
    library = PROVIDER

    def test_it_shows_one_function(self):
        self.assertEqual(self.shown(), {"OSSL_provider_init"})


# A host that watches itself. What is printed is what has changed.
HOST = "import ctypes, os, ssl, sys" + WATCH + """
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
