# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL serves TLS with a reference file. It forks a process for every
connection."""

import os
import pathlib
import subprocess
import unittest

from openssl_servers_test import ServersCase
from testlib.faults import wait_until

# Debian's, of whatever version.
PROGRAMS = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
CONFIGURATION = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{folder}'
ssl = on
ssl_cert_file = '{ec}'
ssl_key_file = '{ec_key}'
"""
SECONDS = 120


@unittest.skipUnless(PROGRAMS, "needs Debian's postgresql")
class PostgresqlTest(ServersCase):

    def setUp(self):
        super().setUp()
        # It refuses to run as root, and keys that others may read.
        self.user = None if os.geteuid() else "nobody"
        self.data = self.folder / "data"
        self.data.mkdir()
        os.chmod(self.keys["p256"], 0o600)
        if self.user:
            self.folder.chmod(0o777)
            subprocess.run(["chown", self.user, self.data, self.keys["p256"]],
                           check=True)
        self.run_as("initdb", "-A", "trust", "-U", "owner", "-N")
        settings = self.write("postgresql.conf", CONFIGURATION)
        self.process = subprocess.Popen(
            [PROGRAMS[-1] / "postgres", "-D", self.data,
             f"--config-file={settings}",
             f"--hba-file={self.data}/pg_hba.conf"],
            user=self.user, stderr=subprocess.DEVNULL,
            env=self.environment(OPENSSL_CONF=self.configuration()))
        self.addCleanup(self.end)

    def end(self):
        self.process.terminate()
        self.process.wait(SECONDS)

    def run_as(self, program, *arguments):
        subprocess.run([PROGRAMS[-1] / program, "-D", self.data, *arguments],
                       user=self.user, check=True, capture_output=True,
                       timeout=SECONDS, env=self.environment(LC_ALL="C"))

    def ask(self):
        return self.run_program(
            "psql", "-AtX", f"host=localhost port={self.port} user=owner "
            "dbname=postgres sslmode=verify-full "
            f"sslrootcert={self.certificates['p256']}", "-c",
            "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()")

    def test_connections_are_encrypted(self):
        wait_until(lambda: self.ask().returncode == 0, "PostgreSQL serves")
        for _ in range(5):
            run = self.ask()
            self.assertEqual(run.stdout, "TLSv1.3\n", run.stderr)


if __name__ == "__main__":
    unittest.main()
