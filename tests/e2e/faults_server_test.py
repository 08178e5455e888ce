# SPDX-License-Identifier: Apache-2.0
"""Faults of the disk, of clients and of operators."""

import json
import os
import resource
import shutil
import socket
import subprocess
import unittest
import urllib.parse

from testlib import BIN, call, send
from testlib.clients import loopback
from testlib.faults import (PATIENCE_SECONDS, FaultCase, Load, audit_records,
                            wait_until)

NOBODY = 65534


class FullDisk(FaultCase):

    def setUp(self):
        self.server = self.new_server().start()
        self.kept = [self.new_key(self.server)]

    def test_nothing_is_done_unrecorded_and_it_recovers_by_itself(self):
        key, _ = self.kept[0]
        self.limit(self.server, 0)
        for operation, request in (
                ("DescribeKey", {"KeyId": key}), ("CreateKey", {}),
                ("CreateAlias", {"AliasName": "alias/full",
                                 "TargetKeyId": key})):
            reply = call(self.server, operation, request)
            self.assertEqual((reply.status, reply.json["__type"]),
                             (500, "KMSInternalException"), operation)
        ready = send(self.server, "GET", "/readyz")
        self.assertEqual(ready.status, 503)
        self.assertIn("the audit log cannot be written", ready.text)

        self.limit(self.server, resource.RLIM_INFINITY)
        wait_until(lambda: call(self.server, "ListKeys", {}).status == 200,
                   "the log can be written again")
        self.wait_ready(self.server)
        self.check_kept(self.server, self.kept)
        self.ask(self.server, "CreateAlias", AliasName="alias/after",
                 TargetKeyId=key)
        self.check_audit(self.server)

    def test_a_change_is_recorded_once_though_the_log_failed_after_it(self):
        """The store's files are small, the log's segment is not: a limit
        between them lets the change be committed and its record fail."""
        key, _ = self.kept[0]
        store = max(path.stat().st_size
                    for path in self.server.dev.glob("claviger.db*"))
        segment = max((self.server.dev / "audit").iterdir())
        self.assertGreater(store, 64 * 1024)
        limit = store + 256 * 1024
        while len(segment.read_bytes().rstrip(b"\0")) <= limit:
            for _ in range(100):
                self.ask(self.server, "ListKeys")
        self.limit(self.server, limit)
        self.check_change_survives(key)

    def check_change_survives(self, key):
        reply = call(self.server, "UpdateKeyDescription",
                     {"KeyId": key, "Description": "changed"})
        self.assertEqual(reply.status, 500, reply.text)
        self.limit(self.server, resource.RLIM_INFINITY)
        wait_until(lambda: call(self.server, "ListKeys", {}).status == 200,
                   "the log can be written again")
        wait_until(lambda: self.recorded(key), "the change is recorded")
        found = self.ask(self.server, "DescribeKey", KeyId=key)
        self.assertEqual(found["KeyMetadata"]["Description"], "changed")
        self.assertEqual(self.server.stop(), 0)
        self.server.start()
        self.assertEqual(self.recorded(key), 1)
        self.check_audit(self.server)

    def recorded(self, key):
        return sum(record.get("eventName") == "UpdateKeyDescription"
                   and "errorCode" not in record
                   and record["resources"][0]["ARN"].endswith(key)
                   for record in audit_records(self.server))


