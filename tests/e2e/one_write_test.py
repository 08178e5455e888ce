# SPDX-License-Identifier: Apache-2.0
"""A reply leaves in one write, at once: in two, each would cost a client 40 ms
of waiting for an acknowledgement."""

import http.client
import json
import os
import re
import signal
import subprocess
import unittest
import urllib.parse

from testlib.clients import SECONDS, send, signed
from testlib.xks import METADATA, Proxy

KEY = "key-1"
CALLS = "setsockopt,write,writev,pwritev2,sendto,sendmsg,sendmmsg"


@unittest.skipUnless(os.geteuid() == 0,
                     "only root may trace programs that allow no tracing")
class OneWrite(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.proxy = Proxy([{"name": "team-a", "uri_prefix": "/team-a"}])
        cls.addClassCleanup(cls.proxy.close)
        cls.server = cls.proxy.start().server
        cls.proxy.claviger("xks", "create-key", "team-a", KEY)
        cls.kms = cls.proxy.kms("team-a")

    def traced(self, port, link, ask, times):
        """The calls about the sockets of `port`, while `link` asks."""
        trace = self.proxy.folder / "trace"
        strace = subprocess.Popen(
            ["strace", "-f", "-yy", "-e", f"trace={CALLS}", "-e", "signal=none",
             "-o", trace, "-p", str(self.server.process.pid)],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.assertIn("attached", strace.stderr.readline())
        connection = link()
        try:
            for _ in range(times):
                self.assertEqual(ask(connection), 200)
        finally:
            # First: what TLS says of the end may come sooner or later.
            strace.send_signal(signal.SIGINT)
            strace.communicate(timeout=SECONDS)
            connection.close()
        socket = re.compile(
            rf"^\d+ +(\w+)\(\d+<TCP:\[127\.0\.0\.1:{port}->[^>]*>(.*)")
        return [found.groups() for found in map(
            socket.match, trace.read_text().splitlines()) if found]

    def check(self, port, link, ask):
        writes = {}
        for times in (1, 4):
            calls = self.traced(port, link, ask, times)
            self.assertTrue(any("TCP_NODELAY, [1]" in rest
                                for _, rest in calls), calls)
            writes[times] = sum(name != "setsockopt" for name, _ in calls)
        # Whatever the handshake of TLS took.
        self.assertEqual(writes[4] - writes[1], 3, writes)

    def test_of_the_xks_proxy(self):
        path = f"{self.kms.path}/keys/{KEY}/metadata"
        body = json.dumps({"requestMetadata": METADATA}).encode()

        def ask(link):
            link.request("POST", path, body, self.kms.signed(path, body))
            reply = link.getresponse()
            reply.read()
            return reply.status

        self.check(self.proxy.port, self.kms.connect, ask)

    def test_of_the_aws_api(self):
        place = urllib.parse.urlsplit(self.server.endpoint)
        self.check(
            place.port,
            lambda: http.client.HTTPConnection(place.netloc, timeout=SECONDS),
            lambda link: send(
                self.server, "POST", "/",
                signed(self.server, "ListKeys", b"{}"), b"{}",
                connection=link).status)


if __name__ == "__main__":
    unittest.main()
