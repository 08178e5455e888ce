# SPDX-License-Identifier: Apache-2.0
"""nginx, Apache and HAProxy serve TLS with reference files: they load keys in
one process and use them in others, some of which run as another user."""

import os
import pathlib
import shutil
import signal
import unittest

from testlib.faults import wait_until
from testlib.installed import free_port
from testlib.openssl import (HANDSHAKES, P256, RSA, OpensslCase,
                             handshakes)
from testlib.web_servers import (
    APACHE, APACHE_MODULES, APACHE_USER, NGINX, NGINX_USER)

PATH = "/usr/sbin:/usr/bin"
WORKERS = 2
CIPHERS = {"rsa": "ECDHE-RSA-AES128-GCM-SHA256",
           "p256": "ECDHE-ECDSA-AES128-GCM-SHA256"}

HAPROXY = """
global
  master-worker
  nbthread 2
  pidfile {folder}/pid
  ssl-default-bind-options no-tls-tickets
  tune.ssl.cachesize 0
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 60s
frontend tls
  bind 127.0.0.1:{port} ssl crt {rsa_bundle} crt {p256_split}
  http-request return status 200 content-type text/plain string served
"""


class ServersCase(OpensslCase):
    KEYS = (RSA, P256)

    def setUp(self):
        super().setUp()
        self.folder.chmod(0o755)  # Other users' processes read it.
        self.port = free_port()
        self.certificates = {label: self.self_signed(label)
                             for label in CIPHERS}
        self.keys = {label: self.reference(label) for label in CIPHERS}

    def environment(self, **changes):
        """Without the socket: whoever the processes run as, they have an access
        key."""
        environment = super().environment(**changes)
        environment.pop("CLAVIGER_SOCKET", None)
        return environment

    def write(self, name, text, **more):
        return self.file(name, text.format(
            folder=self.folder, port=self.port, workers=WORKERS,
            rsa=self.certificates["rsa"], rsa_key=self.keys["rsa"],
            ec=self.certificates["p256"], ec_key=self.keys["p256"], more="",
            **more).encode())

    def read_pid(self):
        path = self.folder / "pid"
        text = path.read_text() if path.exists() else ""
        return int(text) if text.strip() else None

    def errors(self):
        path = self.folder / "error.log"
        return path.read_text() if path.exists() else ""

    def curl(self, label, version="1.2"):
        options = (("--ciphers", CIPHERS[label]) if version == "1.2" else
                   ("--tlsv1.3",))
        return self.run_program(
            "curl", "--silent", "--show-error", "--tls-max", version, *options,
            "--cacert", self.certificates[label],
            f"https://localhost:{self.port}/index.html")

    def thousand(self):
        """What is served after as many handshakes, half of them with each key:
        the bodies."""
        answers = handshakes(
            self.port, self.certificates.values(),
            b"GET /index.html HTTP/1.0\r\nHost: localhost\r\n\r\n",
            tuple(CIPHERS.values()))
        return [body for head, _, body in
                (answer.partition(b"\r\n\r\n") for answer in answers)
                if b" 200 " in head]

    def get(self, label, version="1.2"):
        run = self.curl(label, version)
        self.assertEqual(run.returncode, 0, run.stderr + self.errors())
        return run.stdout


class NginxTest(ServersCase):

    def environment(self, **changes):
        """With the socket: a worker's uid is who asks the KMS."""
        return super().environment(
            CLAVIGER_ENDPOINT=self.server.environment["CLAVIGER_SOCKET"],
            **changes)

    def setUp(self):
        super().setUp()
        self.program(
            shutil.which("nginx", path=PATH), "-p", self.folder, "-c",
            self.write("nginx.conf", NGINX,
                       user=NGINX_USER),
            OPENSSL_CONF=self.configuration())
        self.addCleanup(self.quit)
        self.pid = wait_until(self.read_pid, "nginx writes its pid")

    def quit(self):
        os.kill(self.pid, signal.SIGQUIT)
        wait_until(lambda: not (self.folder / "pid").exists(), "nginx ends")

    def workers_that_answer(self):
        answered = set()

        def ask():
            answered.add(int(self.get("p256")))
            return len(answered) == WORKERS

        wait_until(ask, "every worker answers")
        return answered

    def test_every_worker_serves_every_kind_of_key(self):
        self.assertNotIn(self.pid, self.workers_that_answer())
        self.get("rsa")
        self.get("p256", "1.3")

    def test_a_thousand_handshakes_of_forked_workers(self):
        workers = self.workers_that_answer()
        served = self.thousand()
        self.assertEqual(len(served), HANDSHAKES, self.errors()[-1000:])
        self.assertEqual({int(body) for body in served}, workers)

    def test_workers_of_a_new_configuration_sign(self):
        before = self.workers_that_answer()
        os.kill(self.pid, signal.SIGHUP)
        wait_until(lambda: not any(pathlib.Path(f"/proc/{worker}").exists()
                                   for worker in before), "they are gone")
        self.assertFalse(before & self.workers_that_answer())
        self.assertNotIn("exited on signal", self.errors())

    def test_a_server_that_was_away_costs_no_worker_its_key(self):
        before = self.workers_that_answer()
        self.server.stop()
        try:
            self.assertNotEqual(self.curl("p256").returncode, 0)
            self.assertIn("cannot connect to unix:", self.errors())
        finally:
            self.server.start()
        self.assertEqual(self.workers_that_answer(), before)


