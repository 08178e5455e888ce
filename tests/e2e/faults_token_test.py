# SPDX-License-Identifier: Apache-2.0
"""Faults of the token and its workers."""

import os
import re
import secrets
import shutil
import signal
import subprocess
import unittest

from testlib import call
from testlib.faults import (PATIENCE_SECONDS, FaultCase, family, strike,
                            supervisor_of, wait_until, workers_of)


class Workers(FaultCase):

    def setUp(self):
        self.server = self.new_server().start()
        self.kept = [self.new_key(self.server)]

    def test_a_killed_worker_is_followed_by_another(self):
        killed = workers_of(self.server)
        for pid in killed:
            strike(pid)
            wait_until(lambda pid=pid: pid not in workers_of(self.server),
                       "the supervisor has noticed")
        wait_until(lambda: len(workers_of(self.server)) == len(killed),
                   "every worker is replaced")
        self.wait_ready(self.server)
        self.check_kept(self.server, self.kept)
        self.check_audit(self.server)

    def test_a_worker_that_hangs_is_replaced(self):
        hung = workers_of(self.server)
        for pid in hung:
            strike(pid, signal.SIGSTOP)
        _, blob = self.kept[0]
        reply = call(self.server, "Decrypt", {"CiphertextBlob": blob})
        self.assertEqual(reply.status, 500, reply.text)
        self.assertEqual(reply.json["__type"], "DependencyTimeoutException")
        # A call may still meet the second hung worker; each is met once.
        wait_until(lambda: call(self.server, "Decrypt", {
            "CiphertextBlob": blob}).status == 200, "it decrypts again")
        self.assertNotEqual(set(hung) - set(workers_of(self.server)), set())
        self.check_kept(self.server, self.kept)
        self.assertIn("missed a deadline: replacing it",
                      self.server.log_text())
        self.check_audit(self.server)

    def test_without_a_supervisor_it_says_so_until_the_next_start(self):
        strike(supervisor_of(self.server))
        wait_until(lambda: not self.ready(self.server), "/readyz says 503")
        _, blob = self.kept[0]
        reply = call(self.server, "Decrypt", {"CiphertextBlob": blob})
        self.assertEqual((reply.status, reply.json["__type"]),
                         (500, "KeyUnavailableException"))
        self.assertEqual(self.server.stop(), 0)
        self.assertIn("is claviger-hsm running for this key store?",
                      self.server.log_text())
        self.assertIn("claviger-hsm, a child of this development server, has "
                      "ended", self.server.log_text())
        self.server.start()
        self.check_kept(self.server, self.kept)
        self.check_audit(self.server)


class Token(FaultCase):

    def setUp(self):
        self.server = self.new_server().start()
        self.kept = [self.new_key(self.server)]
        self.server.stop()
        [self.token] = (self.server.dev / "tokens").iterdir()

    def test_a_torn_token_object_is_restored(self):
        (self.token / "token.object").write_bytes(b"")
        self.server.start()
        self.check_kept(self.server, self.kept)
        self.assertRegex(self.server.log_text(),
                         r"token\.object is torn \(0 bytes\)")
        self.check_nothing_unknown(self.server)
        self.check_audit(self.server)

    def test_a_missing_token_is_refused(self):
        away = self.server.folder / "away"
        self.token.rename(away)
        text = self.start_refused(self.server)
        self.assertIn("claviger-dev", text)
        away.rename(self.token)
        self.server.start()
        self.check_kept(self.server, self.kept)
        self.check_nothing_unknown(self.server)

    def test_another_servers_token_is_refused_and_left_alone(self):
        other = self.new_server().start()
        others = [self.new_key(other)]
        other.stop()
        for name in ("tokens", "pin", "so-pin"):
            (self.server.dev / name).rename(self.server.dev / (name + "-own"))
            source = other.dev / name
            target = self.server.dev / name
            if source.is_dir():
                shutil.copytree(source, target)
            else:
                shutil.copy(source, target)
        before = self.token_objects(self.server)
        text = self.start_refused(self.server)
        self.assertIn("--state and the token belong together", text)
        self.assertEqual(self.token_objects(self.server), before)
        for name in ("tokens", "pin", "so-pin"):
            path = self.server.dev / name
            path.rename(self.server.dev / (name + "-other"))
            (self.server.dev / (name + "-own")).rename(path)
        self.server.start()
        self.check_kept(self.server, self.kept)
        other.start()
        self.check_kept(other, others)


