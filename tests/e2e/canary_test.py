# SPDX-License-Identifier: Apache-2.0
"""Plaintexts, the PIN and the administrator's secret are searched for where
they must not be: files, the log, command lines, environments, and the memory of
clavigerd once its requests have ended."""

import base64
import os
import pathlib
import re
import secrets
import unittest

from testlib import boto3_client
from testlib.faults import FaultCase, family


def forms(secret):
    """The secret as bytes, as hex, and as base64 at each of three offsets."""
    yield "raw", secret
    yield "hex", secret.hex().encode()
    yield "HEX", secret.hex().upper().encode()
    for skip in range(3):
        part = secret[skip:]
        whole = part[:len(part) // 3 * 3]
        yield f"base64+{skip}", base64.b64encode(whole)


def memory_of(pid):
    """The contents of each readable, private and writable region that a core
    dump would have: the locked heap of secrets is marked to be left out."""
    regions = []
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        head = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)", line)
        if head:
            regions.append([int(head[1], 16), int(head[2], 16), head[3],
                            head[4], ""])
        elif line.startswith("VmFlags:"):
            regions[-1][4] = line
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for begin, end, mode, name, flags in regions:
            if not mode.startswith("rw") or " dd" in flags:
                continue
            try:
                memory.seek(begin)
                yield name or "anonymous", memory.read(end - begin)
            except OSError:
                continue


class Canary(FaultCase):

    def setUp(self):
        self.server = self.new_server().start()
        self.pin = (self.server.dev / "pin").read_text().strip().encode()
        self.canaries = {"pin": self.pin}
        self.use()

    def use(self):
        kms = boto3_client(self.server)
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        other = kms.create_key()["KeyMetadata"]["KeyId"]
        for size in (24, 600, 3000):
            plaintext = secrets.token_bytes(size)
            self.canaries[f"plaintext of {size}"] = plaintext[:24]
            blob = kms.encrypt(KeyId=key, Plaintext=plaintext)["CiphertextBlob"]
            self.assertEqual(kms.decrypt(CiphertextBlob=blob)["Plaintext"],
                             plaintext)
            blob = kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=other)
            self.assertEqual(
                kms.decrypt(CiphertextBlob=blob["CiphertextBlob"])["Plaintext"],
                plaintext)
        self.canaries["data key"] = kms.generate_data_key(
            KeyId=key, KeySpec="AES_256")["Plaintext"]
        self.canaries["random"] = kms.generate_random(
            NumberOfBytes=32)["Plaintext"]
        self.key_id = key
        kms.close()

    def search(self, where, content, canaries):
        return [f"{name} ({form}) in {where}"
                for name, secret in canaries.items()
                for form, text in forms(secret) if text in content]

    def test_files_command_lines_and_environments_hold_no_secret(self):
        canaries = {**self.canaries,
                    "secret": self.server.secret_key.encode()}
        found = []
        for path in (self.server.log, *self.server.dev.rglob("*")):
            # What hands the secrets over is not searched for them.
            known = path.name in ("pin", "access-key", "env")
            if path.is_file() and not known:
                found += self.search(path, path.read_bytes(), canaries)
        # Our programs let nobody but root read their environments.
        readable = ["cmdline", "environ"][:2 if os.geteuid() == 0 else 1]
        for pid in family(self.server):
            for name in readable:
                path = pathlib.Path(f"/proc/{pid}/{name}")
                found += self.search(path, path.read_bytes(), canaries)
        self.assertEqual(found, [])
        self.check_audit(self.server)

    @unittest.skipUnless(os.geteuid() == 0, "only root may read that memory")
    def test_nothing_stays_in_the_memory_of_clavigerd(self):
        # That the search finds what is there: a key's id is no secret.
        public = {"key id": self.key_id.encode()}
        found, seen = [], []
        for region, content in memory_of(self.server.process.pid):
            found += self.search(region, content, self.canaries)
            seen += self.search(region, content, public)
        self.assertEqual(found, [])
        self.assertNotEqual(seen, [])


if __name__ == "__main__":
    unittest.main()
