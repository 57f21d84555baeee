"""Frames of deltas to integers (protocol.md, section 9)."""
from math import isqrt
from struct import pack, unpack

from .encoding import Refused, sha256

CHUNK = 4096
MAGNITUDES = 24 * 128


def magnitude(code):
    return code if code < 128 else (128 + code % 128) << (code // 128 - 1)


def rice_parameter(length, kept):
    p = 0
    while 13 * (2 * length - kept) > 54 * kept * 2**p:
        p += 1
    return p


def chunks_of(lengths):
    return [min(CHUNK, length - at) for length in lengths for at in range(0, length, CHUNK)]


def kept_of(length, settings):
    return -(-settings["keepPerChunk"] * length // CHUNK)


def bytes_max(lengths, settings):
    total = 28
    for length in chunks_of(lengths):
        kept = kept_of(length, settings)
        total += 3 + -(-kept * settings["valueBits"] // 8)
        if kept < length:
            p = rice_parameter(length, kept)
            total += -(-(kept * (p + 1) + ((length - kept) >> p)) // 8)
    return total


def head_of(lengths, settings):
    head = b"SDLT" + pack("<BBHQ", 1, settings["valueBits"], settings["keepPerChunk"], sum(lengths))
    return head + sha256(b"".join(pack("<Q", length) for length in lengths))[:8]


def decode(frame, lengths, settings):
    """The integers and their norm; raises Refused."""
    chunks = chunks_of(lengths)
    if not 28 + 3 * len(chunks) <= len(frame) <= bytes_max(lengths, settings):
        raise Refused("DELTA_SIZE")
    head = head_of(lengths, settings)
    for end, code in ((4, "MAGIC"), (5, "VERSION"), (8, "SETTINGS"), (24, "LAYOUT")):
        if frame[:end] != head[:end]:
            raise Refused("DELTA_" + code)
    body, checksum = frame[:-4], frame[-4:]
    if sha256(body)[:4] != checksum:
        raise Refused("DELTA_CHECKSUM")
    values, at = [], 24
    for length in chunks:
        chunk, at = _chunk(body, at, length, settings)
        values += chunk
    if at != len(body):
        raise Refused("DELTA_SIZE")
    return values, isqrt(sum(value * value for value in values))


def _chunk(body, at, length, settings):
    if at + 3 > len(body):
        raise Refused("DELTA_TRUNCATED")
    word = int.from_bytes(body[at : at + 3], "little")
    at += 3
    chunk = [0] * length
    if word == 0:
        return chunk, at
    lo, hi = word >> 12, word & 4095
    if lo > hi or hi >= MAGNITUDES:
        raise Refused("DELTA_MAGNITUDE")
    kept, bits = kept_of(length, settings), settings["valueBits"]
    codes, at = _codes(body, at, kept, bits)
    indices, at = (range(length), at) if kept == length else _indices(body, at, kept, length)
    n = 2 ** (bits - 1)
    lo, hi = magnitude(lo), magnitude(hi)
    levels = [lo + (2 * (hi - lo) * j + n - 1) // (2 * (n - 1)) for j in range(n)]
    for index, code in zip(indices, codes):
        s, j = divmod(code, n)
        if (j > 0 and levels[j] == levels[j - 1]) or (s == 1 and levels[j] == 0):
            raise Refused("DELTA_CODE")
        chunk[index] = -levels[j] if s else levels[j]
    return chunk, at


def _codes(body, at, kept, bits):
    size = -(-kept * bits // 8)
    if at + size > len(body):
        raise Refused("DELTA_TRUNCATED")
    packed = int.from_bytes(body[at : at + size], "little")
    if packed >> (kept * bits):
        raise Refused("DELTA_PADDING")
    return [packed >> (i * bits) & 2**bits - 1 for i in range(kept)], at + size


def _indices(body, at, kept, length):
    p, position, index, indices = rice_parameter(length, kept), 8 * at, -1, []

    def bit():
        nonlocal position
        if position >= 8 * len(body):
            raise Refused("DELTA_TRUNCATED")
        value = body[position >> 3] >> (position & 7) & 1
        position += 1
        return value

    for _ in range(kept):
        gap = 0
        while bit() == 0:
            gap += 1
            if gap << p >= length:
                raise Refused("DELTA_INDEX")
        gap = (gap << p) + sum(bit() << i for i in range(p))
        index += 1 + gap
        if index >= length:
            raise Refused("DELTA_INDEX")
        indices.append(index)
    while position & 7:
        if bit():
            raise Refused("DELTA_PADDING")
    return indices, position >> 3


def integers(data):
    """Little-endian int32."""
    return list(unpack(f"<{len(data) // 4}i", data))
