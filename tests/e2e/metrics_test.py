# SPDX-License-Identifier: Apache-2.0
"""What /metrics says of the workers, the store and the audit log."""

import os
import re
import unittest

from testlib import call
from testlib.clients import send
from testlib.faults import FaultCase, strike, wait_until, workers_of

SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")


class Metrics(FaultCase):

    def setUp(self):
        self.server = self.new_server().start()
        _, self.blob = self.new_key(self.server)

    def read(self):
        """The values by name and labels, as they are written."""
        page = send(self.server, "GET", "/metrics")
        self.assertEqual(page.status, 200)
        samples = [SAMPLE.match(line) for line in page.text.splitlines()
                   if not line.startswith("#")]
        return {(name, labels or ""): float(value)
                for name, labels, value in (each.groups() for each in samples)}

    def value(self, name, labels=""):
        return self.read()[name, labels]

    def decrypt(self):
        return call(self.server, "Decrypt", {"CiphertextBlob": self.blob})

    def test_calls_of_the_token_are_counted_and_timed(self):
        def calls(values):
            return {labels: value for (name, labels), value in values.items()
                    if name == "claviger_hsm_calls_total"}

        before = calls(self.read())
        for _ in range(5):
            self.assertEqual(self.decrypt().status, 200)
        values = self.read()
        grown = [labels for labels, count in calls(values).items()
                 if count >= before[labels] + 5]
        self.assertNotEqual(grown, [])
        for labels, count in calls(values).items():
            timed = "claviger_hsm_call_duration_seconds"
            self.assertEqual(values[f"{timed}_count", labels], count)
            self.assertEqual(values[f"{timed}_bucket",
                                    f'{labels},le="+Inf"'], count)
            self.assertEqual(values[f"{timed}_sum", labels] > 0, count > 0)
            self.assertLess(values[f"{timed}_sum", labels], 60 * (count + 1))

    def test_nothing_waits_where_nobody_asks(self):
        for name in ("claviger_hsm_queued_cost", "claviger_store_queued_writes",
                     "claviger_audit_queued_records"):
            wait_until(lambda name=name: self.value(name) == 0, f"{name} is 0")
        self.assertEqual(self.value("claviger_audit_writable"), 1)
        disk = os.statvfs(self.server.dev / "audit")
        self.assertGreater(self.value("claviger_audit_free_bytes"), 0)
        self.assertLessEqual(self.value("claviger_audit_free_bytes"),
                             disk.f_blocks * disk.f_frsize)

    def test_a_killed_worker_is_a_loss(self):
        losses = self.value("claviger_hsm_worker_losses")
        ready = self.value("claviger_hsm_ready_workers")
        self.assertGreater(ready, 0)
        strike(workers_of(self.server)[0])
        wait_until(lambda: self.value("claviger_hsm_worker_losses") > losses,
                   "the loss is counted")
        wait_until(lambda: self.value("claviger_hsm_ready_workers") == ready,
                   "another worker is there")
        # Nobody has found fault with one.
        self.assertEqual(self.value("claviger_hsm_workers_replaced"), 0)
        self.assertEqual(self.decrypt().status, 200)


if __name__ == "__main__":
    unittest.main()