@unittest.skipUnless(os.geteuid() == 0, "only root can be another user")
class Operators(FaultCase):

    def setUp(self):
        self.server = self.new_server().start()

    def local(self, operation, uid=0):
        """`claviger call` on the Unix socket, as another user."""
        # The test's folder belongs to root alone; the socket is what is tested.
        for path in (self.server.folder, self.server.dev):
            path.chmod(0o711)
        program = self.server.folder / "claviger"
        if not program.exists():
            shutil.copy(BIN / "claviger", program)
        program.chmod(0o755)
        return subprocess.run(
            ["setpriv", f"--reuid={uid}", "--clear-groups", program,
             "--endpoint", self.server.dev / "clavigerd.sock", "call",
             operation, "{}"],
            env={"PATH": "/usr/bin:/bin"}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=PATIENCE_SECONDS)

    def test_status_tells_the_lead_of_the_clock(self):
        run = self.local("Claviger.Status")
        self.assertEqual(run.returncode, 0, run.stderr)
        status = json.loads(run.stdout)
        self.assertIsInstance(status["ClockLeadSeconds"], int)
        self.assertIs(status["DestructionWaitsForClock"], False)
        self.assertIs(status["TokenReady"], True)

    def test_only_an_administrator_at_the_socket_accepts_the_clock(self):
        run = self.local("Claviger.AcceptClock")
        self.assertEqual(run.returncode, 0, run.stderr)
        stranger = self.local("Claviger.AcceptClock", NOBODY)
        self.assertNotEqual(stranger.returncode, 0)
        self.assertIn("uid stands for user uid-", stranger.stderr)
        remote = call(self.server, "AcceptClock", {}, service="Claviger")
        self.assertEqual((remote.status, remote.json["__type"]),
                         (400, "AccessDeniedException"))
        self.check_audit(self.server)

    def test_a_stop_under_load_answers_what_it_accepted(self):
        with Load(self.server) as load:
            wait_until(lambda: load.acknowledged >= 6, "the load runs")
            self.assertEqual(self.server.stop(), 0)
        self.assertEqual(load.wrong, [])
        self.server.start()
        self.check_kept(self.server, load.kept)
        for key in load.created:
            self.ask(self.server, "DescribeKey", KeyId=key)
        self.check_created_once(self.server, load.created)
        self.check_nothing_unknown(self.server)
        self.check_audit(self.server)


class LostLog(FaultCase):

    def test_a_start_tells_that_the_log_was_begun_anew_or_cut(self):
        server = self.new_server().start()
        for _ in range(3):
            self.ask(server, "CreateKey")
        self.assertEqual(server.stop(), 0)
        server.start()
        self.assertEqual(server.stop(), 0)
        self.assertNotIn("records at its end", server.log_text())
        *older, newest = self.segments(server)
        self.assertNotEqual(older, [])
        newest.unlink()
        server.start()
        self.assertEqual(server.stop(), 0)
        self.assertRegex(server.log_text(), "the audit log ended with record "
                         "[0-9]+, but this store had one with at least")
        self.assertNotIn("is begun anew", server.log_text())
        for segment in self.segments(server):
            segment.unlink()
        server.start()
        self.assertIn("the audit log is begun anew", server.log_text())
        self.ask(server, "ListKeys")

    def segments(self, server):
        return sorted((server.dev / "audit").glob("*.jsonl"))


class Garbage(FaultCase):

    def test_nonsense_does_not_disturb_others(self):
        server = self.new_server().start()
        kept = [self.new_key(server)]
        address = urllib.parse.urlsplit(loopback(server.endpoint))
        half = (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
                b"half")
        header = b"GET / HTTP/1.1\r\nA: " + b"a" * (1 << 20) + b"\r\n\r\n"
        for family, where in (
                (socket.AF_INET, (address.hostname, address.port)),
                (socket.AF_UNIX, str(server.dev / "clavigerd.sock"))):
            for garbage in (os.urandom(4096), b"\0" * 4096, b"\n" * 4096, half,
                            b"POST / HT", header, b""):
                self.throw(family, where, garbage)
                self.check_kept(server, kept)
        self.assertEqual(server.stop(), 0)
        server.start()
        self.check_kept(server, kept)
        self.check_audit(server)

    def throw(self, family, where, garbage):
        """Whatever becomes of it: an answer, a reset, or our own close."""
        with socket.socket(family) as link:
            link.settimeout(PATIENCE_SECONDS)
            link.connect(where)
            try:
                link.sendall(garbage)
                link.shutdown(socket.SHUT_WR)
                answer = link.recv(1 << 16)
            except OSError:
                return
            if answer:
                self.assertRegex(answer, rb"^HTTP/1\.1 4\d\d ")


if __name__ == "__main__":
    unittest.main()
