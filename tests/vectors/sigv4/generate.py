#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes botocore.json: requests signed by botocore's SigV4 signer, an
implementation that is independent of base/sigv4*. Run it in this folder; the
output does not depend on the day. It fails if a signature differs from the one
that AWS published for the same request (PUBLISHED)."""
import datetime
import hashlib
import json
from unittest import mock

import botocore.auth
import botocore.awsrequest
import botocore.credentials

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
WHEN = datetime.datetime(2015, 8, 30, 12, 36, 0)
HOST = ("Host", "example.amazonaws.com")
DATE = ("X-Amz-Date", "20150830T123600Z")
ALNUM = ("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
         "abcdefghijklmnopqrstuvwxyz")

# Signatures that AWS publishes: aws-sig-v4-test-suite, today kept in
# github.com/awslabs/aws-c-auth, tests/aws-signing-test-suite/v4.
VANILLA = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
PUBLISHED = {
    "get-vanilla": VANILLA,
    "get-relative-relative-normalized": VANILLA,
    "get-header-key-duplicate":
        "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
    "get-header-value-multiline":
        "ba17b383a53190154eb5fa66a1b836cc297cc0a3d70a5d00705980573d8ff790",
    "get-header-value-order":
        "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
    "get-header-value-trim":
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    "get-slash-pointless-dot-normalized":
        "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5",
    "get-slashes-normalized":
        "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
    "get-space-normalized":
        "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
    "get-utf8":
        "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
    "get-vanilla-query-order-encoded":
        "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
    "get-vanilla-query-order-key-case":
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    "get-vanilla-query-unreserved":
        "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
    "get-vanilla-utf8-query":
        "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
    "get-vanilla-with-session-token":
        "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
    "post-vanilla":
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    "post-header-key-sort":
        "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
    "post-x-www-form-urlencoded":
        "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
}
# botocore signs a query string as it finds it, while AWS encodes it first: for
# these the canonical query is given by hand.
QUERY = {"get-vanilla-utf8-query": "%E1%88%B4=bar"}

TOKEN = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"
FORM = "Param1=value1"
ENCRYPT = '{"KeyId":"alias/app","Plaintext":"aGVsbG8="}'
JSON_1_1 = ("Content-Type", "application/x-amz-json-1.1")
TARGET = ("X-Amz-Target", "TrentService.Encrypt")


def case(name, method="GET", path="/", query="", headers=(), body="",
         region="us-east-1", service="service", token="", host=HOST):
    return dict(name=name, method=method, path=path, query=query,
                headers=[host, *headers], body=body, region=region,
                service=service, token=token)


CASES = [
    case("get-vanilla"),
    case("get-relative-relative-normalized", path="/example1/example2/../.."),
    case("get-header-key-duplicate", headers=[
        ("My-Header1", "value2"), ("My-Header1", "value2"),
        ("My-Header1", "value1")]),
    case("get-header-value-multiline", headers=[
        ("My-Header1", "value1"), ("My-Header1", "value2"),
        ("My-Header1", "value3")]),
    case("get-header-value-order", headers=[
        ("My-Header1", "value4"), ("My-Header1", "value1"),
        ("My-Header1", "value3"), ("My-Header1", "value2")]),
    case("get-header-value-trim", headers=[
        ("My-Header1", " value1"), ("My-Header2", ' "a   b   c"')]),
    case("get-slash-pointless-dot-normalized", path="/./example"),
    case("get-slashes-normalized", path="//example//"),
    case("get-space-normalized", path="/example space/"),
    case("get-utf8", path="/\u1234"),
    case("get-vanilla-query-order-encoded",
         query="Param-3=Value3&Param=Value2&%E1%88%B4=Value1"),
    case("get-vanilla-query-order-key-case",
         query="Param2=value2&Param1=value1"),
    case("get-vanilla-query-unreserved",
         query=f"-._~{ALNUM}=-._~{ALNUM}"),
    case("get-vanilla-utf8-query", query="\u1234=bar"),
    case("get-vanilla-with-session-token", token=TOKEN),
    case("post-vanilla", method="POST"),
    case("post-header-key-sort", method="POST",
         headers=[("My-Header1", "value1")]),
    case("post-x-www-form-urlencoded", method="POST", body=FORM, headers=[
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Content-Length", "13"),
        ("x-amz-content-sha256", hashlib.sha256(FORM.encode()).hexdigest())]),
    # Not published; botocore's word only.
    case("kms-encrypt", method="POST", body=ENCRYPT, service="kms",
         region="eu-central-1", headers=[JSON_1_1, TARGET],
         host=("Host", "kms.eu-central-1.amazonaws.com")),
    case("kms-encrypt-on-a-port-with-session-token", method="POST",
         body=ENCRYPT, service="kms", region="eu-central-1", token=TOKEN,
         headers=[JSON_1_1, TARGET], host=("Host", "127.0.0.1:4599")),
    case("kms-utf8-body", method="POST", service="kms",
         body='{"Description":"Schl\u00fcssel \u9375"}',
         headers=[JSON_1_1, ("X-Amz-Target", "TrentService.CreateKey")]),
    case("path-encoded-twice", path="/a%2Fb/c%20d/%25"),
    case("path-of-dots", path="/../a/./b/../../c/."),
    case("query-same-name-sorted-by-value", query="b=2&a=1&b=1&b=10"),
    case("query-name-that-is-a-prefix", query="a-b=1&a=2"),
    case("query-without-value", query="flag&a=1"),
    case("header-blanks-and-empty", headers=[
        ("My-Header1", "\t a \t b  "), ("My-Header2", "")]),
]


def sign(c):
    class Clock(datetime.datetime):
        @classmethod
        def utcnow(cls):
            return WHEN

    url = "http://" + c["headers"][0][1] + c["path"]
    url += "?" + c["query"] if c["query"] else ""
    request = botocore.awsrequest.AWSRequest(
        method=c["method"], url=url, data=c["body"].encode())
    for name, value in c["headers"]:
        request.headers.add_header(name, value)
    credentials = botocore.credentials.Credentials(
        "AKIDEXAMPLE", SECRET, c["token"] or None)
    signer = botocore.auth.SigV4Auth(credentials, c["service"], c["region"])
    if c["name"] in QUERY:
        signer.canonical_query_string = lambda _: QUERY[c["name"]]
    canonical = []
    build = signer.canonical_request
    signer.canonical_request = lambda r: canonical.append(build(r)) or \
        canonical[-1]
    with mock.patch("botocore.auth.datetime.datetime", Clock):
        signer.add_auth(request)
    return canonical[-1], signer.string_to_sign(request, canonical[-1]), \
        request.headers["Authorization"]


def main():
    out = []
    for c in CASES:
        canonical, to_sign, authorization = sign(c)
        name = c["name"]
        if name in PUBLISHED:
            assert authorization.endswith(PUBLISHED[name]), name
        out.append(dict(
            name=name, published=name in PUBLISHED, access_key="AKIDEXAMPLE",
            secret_key=SECRET, region=c["region"], service=c["service"],
            date=DATE[1], session_token=c["token"], method=c["method"],
            path=c["path"], query=c["query"],
            headers=[list(h) for h in c["headers"]], body=c["body"],
            canonical_request=canonical, string_to_sign=to_sign,
            authorization=authorization))
    with open("botocore.json", "w", encoding="utf-8") as file:
        json.dump(out, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
