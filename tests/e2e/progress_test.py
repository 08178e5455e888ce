# SPDX-License-Identifier: Apache-2.0
"""The progress of `claviger encrypt` and `decrypt`: shown to a terminal, to
nobody else."""

import os
import pathlib
import pty
import subprocess
import tempfile
import unittest

from testlib import ServerCase
from testlib.clients import SECONDS
from testlib.server import BIN

SIZE = 4 << 20
DRAWN = rb"\r\x1b\[K *(\d+)% \[#* *\] [0-9.]+ [KM]?i?B"
REMOVED = b"\r\x1b[K"


class Progress(ServerCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.plain = pathlib.Path(folder.name) / "plain"
        self.plain.write_bytes(bytes(SIZE))
        self.key = self.kms.create_key()["KeyMetadata"]["KeyId"]

    def commands(self):
        sealed = f"{self.plain}.clvg"
        yield ("encrypt", self.plain, "--key-id", self.key)
        yield ("decrypt", sealed, "-o", f"{self.plain}.again")

    def start(self, words, stderr):
        return subprocess.Popen(
            [BIN / "claviger", *words], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=stderr,
            env=self.server.environment)

    def on_terminal(self, words):
        """What the program writes to a terminal."""
        ours, theirs = pty.openpty()
        process = self.start(words, theirs)
        os.close(theirs)
        shown = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # Linux's way to say that nobody has it open.
                break
            if not piece:
                break
            shown += piece
        os.close(ours)
        self.assertEqual(process.wait(SECONDS), 0, shown)
        return shown

    def test_a_terminal_sees_it_grow_and_go(self):
        for words in self.commands():
            with self.subTest(words[0]):
                shown = self.on_terminal(words)
                self.assertRegex(shown, DRAWN)
                self.assertIn(b"100% [" + b"#" * 30 + b"] 4.0 MiB", shown)
                self.assertTrue(shown.endswith(REMOVED), shown)

    def test_a_pipe_sees_nothing(self):
        for words in self.commands():
            with self.subTest(words[0]):
                process = self.start(words, subprocess.PIPE)
                _, said = process.communicate(timeout=SECONDS)
                self.assertEqual((process.returncode, said), (0, b""))


if __name__ == "__main__":
    unittest.main()
