# SPDX-License-Identifier: Apache-2.0
"""kill -9 of any process at any moment, under load.

CLAVIGER_KILLS is how many (200 in a run by hand), CLAVIGER_SEED repeats a run's
choices; the moments at which they fall are the machine's.
"""

import os
import random
import unittest

from testlib.faults import (FaultCase, Load, children, strike,
                            wait_until, workers_of)

KILLS = int(os.environ.get("CLAVIGER_KILLS", "12"))
SEED = int(os.environ.get("CLAVIGER_SEED", random.SystemRandom().randrange(
    2 ** 32)))


class Crash(FaultCase):
    OPTIONS = ()

    def setUp(self):
        self.server = self.new_server(*self.OPTIONS).start()
        self.random = random.Random(SEED)

    def test_nothing_acknowledged_is_lost(self):
        strokes = [self.a_worker, self.clavigerd, self.everything,
                   self.the_supervisor]
        counts = dict.fromkeys((stroke.__name__ for stroke in strokes), 0)
        with Load(self.server) as load:
            for _ in range(KILLS):
                self.progress(load)
                stroke = self.random.choice(strokes)
                counts[stroke.__name__] += 1
                stroke()
            self.progress(load)
        print(f"\nseed {SEED}: {counts}; {len(load.created)} keys, "
              f"{len(load.aliases)} aliases, {len(load.rotated)} rotations, "
              f"{len(load.kept)} ciphertexts "
              f"acknowledged, {load.failures} calls failed")
        self.assertEqual(load.wrong, [])
        self.check(load)
        self.assertEqual(self.server.stop(), 0)
        self.server.start()
        self.check(load)

    def progress(self, load):
        """The load goes on for a while, so that the next stroke meets it."""
        goal = load.acknowledged + self.random.randrange(1, 12)
        wait_until(lambda: load.acknowledged >= goal,
                   "the server serves again")

    def a_worker(self):
        workers = workers_of(self.server)
        if workers:
            strike(self.random.choice(workers))

    def clavigerd(self):
        """Its workers end by themselves, while the next start goes on."""
        self.server.kill()
        self.server.start()

    def everything(self):
        self.kill_all(self.server)
        self.server.start()

    def the_supervisor(self):
        """Its workers die with it; a start brings new ones."""
        for pid in children(self.server.process.pid):
            strike(pid)
        if self.random.randrange(2):
            self.assertEqual(self.server.stop(), 0)
        else:
            self.server.kill()
        self.server.start()

    def check(self, load):
        self.check_kept(self.server, load.kept)
        for key in load.created:
            state = self.ask(self.server, "DescribeKey", KeyId=key)
            self.assertEqual(state["KeyMetadata"]["KeyState"], "Enabled")
        for name, key in load.aliases.items():
            found = self.ask(self.server, "DescribeKey", KeyId=name)
            self.assertEqual(found["KeyMetadata"]["KeyId"], key)
        for key in load.rotated:
            found = self.ask(self.server, "ListKeyRotations", KeyId=key)
            self.assertEqual(len(found["Rotations"]), 1)
        self.check_created_once(self.server, load.created)
        self.check_audit(self.server)
        self.check_nothing_unknown(self.server)


class CrashOfWrappedKeys(Crash):
    """Their creation changes nothing on the token."""
    OPTIONS = ("--dev-wrapped",)


if __name__ == "__main__":
    unittest.main()
