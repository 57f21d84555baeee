"""Seeded random, tensors, initial weights, batches, state digests (protocol.md, sections 1 and 11)."""
from math import floor, sqrt
from struct import unpack

from .encoding import root_of, sha256
from .rule import round_half_to_even

MASK = 2**32 - 1


def _rotl(x, bits):
    return (x << bits | x >> (32 - bits)) & MASK


class SeededRandom:
    def __init__(self, seed):
        self.s = list(unpack("<4I", sha256(seed.encode())[:16]))
        if not any(self.s):
            self.s[0] = 1

    def u32(self):
        s = self.s
        result = _rotl(s[1] * 5 & MASK, 7) * 9 & MASK
        t = s[1] << 9 & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = _rotl(s[3], 11)
        return result

    def below(self, n):
        limit = 2**32 - 2**32 % n
        x = self.u32()
        while x >= limit:
            x = self.u32()
        return x % n


def tensors(model):
    """Name, shape and kind of initial values of each, in order."""
    d, f, v = model["hiddenSize"], model["intermediateSize"], model["vocabSize"]
    kv = model["kvHeadsCount"] * d // model["headsCount"]
    layer = [
        ("input_layernorm.weight", [d], "ones"),
        ("self_attn.q_proj.weight", [d, d], "normal"),
        ("self_attn.k_proj.weight", [kv, d], "normal"),
        ("self_attn.v_proj.weight", [kv, d], "normal"),
        ("self_attn.o_proj.weight", [d, d], "scaled"),
        ("post_attention_layernorm.weight", [d], "ones"),
        ("mlp.gate_proj.weight", [f, d], "normal"),
        ("mlp.up_proj.weight", [f, d], "normal"),
        ("mlp.down_proj.weight", [d, f], "scaled"),
    ]
    listed = [("model.embed_tokens.weight", [v, d], "normal")]
    for i in range(model["layersCount"]):
        listed += [(f"model.layers.{i}.{name}", shape, kind) for name, shape, kind in layer]
    listed.append(("model.norm.weight", [d], "ones"))
    return listed if model["tiedHead"] else [*listed, ("lm_head.weight", [v, d], "normal")]


def length_of(shape):
    return shape[0] * (shape[1] if len(shape) > 1 else 1)


def initial_tensor(model, seed, name, shape, kind):
    length = length_of(shape)
    if kind == "ones":
        return [2**24] * length
    std = 0.02 if kind == "normal" else 0.02 / sqrt(2 * model["layersCount"])
    factor = round(std * 2**24)
    random, weights = SeededRandom(f"{seed}/{name}"), []
    for _ in range(length):
        words = [random.u32() for _ in range(6)]
        total = sum(x % 2**16 + (x >> 16) for x in words) - 393_210
        weights.append(round_half_to_even(total * factor, 2**16))
    return weights


def batch_seed(settled_root, round_number, author):
    return sha256(f"{settled_root}/{round_number}/{author}".encode()).hex()


def assigned_shard(seed, step, shards, sequences, context_length):
    """Which shard, of those with so many tokens each, a step reads."""
    windows = [max(0, tokens - context_length) for tokens in shards]
    draws = step * sequences * context_length // max(shards)
    random = SeededRandom(f"{seed}/shards")
    for _ in range(draws + 1):
        drawn = random.below(len(shards))
        while random.below(max(windows)) >= windows[drawn]:
            drawn = random.below(len(shards))
    return drawn


def batch_offsets(seed, step, train, sequences, context_length):
    random = SeededRandom(f"{seed}/{step}")
    return [random.below(train - context_length) for _ in range(sequences)]


def empty_state(parameters):
    zeros, steps = root_of(bytes(4 * parameters)).hex(), root_of(b"0").hex()
    lines = [f"moment1 {zeros}", f"moment2 {zeros}", f"residual {zeros}", f"steps {steps}"]
    return sha256("\n".join(lines).encode())
