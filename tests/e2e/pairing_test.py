# SPDX-License-Identifier: Apache-2.0
"""docs/pairing.md, followed to the letter: every command of the page is run.

What the page cannot know is put in its place: folders of the system are below
the test's own, systemd is the test, and `claviger` is told of both."""

import getpass
import pathlib
import re
import shlex
import subprocess
import unittest

from testlib.clients import boto3_client
from testlib.installed import ACCOUNT, PROGRAM, Installed
from testlib.server import BIN, START_SECONDS

PAGE = pathlib.Path(__file__).parents[2] / "docs/pairing.md"
SYSTEM = ("/etc/claviger", "/var/lib/claviger", "/var/backups/claviger")
# What systemd would copy it to.
CREDENTIAL = "/run/credentials/claviger-hsm@second.service/pin"


def sections():
    """The page's commands, a list of lines by the title of their section."""
    found, title = {}, None
    for line in PAGE.read_text().splitlines():
        if line.startswith("## "):
            title = line.removeprefix("## ")
        elif line.startswith("    "):
            found.setdefault(title, []).append(line.strip())
    return found


class PairingTest(unittest.TestCase):

    def setUp(self):
        self.server = Installed()
        self.addCleanup(self.server.close)
        folder = self.server.folder
        self.server.config = folder / "etc/claviger/clavigerd.toml"
        self.server.softhsm_conf = folder / "etc/claviger/softhsm2.conf"
        self.server.pin_file = folder / "etc/claviger/pins/main"
        self.server.state = folder / "var/lib/claviger"
        self.server.credential_file = folder / "claviger-admin"
        self.elsewhere = [
            *((path, f"{folder}{path}") for path in SYSTEM),
            (CREDENTIAL, folder / "etc/claviger/pins/second"),
            ("/run/claviger-hsm", self.server.run_folder / "claviger-hsm")]
        self.stand_in("chown", "exit 0")  # The users are ours.
        self.stand_in("claviger", self.claviger_script())
        self.exported = folder / "exported"
        self.exported.write_text("")

    def stand_in(self, name, script):
        path = self.server.folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def claviger_script(self):
        """The program, told where its files are instead of in the system."""
        server, user = self.server, getpass.getuser()
        config = f"--config {server.config}"
        init = (f"{config} --state {server.state} --pin-file {server.pin_file}"
                f" --run-dir {server.run_folder}"
                f" --http 127.0.0.1:{server.port}"
                f" --user {user} --hsm-user {user}")
        endpoint = f"--endpoint unix:{server.socket}"
        more = {"init *": init, "doctor *": config,
                "config check": str(server.config), "status *": endpoint,
                "token share": endpoint, "token transport-key": endpoint}
        cases = "".join('{}) exec {} "$@" {} ;;\n'.format(
            verb.replace(" ", "\\ "), PROGRAM, options)
            for verb, options in more.items())
        return f'case "$1 $2" in\n{cases}*) exec {PROGRAM} "$@" ;;\nesac'

    def systemctl(self, words):
        verb, *units = [word for word in words if not word.startswith("--")]
        names = self.server.key_stores()
        if verb == "stop":
            self.assertEqual(set(self.server.stop()), {0})
        else:
            self.assertIn(verb, ("enable", "start"))
            self.assertEqual(
                sorted(units),
                sorted(["clavigerd", *(f"claviger-hsm@{n}" for n in names)]))
            self.server.start()

    def shell(self, command):
        """Runs one line; returns what it said. Variables stay exported."""
        for path, here in self.elsewhere:
            command = command.replace(path, str(here))
        run = subprocess.run(
            ["bash", "-euc", f". {self.exported}\n{command}\n"
                             f"export -p > {self.exported}"],
            cwd=self.server.folder, capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=START_SECONDS, check=False,
            env={"PATH": f"{self.server.folder}/bin:{BIN}:/usr/bin:/bin",
                 "HOME": str(self.server.folder)})
        self.assertEqual(run.returncode, 0,
                         f"{command}\n{run.stdout}{run.stderr}")
        return run.stdout

    def follow(self, title, commands):
        said = ""
        self.assertIn(title, commands)
        for line in commands.pop(title):
            words = shlex.split(line, comments=True)
            if words[0] == "systemctl":
                self.systemctl(words[1:])
            else:
                said += self.shell(line)
        return said

    def pins(self):
        return self.server.pin_file.read_text()

    def test_every_command_of_the_page_does_what_it_says(self):
        commands = sections()
        self.follow("1. The vendor's software", commands)
        self.follow("2. A partition, and its user", commands)
        said = self.follow("3. Is it fit?", commands)
        self.assertIn("profile: softhsm\nrisks: none\n"
                      "verdict: fit to hold keys\n", said)
        token = sorted(self.server.folder.glob("var/lib/claviger-hsm/tokens/*"))
        said = self.follow("4. The server", commands)
        self.assertIn("ready", said)
        self.assertEqual(sorted(self.server.folder.glob(
            "var/lib/claviger-hsm/tokens/*")), token, "no second token")
        self.assertIn(f'account = "{ACCOUNT}"', self.server.config.read_text())
        self.server.read_credential()
        kms = boto3_client(self.server)
        self.addCleanup(kms.close)
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        sealed = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]

        def opens():
            opened = kms.decrypt(CiphertextBlob=sealed)["Plaintext"]
            self.assertEqual(opened, b"secret")

        before = self.pins()
        said = self.follow("A new PIN", commands)
        self.assertIn("verdict: fit to hold keys\n", said)
        self.assertNotEqual(self.pins(), before)
        opens()
        self.follow("Backup", commands)
        opens()
        said = self.follow("Another HSM", commands)
        self.assertIn("verdict: fit to hold keys\n", said)
        opens()
        said = self.follow("Two tokens that share keys", commands)
        prints = re.findall("SHA-256 fingerprint: (.*)", said)
        self.assertEqual(len(prints), 1)
        self.assertIn(f'PRINT="{prints[0]}"', self.exported.read_text())
        self.assertIn("shared", said)
        opens()
        self.trust_no_other(prints[0])
        self.use_a_replica(kms)
        self.assertEqual(commands, {}, "commands that nobody has run")

    def trust_no_other(self, fingerprint):
        """A key with another fingerprint is refused, without a PIN."""
        said = self.shell(
            "! claviger token trust --fingerprint ab:cd --so-pin-file none"
            " --config none transport.pem 2>&1")
        self.assertIn(f"fingerprint is {fingerprint}, and not ab:cd", said)

    def use_a_replica(self, kms):
        """A key of both tokens, with the first one's workers dead."""
        key = kms.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
        kms.replicate_key(KeyId=key, ReplicaRegion="eu-west-1")
        sealed = kms.encrypt(KeyId=key, Plaintext=b"moved")["CiphertextBlob"]
        there = boto3_client(self.server, region="eu-west-1")
        self.addCleanup(there.close)
        self.server.hsms[0].kill()
        opened = there.decrypt(CiphertextBlob=sealed)["Plaintext"]
        self.assertEqual(opened, b"moved")

    def test_no_pin_is_on_a_command_line_of_the_page(self):
        for title, lines in sections().items():
            for line in lines:
                for option in ("--pin", "--so-pin", "--new-pin"):
                    if f"{option} " in line:
                        self.assertIn(f"{option} env:", line, title)
