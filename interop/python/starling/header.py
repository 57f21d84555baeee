"""Headers of contributions (protocol.md, section 3)."""
from . import ed25519
from .encoding import Cid, DAG_CBOR, Refused, base58, decode, encode, sha256

DOMAIN = b"starling/1/contribution\n"
PEER_ID_PREFIX = bytes([0x00, 0x24, 0x08, 0x01, 0x12, 0x20])


def _int(least, most):
    return lambda v: isinstance(v, int) and not isinstance(v, bool) and least <= v <= most


def _bytes(length):
    return lambda v: isinstance(v, bytes) and not isinstance(v, Cid) and len(v) == length


def _or_null(check):
    return lambda v: v is None or check(v)


def _link(v):
    try:
        return isinstance(v, Cid) and bool(v.checked())
    except ValueError:
        return False


def _links(most):
    def check(v):
        if not isinstance(v, list) or len(v) > most or not all(map(_link, v)):
            return False
        texts = [str(link) for link in v]
        return texts == sorted(set(texts))

    return check


def _loss(v):
    return isinstance(v, (int, float)) and not isinstance(v, bool) and 0 <= v <= 1e6


def _engine(v):
    return isinstance(v, str) and len(v) <= 64 and all(" " <= c <= "~" for c in v)


def _author(v):
    return _bytes(38)(v) and v[:6] == PEER_ID_PREFIX


FIELDS = {
    "v": _int(1, 1),
    "run": _link,
    "phase": _int(0, 6),
    "round": _int(0, 2**31 - 1),
    "author": _author,
    "parents": _links(1024),
    "settled": {"round": _int(0, 2**31 - 1), "root": _bytes(32)},
    "start": _bytes(32),
    "delta": {"cid": _link, "bytes": _int(1, 2**40), "norm": _int(0, 2**53 - 1)},
    "work": {
        "steps": _int(0, 2**31),
        "tokens": _int(0, 2**53 - 1),
        "lossFirst": _or_null(_loss),
        "lossLast": _or_null(_loss),
        "data": _bytes(32),
        "stateBefore": _bytes(32),
        "stateAfter": _bytes(32),
        "engine": _engine,
    },
    "evidence": _links(16),
    "supports": _or_null(_link),
    "lot": {"reveal": _or_null(_bytes(32)), "next": _bytes(32)},
    "sig": _bytes(64),
}


def _fits(value, shape):
    if callable(shape):
        return shape(value)
    return isinstance(value, dict) and value.keys() == shape.keys() and all(
        _fits(value[key], shape[key]) for key in shape
    )


def parse(data):
    """The id and the fields; raises Refused with the code of the verdict."""
    if len(data) > 65_535:
        raise Refused("HEADER_TOO_LARGE")
    try:
        header = decode(data)
    except ValueError as error:
        raise Refused("HEADER_MALFORMED") from error
    fields = FIELDS
    if isinstance(header, dict) and header.get("delta") is None:
        fields = {**FIELDS, "delta": lambda v: v is None}
    if not _fits(header, fields):
        raise Refused("HEADER_MALFORMED")
    if (header["round"] == 0) != (header["parents"] == []):
        raise Refused("HEADER_MALFORMED")
    if (header["delta"] is None) != (header["work"]["steps"] == 0):
        raise Refused("HEADER_MALFORMED")
    if encode(header) != data:
        raise Refused("HEADER_NOT_CANONICAL")
    if not ed25519.verify(header["author"][6:], signing_bytes(header), header["sig"]):
        raise Refused("HEADER_SIGNATURE")
    return Cid.of(data, DAG_CBOR), header


def signing_bytes(header):
    return DOMAIN + encode({key: value for key, value in header.items() if key != "sig"})


def lot_secret(secret, run, phase, round_number, settled_root):
    name = f"starling/1/lot\n{run}/{phase}/{round_number}/{settled_root}".encode()
    return sha256(ed25519.sign(secret, name))


def as_json(value):
    """As the vectors write it: bytes in hex, links and the author as text."""
    if isinstance(value, Cid):
        return str(value)
    if isinstance(value, bytes):
        return base58(value) if _author(value) else value.hex()
    if isinstance(value, list):
        return [as_json(item) for item in value]
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    return value