class NginxRefusalTest(ServersCase):

    def test_a_key_that_is_not_there_is_told_at_start(self):
        self.keys["rsa"] = self.reference("absent")
        run = self.run_program(
            shutil.which("nginx", path=PATH), "-t", "-p", self.folder, "-c",
            self.write("nginx.conf", NGINX, user=""),
            OPENSSL_CONF=self.configuration())
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("alias/absent", run.stderr)


class ApacheTest(ServersCase):

    def setUp(self):
        super().setUp()
        (self.folder / "htdocs").mkdir()
        self.file("htdocs/index.html", b"served")
        self.program(
            shutil.which("apache2", path=PATH), "-k", "start", "-f",
            self.write("apache.conf", APACHE,
                       modules=APACHE_MODULES, user=APACHE_USER),
            OPENSSL_CONF=self.configuration())
        self.addCleanup(self.stop)
        self.pid = wait_until(self.read_pid, "Apache writes its pid")

    def stop(self):
        os.kill(self.pid, signal.SIGTERM)
        wait_until(lambda: not (self.folder / "pid").exists(), "Apache ends")

    def test_a_thousand_handshakes_of_forked_processes(self):
        self.assertEqual(self.thousand(), [b"served"] * HANDSHAKES,
                         self.errors()[-1000:])
        self.assertNotIn("exit signal", self.errors())

    def test_both_kinds_of_keys_serve_also_after_a_graceful_restart(self):
        for _ in range(2):
            for label in tuple(CIPHERS) * WORKERS:
                self.assertEqual(self.get(label), "served")
            restarts = self.errors().count("resuming normal operations")
            os.kill(self.pid, signal.SIGUSR1)
            wait_until(lambda: self.errors().count(
                "resuming normal operations") > restarts, "Apache goes on")
        self.assertNotIn("exit signal", self.errors())


class HaproxyTest(ServersCase):

    def setUp(self):
        super().setUp()
        bundle = self.file("bundle.pem", self.read(self.certificates["rsa"]) +
                           self.read(self.keys["rsa"]))
        split = self.file("split.pem", self.read(self.certificates["p256"]))
        self.file("split.pem.key", self.read(self.keys["p256"]))
        self.process = self.background(
            shutil.which("haproxy", path=PATH), "-W", "-f",
            self.write("haproxy.cfg", HAPROXY, rsa_bundle=bundle,
                       p256_split=split),
            OPENSSL_CONF=self.configuration())
        self.certificates["both"] = self.file("both.pem", b"".join(
            self.read(self.certificates[label]) for label in CIPHERS))
        wait_until(lambda: self.curl("rsa").returncode == 0, "HAProxy serves")

    def workers(self):
        pid = self.process.pid
        return set(pathlib.Path(
            f"/proc/{pid}/task/{pid}/children").read_text().split())

    def serves_all(self):
        for label in CIPHERS:
            self.assertEqual(self.get(label), "served")
        # HAProxy has its own idea of which certificate to show here.
        self.assertEqual(self.get("both", "1.3"), "served")

    def test_master_and_worker_with_a_bundle_and_a_pair_of_files(self):
        self.serves_all()
        before = self.workers()
        self.process.send_signal(signal.SIGUSR2)  # A new worker.
        # A master that is asked to end meanwhile may not hear it.
        wait_until(lambda: self.workers() and not self.workers() & before,
                   "HAProxy has a new worker, and no other")
        self.serves_all()


if __name__ == "__main__":
    unittest.main()
