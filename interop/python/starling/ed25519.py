"""Ed25519 (RFC 8032), to sign and verify a few vectors: slow and not safe against timing."""
import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)
NEUTRAL = (0, 1, 1, 0)  # x, y, z, t: extended coordinates, x = X/Z, y = Y/Z, xy = T/Z


def _add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(number, point):
    product = NEUTRAL
    while number > 0:
        if number & 1:
            product = _add(product, point)
        point, number = _add(point, point), number >> 1
    return product


def _compress(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _decompress(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P != 0:
        x = x * ROOT_OF_MINUS_1 % P
    if y >= P or (x * x - square) % P != 0 or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = _decompress((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def _hash(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % L


def _expand(secret):
    digest = hashlib.sha512(secret).digest()
    scalar = int.from_bytes(digest[:32], "little") & (1 << 254) - 8 | 1 << 254
    return scalar, digest[32:]


def public_key(secret):
    return _compress(_times(_expand(secret)[0], BASE))


def sign(secret, message):
    scalar, prefix = _expand(secret)
    key = _compress(_times(scalar, BASE))
    r = _hash(prefix, message)
    commitment = _compress(_times(r, BASE))
    return commitment + ((r + _hash(commitment, key, message) * scalar) % L).to_bytes(32, "little")


def _has_small_order(point):
    return _compress(_times(8, point)) == _compress(NEUTRAL)


def verify(key, message, signature):
    point, s = _decompress(key), int.from_bytes(signature[32:], "little")
    commitment = _decompress(signature[:32])
    if point is None or commitment is None or s >= L:
        return False
    if _has_small_order(point) or _has_small_order(commitment):
        return False
    minus = (P - point[0], point[1], 1, P - point[3])
    h = _hash(signature[:32], key, message)
    return _compress(_add(_times(s, BASE), _times(h, minus))) == signature[:32]
