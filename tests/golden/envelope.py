#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes envelope.json, from docs/protocol/envelope.md and not from our code.

Usage: tests/golden/envelope.py > tests/golden/envelope.json

Needs the Python package "cryptography". The output is checked in and never
changes: every release decrypts these envelopes.
"""

import hashlib
import hmac
import json
import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def sized(data):
    return struct.pack(">I", len(data)) + data


def header(chunk_bits, salt, wrapped_key, context):
    pairs = sorted((k.encode(), v.encode()) for k, v in context.items())
    body = salt + sized(wrapped_key) + struct.pack(">I", len(pairs))
    body += b"".join(sized(k) + sized(v) for k, v in pairs)
    return b"CLVGENV\n" + bytes([1, 1, chunk_bits]) + sized(body)


def envelope(chunk_bits, salt, wrapped_key, context, data_key, plaintext):
    head = header(chunk_bits, salt, wrapped_key, context)
    digest = hashlib.sha256(head).digest()
    info = b"claviger-envelope-1" + digest
    prk = hmac.digest(salt, data_key, "sha256")
    file_key = hmac.digest(prk, info + b"\x01", "sha256")
    commitment = hmac.digest(prk, file_key + info + b"\x02", "sha256")
    size = 1 << chunk_bits
    chunks = [plaintext[i:i + size]
              for i in range(0, len(plaintext), size)] or [b""]
    out = head + commitment
    for number, chunk in enumerate(chunks):
        last = number == len(chunks) - 1
        nonce = number.to_bytes(11, "big") + bytes([last])
        out += AESGCM(file_key).encrypt(nonce, chunk, digest)
    return out


def pattern(label, size):
    """`size` bytes that look random."""
    blocks = (hashlib.sha256(f"{label} {i}".encode()).digest()
              for i in range(size // 32 + 1))
    return b"".join(blocks)[:size]


CASES = [
    ("empty", 12, {}, 0),
    ("short", 16, {"purpose": "golden", "\u00e4": "\u20ac", "A": ""}, 11),
    ("one whole chunk", 12, {"a": "b"}, 4096),
    ("chunks and a rest", 12, {"b": "2", "a": "1", "aa": "3"}, 3 * 4096 + 7),
]


def case(name, chunk_bits, context, size):
    data_key = pattern(name + " key", 32)
    plaintext = pattern(name + " plaintext", size)
    whole = envelope(chunk_bits, pattern(name + " salt", 32),
                     pattern(name + " wrapped", 91 + 32), context, data_key,
                     plaintext)
    # What is long is told by its digest and its beginning.
    return {
        "name": name,
        "chunk_bits": chunk_bits,
        "context": context,
        "salt": pattern(name + " salt", 32).hex(),
        "wrapped_key": pattern(name + " wrapped", 91 + 32).hex(),
        "data_key": data_key.hex(),
        "plaintext_size": size,
        "plaintext_sha256": hashlib.sha256(plaintext).hexdigest(),
        "envelope": whole.hex(),
    }


if __name__ == "__main__":
    print(json.dumps([case(*row) for row in CASES], indent=1))
