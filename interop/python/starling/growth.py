"""The start of a phase from the end of the one before (protocol.md, section 11, growth)."""
import re
from math import floor, sqrt

from . import training


def sources(small, large):
    """For each index of an axis of the larger model, the index that it is a copy of."""
    size = small["hiddenSize"] // small["headsCount"]
    keys, group = small["kvHeadsCount"], small["headsCount"] // small["kvHeadsCount"]
    group_large = large["headsCount"] // large["kvHeadsCount"]

    def query_head(head):
        key_head, member = divmod(head, group_large)
        return key_head % keys * group + (key_head // keys * group_large + member) % group

    per_head = lambda heads, source: [source(h) * size + i for h in range(heads) for i in range(size)]
    return {
        "V": list(range(large["vocabSize"])),
        "D": [i % small["hiddenSize"] for i in range(large["hiddenSize"])],
        "F": [i % small["intermediateSize"] for i in range(large["intermediateSize"])],
        "Q": per_head(large["headsCount"], query_head),
        "K": per_head(large["kvHeadsCount"], lambda head: head % keys),
    }


AXES = {
    "embed_tokens": "VD", "lm_head": "VD", "q_proj": "QD", "k_proj": "KD", "v_proj": "KD", "o_proj": "DQ",
    "gate_proj": "FD", "up_proj": "FD", "down_proj": "DF",
}


def origin_of(name, small, large, rule):
    """The tensor that one of the larger model grows from; None: zeros."""
    found = re.fullmatch(r"model\.layers\.(\d+)\.(.*)", name)
    if found is None:
        return name
    layer, role = int(found[1]), found[2]
    if rule["depth"] == "stack":
        return f"model.layers.{layer % small['layersCount']}.{role}"
    source = lambda i: i * small["layersCount"] // large["layersCount"]
    is_new = layer > 0 and source(layer - 1) == source(layer)
    if is_new and role in ("self_attn.o_proj.weight", "mlp.down_proj.weight"):
        return None
    return f"model.layers.{source(layer)}.{role}"


def divided(x, by):
    """Towards zero."""
    return x // by if x >= 0 else -(-x // by)


def parts_of(value, count, noise, random):
    if count == 1:
        return [value]
    draws = [divided(noise * ((random.u32() >> 16) - 32_768), 32_768) for _ in range(count)]
    parts = [divided(value, count) + draws[c] - draws[c + 1] for c in range(count - 1)]
    return [*parts, value - sum(parts)]


def grow_tensor(old, rows, columns, is_split, random):
    width = max(columns) + 1
    copies = [[at for at, source in enumerate(columns) if source == i] for i in range(width)]
    noise, grown = floor(2**24 / sqrt(len(columns))), []
    for source in rows:
        line = [0] * len(columns)
        for i, places in enumerate(copies):
            value = old[source * width + i]
            parts = parts_of(value, len(places), noise, random) if is_split else [value] * len(places)
            for place, part in zip(places, parts):
                line[place] = part
        grown += line
    return grown


def grow(weights, small, large, rule, seed):
    """weights: name -> integers of the smaller model; yields the larger one's tensors in order."""
    axes = sources(small, large)
    for name, shape, _ in training.tensors(large):
        origin = origin_of(name, small, large, rule)
        if origin is None:
            yield [0] * training.length_of(shape)
            continue
        role = name.split(".")[-2]
        rows, columns = [axes[axis] for axis in AXES[role]] if role in AXES else ([0], axes["D"])
        is_split = large["tiedHead"] if role == "norm" else role in AXES and role != "embed_tokens"
        random = training.SeededRandom(f"{seed}/{name}")
        yield grow_tensor(weights[origin], rows, columns, is_split, random)