class Order(FaultCase):
    """The token's objects are durable before the store makes a key known."""

    CALL = re.compile(r"^\d+ +(\w+)\((.*)")

    @unittest.skipUnless(os.geteuid() == 0,
                         "only root may trace programs that allow no tracing")
    def test_syncfs_comes_before_the_commit(self):
        server = self.new_server().start()
        trace = server.folder / "trace"
        pids = ",".join(map(str, family(server)))
        strace = subprocess.Popen(
            ["strace", "-f", "-y", "-s", "5000", "-e",
             "trace=syncfs,fdatasync,fsync,pwrite64", "-e", "signal=none", "-o",
             trace, "-p", pids],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for _ in range(len(pids.split(","))):
            self.assertIn("attached", strace.stderr.readline())
        mark = "mark" + secrets.token_hex(16)
        made = self.ask(server, "CreateKey", Description=mark)
        strace.send_signal(signal.SIGINT)
        strace.communicate(timeout=PATIENCE_SECONDS)
        order = self.milestones(trace, str(server.dev), mark)
        self.assertIn("token", order, trace.read_text())
        first = order.index("token")
        last = len(order) - 1 - order[::-1].index("token")
        # The intent before; the row of this key, which alone has the
        # description, and the sync of that commit after.
        self.assertIn("store", order[:first])
        self.assertIn("key", order)
        self.assertGreater(order.index("key"), last)
        self.assertIn("store", order[order.index("key"):])
        self.check_audit(server)
        self.ask(server, "DescribeKey", KeyId=made["KeyMetadata"]["KeyId"])

    def milestones(self, trace, folder, mark):
        order = []
        for line in trace.read_text().splitlines():
            found = self.CALL.match(line)
            if not found:
                continue
            name, rest = found.groups()
            if name == "syncfs" and f"<{folder}/tokens" in rest:
                order.append("token")
            elif (name in ("fdatasync", "fsync")
                  and f"<{folder}/claviger.db-wal>" in rest):
                order.append("store")
            elif (name == "pwrite64" and mark in rest
                  and f"<{folder}/claviger.db" in rest):
                order.append("key")
        return order


class Stores(FaultCase):

    def setUp(self):
        self.server = self.new_server().start()
        self.kept = [self.new_key(self.server)]
        self.server.stop()
        self.old = self.server.folder / "old"
        self.old.mkdir()
        for path in self.server.dev.glob("claviger.db*"):
            shutil.copy(path, self.old)
        shutil.copytree(self.server.dev / "audit", self.old / "audit")
        self.server.start()
        self.late = self.new_key(self.server)
        self.server.stop()

    def go_back(self):
        for path in self.server.dev.glob("claviger.db*"):
            path.unlink()
        for path in self.old.glob("claviger.db*"):
            shutil.copy(path, self.server.dev)

    def test_a_store_older_than_the_log_is_refused(self):
        before = self.token_objects(self.server)
        self.go_back()
        text = self.start_refused(self.server)
        self.assertIn("the store is older than the audit log", text)
        self.assertIn("Restore the newest copy of claviger.db", text)
        self.assertEqual(self.token_objects(self.server), before)

    def test_what_an_older_store_does_not_know_is_reported_and_kept(self):
        before = self.token_objects(self.server)
        self.go_back()
        shutil.rmtree(self.server.dev / "audit")
        shutil.copytree(self.old / "audit", self.server.dev / "audit")
        self.server.start()
        self.check_kept(self.server, self.kept)
        self.assertRegex(self.server.log_text(),
                         r"1 keys on the token are not in the store: "
                         r"[0-9a-f]{32}\. They are left alone")
        reply = call(self.server, "Decrypt", {"CiphertextBlob": self.late[1]})
        self.assertEqual(reply.status, 400, reply.text)
        self.assertLessEqual(before, self.token_objects(self.server))
        self.check_audit(self.server)

    def test_two_servers_on_one_folder(self):
        self.server.start()
        text = self.start_refused(self.server)
        self.assertIn(f"in use by process {self.server.process.pid} ", text)
        self.check_kept(self.server, self.kept + [self.late])
        self.assertEqual(self.server.stop(), 0)
        self.check_audit(self.server)


if __name__ == "__main__":
    unittest.main()
