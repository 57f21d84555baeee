"""CIDs, peer ids, DAG-CBOR and hashes (protocol.md, section 1)."""
import base64
import hashlib
import struct

RAW, DAG_CBOR = 0x55, 0x71
BLOCK = 2**20
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class Refused(Exception):
    """A verdict: its code is the first argument."""


class Cid(bytes):
    """The 36 bytes of a CID."""

    @staticmethod
    def of(data, codec):
        return Cid(bytes([1, codec, 0x12, 0x20]) + sha256(data))

    @staticmethod
    def parse(text):
        if text[0] != "b":
            raise ValueError("expected base32")
        padding = "=" * (-len(text[1:]) % 8)
        return Cid(base64.b32decode(text[1:].upper() + padding)).checked()

    def checked(self):
        if len(self) != 36 or self[0] != 1 or self[1] not in (RAW, DAG_CBOR) or self[2:4] != b"\x12\x20":
            raise ValueError("expected a CIDv1 with sha2-256")
        return self

    @property
    def codec(self):
        return self[1]

    def __str__(self):
        return "b" + base64.b32encode(self).decode().lower().rstrip("=")


def sha256(data):
    return hashlib.sha256(data).digest()


def base58(data):
    number, text = int.from_bytes(data, "big"), ""
    while number > 0:
        number, digit = divmod(number, 58)
        text = BASE58[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def from_base58(text):
    number = 0
    for character in text:
        number = number * 58 + BASE58.index(character)
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


def merkle_root(leaves):
    if not leaves:
        return sha256(b"")
    while len(leaves) > 1:
        pairs = [leaves[i : i + 2] for i in range(0, len(leaves), 2)]
        leaves = [sha256(b"\1" + pair[0] + pair[1]) if len(pair) == 2 else pair[0] for pair in pairs]
    return leaves[0]


def blocks_of(data):
    return [data[at : at + BLOCK] for at in range(0, len(data), BLOCK)]


def root_of(data):
    return merkle_root([sha256(block) for block in blocks_of(data)])


def varint(number):
    out = b""
    while number >= 128:
        out += bytes([number % 128 + 128])
        number //= 128
    return out + bytes([number])


# DAG-CBOR. Values: None, bool, int, float, bytes, str, list, dict, Cid.


def encode(value):
    if value is None:
        return b"\xf6"
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, float) and value != int(value):
        return b"\xfb" + struct.pack(">d", value)
    if isinstance(value, (int, float)):
        number = int(value)
        return _head(0, number) if number >= 0 else _head(1, -1 - number)
    if isinstance(value, Cid):
        return b"\xd8\x2a" + encode(b"\0" + bytes(value))
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        text = value.encode()
        return _head(3, len(text)) + text
    if isinstance(value, list):
        return _head(4, len(value)) + b"".join(map(encode, value))
    keys = sorted((key.encode() for key in value), key=lambda key: (len(key), key))
    return _head(5, len(keys)) + b"".join(encode(key.decode()) + encode(value[key.decode()]) for key in keys)


def _head(major, number):
    if number < 24:
        return bytes([major << 5 | number])
    for extra, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 256**size:
            return bytes([major << 5 | extra]) + number.to_bytes(size, "big")
    raise ValueError("expected an integer below 2^64")


def decode(data):
    """One value; raises ValueError for anything else. The caller compares `encode` of it, for there is one encoding."""
    try:
        value, end = _value(data, 0)
    except (IndexError, struct.error, RecursionError) as error:
        raise ValueError("expected DAG-CBOR") from error
    if end != len(data):
        raise ValueError("expected the end after the value")
    return value


def _value(data, at):
    major, info, at = data[at] >> 5, data[at] & 31, at + 1
    if major == 7:
        if info == 27:
            return struct.unpack(">d", data[at : at + 8])[0], at + 8
        return {20: False, 21: True, 22: None}[info] if info in (20, 21, 22) else _fail(), at
    size = {24: 1, 25: 2, 26: 4, 27: 8}.get(info, 0 if info < 24 else -1)
    if size < 0 or at + size > len(data):
        _fail()
    number = int.from_bytes(data[at : at + size], "big") if size else info
    at += size
    if major == 0:
        return number, at
    if major == 1:
        return -1 - number, at
    if major in (2, 3):
        if at + number > len(data):
            _fail()
        part = data[at : at + number]
        return (part if major == 2 else part.decode()), at + number
    if major == 4:
        items = []
        for _ in range(number):
            item, at = _value(data, at)
            items.append(item)
        return items, at
    if major == 5:
        pairs = {}
        for _ in range(number):
            key, at = _value(data, at)
            if not isinstance(key, str) or key in pairs:
                _fail()
            pairs[key], at = _value(data, at)
        return pairs, at
    link, at = _value(data, at)
    if number != 42 or not isinstance(link, bytes) or link[:1] != b"\0":
        _fail()
    return Cid(link[1:]), at


def _fail():
    raise ValueError("expected DAG-CBOR")
