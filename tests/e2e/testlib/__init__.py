# SPDX-License-Identifier: Apache-2.0
"""Starts a server of our own and makes clients that can reach nothing else."""

from testlib.case import ServerCase
from testlib.clients import aws_cli, aws_environment, boto3_client, call
from testlib.clients import loopback, send, signed
from testlib.server import BIN, Server

__all__ = ["BIN", "Server", "ServerCase", "aws_cli", "aws_environment",
           "boto3_client", "call", "loopback", "send", "signed"]
