# SPDX-License-Identifier: Apache-2.0
"""What AWS's service model says of each request, and of each bad one.

Made from the model alone: the server has its own copy of these constraints, as
code, and this is what that is compared with.
"""

import base64
import json
import pathlib
import re

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "model"
_MODEL = json.loads((FOLDER / "kms/2014-11-01/service-2.json").read_text())
SHAPES = _MODEL["shapes"]

# Newer than the model (@aws-sdk/client-kms 3.1162.0), and what is for AWS's
# Regions in China only.
_ADDED = {
    "KeySpec": ["ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"],
    "DataKeyPairSpec": ["ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"],
    "KeyUsageType": ["ENCAPSULATE_DECAPSULATE"],
    "GrantOperation": ["Encapsulate", "Decapsulate"],
}
_CHINA = {"SM2", "SM2PKE", "SM2DSA"}
for _name, _shape in SHAPES.items():
    if "enum" in _shape:
        _shape["enum"] = [value for value in
                          _shape["enum"] + _ADDED.get(_name, [])
                          if value not in _CHINA]
SHAPES["EncapsulationAlgorithmSpec"] = {"type": "string", "enum": ["ML_KEM"]}
_COMMON = {"KeyId": {"shape": "KeyIdType"},
           "EncapsulationAlgorithm": {"shape": "EncapsulationAlgorithmSpec"},
           "GrantTokens": {"shape": "GrantTokenList"},
           "DryRun": {"shape": "NullableBooleanType"}}
SHAPES["EncapsulateRequest"] = {
    "type": "structure", "members": _COMMON,
    "required": ["KeyId", "EncapsulationAlgorithm"]}
SHAPES["DecapsulateRequest"] = {
    "type": "structure",
    "members": {**_COMMON,
                "SharedSecretCiphertextBlob": {"shape": "CiphertextType"}},
    "required": ["KeyId", "EncapsulationAlgorithm",
                 "SharedSecretCiphertextBlob"]}
# Ours: a grant of nothing is refused.
SHAPES["GrantOperationList"]["min"] = 1
# Bearer credentials, and what may be a private key by mistake, are shown in no
# message, like what the model calls sensitive.
SHAPES["GrantTokenType"]["sensitive"] = True
SHAPES["TrustAnchorCertificateType"]["sensitive"] = True

# The input shape of each operation, by its name.
OPERATIONS = {
    name: operation["input"]["shape"]
    for name, operation in _MODEL["operations"].items()}
OPERATIONS["Encapsulate"] = "EncapsulateRequest"
OPERATIONS["Decapsulate"] = "DecapsulateRequest"

# For shapes with a pattern: how a good value starts, what it can be filled up
# with, and how it ends.
_PARTS = {
    "AccountIdType": ("123456789012", "1", ""),
    "AliasNameType": ("alias/", "a", ""),
    "BackingKeyIdType": ("", "a", ""),
    "CloudHsmClusterIdType": ("cluster-", "a", ""),
    "GrantConstraintSourceArnType": ("arn:aws:s3::123456789012:", "a", ""),
    "RegionType": ("eu-west-1", "1", ""),
    "ServicePrincipalType": ("kms.amazonaws.co", "m", ""),
    "XksProxyAuthenticationAccessKeyIdType": ("", "A", ""),
    "XksProxyUriEndpointType": ("https://", "a", ""),
    "XksProxyUriPathType": ("/", "a", "/kms/xks/v1"),
    "XksProxyVpcEndpointServiceNameType":
        ("com.amazonaws.vpce.eu-west-1.vpce-svc-", "0", ""),
}


def constraints(name):
    """The shape `name`, with its bounds if it has any."""
    shape = SHAPES[name]
    return shape["type"], shape.get("min"), shape.get("max")


def text_of(name, length):
    """A string of this length, good in all else if that can be."""
    start, filler, end = _PARTS.get(name, ("", "a", ""))
    fill = max(0, length - len(start) - len(end))
    text = start + filler * fill + end
    return text if len(text) == length else text[:length]


def good(name):
    """A small good value of the shape."""
    shape = SHAPES[name]
    kind, low, high = constraints(name)
    if kind == "string":
        if "enum" in shape:
            return shape["enum"][0]
        start, _, end = _PARTS.get(name, ("", "a", ""))
        return text_of(name, max(low or 1, len(start) + len(end) + 1)
                       if high is None else
                       min(high, max(low or 1, len(start) + len(end) + 1)))
    if kind == "blob":
        return blob(max(low or 0, 1))
    if kind == "integer":
        return low or 0
    if kind == "list":
        return [good(shape["member"]["shape"])]
    if kind == "structure":
        return request(name)
    return {"boolean": False, "map": {"k": "v"}, "timestamp": 1.5e9}[kind]


def request(name):
    """The smallest good structure `name`: its required members."""
    shape = SHAPES[name]
    return {member: good(shape["members"][member]["shape"])
            for member in shape.get("required", [])}


def blob(size):
    return base64.b64encode(b"x" * size).decode()


def camel(name):
    return name[0].lower() + name[1:]


def broken(name, value, path):
    """The texts of all constraints of the shape that `value` breaks."""
    shape = SHAPES[name]
    kind, low, high = constraints(name)
    shown = f"'{value}' "
    if kind in ("blob", "list", "structure", "map") or shape.get("sensitive"):
        shown = ""
    rules = []
    if "enum" in shape:
        if value not in shape["enum"]:
            rules.append("satisfy enum value set: "
                         f"[{', '.join(shape['enum'])}]")
    elif kind in ("string", "blob", "list"):
        size = (len(base64.b64decode(value)) if kind == "blob"
                else len(value))
        if low is not None and size < low:
            rules.append(f"have length greater than or equal to {low}")
        if high is not None and size > high:
            rules.append(f"have length less than or equal to {high}")
        if "pattern" in shape and not re.compile(
                shape["pattern"], re.ASCII).fullmatch(value):
            rules.append("satisfy regular expression pattern: "
                         + shape["pattern"])
    elif kind == "integer":
        if low is not None and value < low:
            rules.append(f"have value greater than or equal to {low}")
        if high is not None and value > high:
            rules.append(f"have value less than or equal to {high}")
    return [f"Value {shown}at '{path}' failed to satisfy constraint: "
            f"Member must {rule}" for rule in rules]


def missing(path):
    return (f"Value null at '{path}' failed to satisfy constraint: "
            "Member must not be null")


def normal(message):
    """The sentences of a ValidationException, in no order: neither that of the
    sentences nor that of enumerators is specified."""
    match = re.fullmatch(r"(\d+) validation (errors?) detected: (.*)", message,
                         re.S)
    if not match:
        return message
    count, noun, text = match.groups()
    sentences = [
        re.sub(r"enum value set: \[(.*)\]",
               lambda found: str(sorted(found[1].split(", "))), sentence)
        for sentence in re.split(r"; (?=Value )", text)]
    return int(count), noun, sorted(sentences)


def validation_error(sentences):
    """The message that says these, normalised."""
    noun = "error" if len(sentences) == 1 else "errors"
    return normal(f"{len(sentences)} validation {noun} detected: "
                  + "; ".join(sentences))
