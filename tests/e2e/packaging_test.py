# SPDX-License-Identifier: Apache-2.0
"""The units that an installation has: what they name is there."""

import configparser
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from testlib.server import BIN

UNITS = {"clavigerd.service": "claviger",
         "claviger-hsm@.service": "claviger-hsm",
         "claviger-xks.service": "claviger-xks"}


class Unit(configparser.RawConfigParser):
    """A unit's members; those that may be there several times are lists."""

    optionxform = staticmethod(str)

    def __init__(self, path):
        super().__init__(strict=False, delimiters=("=",))
        self.read(path)


class Packaging(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.root = pathlib.Path(tempfile.mkdtemp(prefix="claviger-install-"))
        cls.addClassCleanup(shutil.rmtree, cls.root)
        subprocess.run(["cmake", "--install", BIN.parent], check=True,
                       capture_output=True,
                       env={**os.environ, "DESTDIR": str(cls.root)})
        [folder] = cls.root.rglob("systemd/system")
        cls.units = {name: Unit(folder / name) for name in UNITS}
        cls.folder = folder

    def installed(self, path):
        return self.root / path.lstrip("/")

    def test_each_unit_is_tested(self):
        self.assertEqual({path.name for path in self.folder.iterdir()},
                         set(UNITS))

    def test_they_start_programs_that_are_installed(self):
        for name, unit in self.units.items():
            program, *words = unit["Service"]["ExecStart"].split()
            self.assertTrue(os.access(self.installed(program), os.X_OK), name)
            self.assertEqual(words[:2],
                             ["--config", "/etc/claviger/clavigerd.toml"])
            page = unit["Unit"]["Documentation"].removeprefix("file:")
            self.assertTrue(self.installed(page).is_file(), page)

    def test_they_run_as_users_that_are_made(self):
        [users] = self.root.rglob("sysusers.d/claviger.conf")
        made = {line.split()[1] for line in users.read_text().splitlines()
                if line.startswith("u")}
        for name, user in UNITS.items():
            service = self.units[name]["Service"]
            self.assertEqual((service["User"], service["Group"]), (user, user))
            self.assertIn(user, made)

    def test_the_pin_is_a_credential_of_the_tokens_unit_alone(self):
        pins = {name: unit["Service"].get("LoadCredential")
                for name, unit in self.units.items()}
        self.assertEqual(pins, {
            "clavigerd.service": None, "claviger-xks.service": None,
            "claviger-hsm@.service": "pin:/etc/claviger/pins/%i"})
        for name, unit in self.units.items():
            hidden = unit["Service"]["InaccessiblePaths"].split()
            self.assertEqual("-/etc/claviger/pins" in hidden,
                             pins[name] is None, name)

    def test_folders_that_they_write_to_are_made(self):
        [folders] = self.root.rglob("tmpfiles.d/claviger.conf")
        made = {line.split()[1] for line in folders.read_text().splitlines()
                if re.match(r"[dD]", line)}
        for name, unit in self.units.items():
            for path in unit["Service"].get("ReadWritePaths", "").split():
                self.assertIn(path, made, name)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "needs systemd")
    def test_systemd_finds_no_fault(self):
        kill = self.root / "bin/kill"  # Of the system.
        kill.parent.mkdir()
        shutil.copy("/bin/true", kill)
        for name in UNITS:
            file = name.replace("@.", "@main.")
            run = subprocess.run(
                ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no",
                 f"--root={self.root}", file],
                capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual((run.returncode, run.stderr), (0, ""), name)


if __name__ == "__main__":
    unittest.main()
