"""
Checks the vectors of the Starling protocol with an implementation of its own: python3 check_vectors.py test/vectors
Prints one line for each vector; exits with 1 when one does not match, or when a file is not checked at all.
"""
import json
import sys
from base64 import b64decode, urlsafe_b64encode
from pathlib import Path
from struct import pack

from starling import delta, ed25519, growth, header, rule, training
from starling.encoding import BLOCK, DAG_CBOR, RAW, Cid, Refused, blocks_of, decode, encode, from_base58
from starling.encoding import root_of, sha256, varint


def same(what, got, expected):
    if got != expected:
        raise AssertionError(f"{what}: expected {str(expected)[:200]}, got {str(got)[:200]}")


def refusal_of(work):
    try:
        work()
    except Refused as refused:
        return refused.args[0]
    return "accept"


def pattern(length):
    return (bytes(range(251)) * (length // 251 + 1))[:length]


def check_random(v):
    words, bounded = training.SeededRandom(v["seed"]), training.SeededRandom(v["seed"])
    same("words", [words.u32() for _ in v["words"]], v["words"])
    same("below", [bounded.below(n) for n in v["bounds"]], v["below"])


def check_root(v):
    for case in v["merkle"]:
        same(f"merkle of {case['bytes']}", root_of(pattern(case["bytes"])).hex(), case["root"])
    for case in v["settled"]:
        weights = bytes.fromhex(case["weights"])
        root = rule.settled_root(case["run"], case["phase"], case["round"], weights, case)
        same(f"settled {case['round']}", root.hex(), case["root"])
    for case in v["state"]:
        same(f"state of {case['parameters']}", training.empty_state(case["parameters"]).hex(), case["root"])


def check_manifest(v):
    block = encode(v["manifest"])
    same("block", block.hex(), v["block"])
    same("run", str(Cid.of(block, DAG_CBOR)), v["run"])
    same("decoded", decode(block), v["manifest"])


def check_record(v):
    linked = lambda shards: [{**shard, "cid": Cid.parse(shard["cid"])} for shard in shards]
    fields = {**v["fields"], "train": linked(v["fields"]["train"]), "heldOut": linked(v["fields"]["heldOut"])}
    signature = ed25519.sign(bytes.fromhex(v["secret"]), b"starling/1/data\n" + encode(fields))
    data = encode({**fields, "sig": signature})
    same("bytes", data.hex(), v["bytes"])
    same("cid", str(Cid.of(data, RAW)), v["cid"])
    author = from_base58(fields["author"])
    same("author", author[6:], ed25519.public_key(bytes.fromhex(v["secret"])))


def check_proposal(v):
    same("draft", encode(v["draft"]).hex(), v["block"])
    fields = {
        "v": 1, "run": Cid.parse(v["run"]), "author": v["author"], "until": v["until"], "manifest": bytes.fromhex(v["block"]),
    }
    secret = bytes.fromhex(v["secret"])
    signature = ed25519.sign(secret, b"starling/1/proposal\n" + encode(fields))
    data = encode({**fields, "sig": signature})
    same("bytes", data.hex(), v["bytes"])
    same("cid", str(Cid.of(data, RAW)), v["cid"])
    same("author", from_base58(v["author"])[6:], ed25519.public_key(secret))
    successor = encode({**v["draft"], "start": v["weights"]})
    same("successor", str(Cid.of(successor, DAG_CBOR)), v["successor"])


def check_presence(v):
    fields = {
        "v": 1, "run": Cid.parse(v["run"]), "peer": v["peer"], "phase": v["phase"], "round": v["round"],
        "contributors": v["contributors"], "nonce": bytes.fromhex(v["nonce"]),
    }
    secret = bytes.fromhex(v["secret"])
    signature = ed25519.sign(secret, b"starling/1/presence\n" + encode(fields))
    same("bytes", encode({**fields, "sig": signature}).hex(), v["bytes"])
    same("peer", from_base58(v["peer"])[6:], ed25519.public_key(secret))
    same("key", str(Cid.of(b"starling/1/runs", RAW)), v["key"])


def check_header(v):
    data, secret = bytes.fromhex(v["bytes"]), bytes.fromhex(v["secret"])
    parsed_id, parsed = header.parse(data)
    same("id", str(parsed_id), v["id"])
    same("fields", header.as_json(parsed), v["header"])
    same("signing bytes", header.signing_bytes(parsed).hex(), v["signingBytes"])
    same("public key", ed25519.public_key(secret), parsed["author"][6:])
    same("signature", ed25519.sign(secret, header.signing_bytes(parsed)), parsed["sig"])
    same("data", training.batch_seed(
        v["header"]["settled"]["root"], parsed["round"], v["header"]["author"]), v["header"]["work"]["data"])
    run, phase, number = v["header"]["run"], parsed["phase"], parsed["round"]
    root = v["header"]["settled"]["root"]  # of the contribution before, too: nothing has settled in these
    same("promise", sha256(header.lot_secret(secret, run, phase, number, root)), parsed["lot"]["next"])
    revealed = header.lot_secret(secret, run, phase, number - 1, root) if number > 0 else None
    same("reveal", parsed["lot"]["reveal"], revealed)


def check_refused_header(v):
    data = bytes(65_536) if v["code"] == "HEADER_TOO_LARGE" else bytes.fromhex(v["bytes"])
    same("code", refusal_of(lambda: header.parse(data)), v["code"])


def check_unsigned_header(v):
    data = bytes.fromhex(v["bytes"])
    same("code", refusal_of(lambda: header.parse(data)), "HEADER_SIGNATURE")
    decoded = decode(data)
    same("canonical", encode(decoded).hex(), v["bytes"])
    same("id", str(Cid.of(data, DAG_CBOR)), v["id"])
    same("fields", header.as_json(decoded), {**v["header"], "sig": v["sig"]})
    same("signing bytes", header.signing_bytes(decoded).hex(), v["signingBytes"])


def check_switch(v):
    rules = rule.Rule(v["run"], v["phase"], v["settleDepth"], v["weightWindow"], v["founders"])
    all_of = []
    for c in v["contributions"]:
        named = {"parents": [all_of[i] for i in c["parents"]], "evidence": []}
        all_of.append(rule.Contribution(rules, **{**c, **named}))
    for w in v["views"]:
        view = rule.View(rules, w["round"], [c for c in all_of if c.round == w["round"] - 1])
        carried = [rule.carried_at(view, proposal) for proposal in v["proposals"]]
        same(f"view of round {w['round']}, carried", carried, w["carried"])


def check_history(v):
    rules = rule.Rule(v["run"], v["phase"], v["settleDepth"], v["weightWindow"], v["founders"])
    all_of = []
    for c in v["contributions"]:
        named = {name: [all_of[i] for i in c[name]] for name in ("parents", "evidence")}
        all_of.append(rule.Contribution(rules, **{**c, **named}))
    for w in v["views"]:
        where = f"view of round {w['round']} from {w['parents']}"
        view = rule.View(rules, w["round"], [all_of[i] for i in w["parents"]])
        indices = lambda r: [all_of.index(c) for c in view.included(r)]
        same(f"{where}, included", [indices(r) for r in range(w["round"])], w["included"])
        anchor = view.anchor()
        same(f"{where}, anchor", None if anchor is None else all_of.index(anchor), w["anchor"])
        same(f"{where}, voters", view.voters(), w["voters"])
        same(f"{where}, settled", view.settled_round(), w["settledRound"])
        same(f"{where}, table", view.table(view.settled_round()), w["table"])
        same(f"{where}, tokens", view.included_tokens(), w["includedTokens"])


def check_lot(v):
    draw = (v["run"], v["phase"], v["round"])
    heaviest = max(c["weight"] for c in v["candidates"])
    for c in v["candidates"]:
        same("tickets", rule.tickets_of(c["weight"], heaviest), c["tickets"])
    same("lot", rule.lot(*draw, v["candidates"][0]["author"], 0), v["firstLot"])
    winner = min(v["candidates"], key=lambda c: rule.least_lot(*draw, c["author"], c["tickets"]))
    same("winner", winner["author"], v["winner"])


def check_fold(v):
    trained = [c for c in v["set"] if c["frame"] is not None]
    deltas = []
    for c in trained:
        integers, norm = delta.decode(b64decode(c["frame"]), v["lengths"], v["codec"])
        same("norm", norm, c["norm"])
        deltas.append(integers)
    factors = rule.factors([c["tokens"] for c in trained], [c["norm"] for c in trained], [c["weight"] for c in trained], v["outerRate"])
    same("factors", factors, [c["factor"] for c in trained])
    after = rule.fold(delta.integers(b64decode(v["before"])), zip(factors, deltas))
    same("after", after, delta.integers(b64decode(v["after"])))
    same("root", root_of(pack(f"<{len(after)}i", *after)).hex(), v["root"])


def check_delta(v):
    frame = b64decode(v["frame"])
    integers, norm = delta.decode(frame, v["lengths"], v["settings"])
    same("integers", integers, delta.integers(b64decode(v["decoded"])))
    same("norm", norm, v["norm"])


def check_refused_delta(v):
    work = lambda: delta.decode(b64decode(v["frame"]), v["lengths"], v["settings"])
    same("code", refusal_of(work), v["code"])


def check_body(v):
    body = pattern(v["bytes"])
    if v["blocks"] is None:
        return same("cid", str(Cid.of(body, RAW)), v["cid"])
    blocks = [Cid.of(block, RAW) for block in blocks_of(body)]
    same("blocks", [str(block) for block in blocks], v["blocks"])
    same("sizes", all(len(block) == BLOCK for block in blocks_of(body)[:-1]), True)
    node = encode({"bytes": len(body), "blocks": blocks})
    same("node", node.hex(), v["node"])
    return same("cid", str(Cid.of(node, DAG_CBOR)), v["cid"])


def check_weights(v):
    model, packed, heads = v["model"], b"", []
    listed = training.tensors(model)
    inits = {"normal": "normal", "scaled": "scaled-normal", "ones": "ones"}
    same("tensors", [{"name": n, "shape": s, "init": inits[k]} for n, s, k in listed], v["tensors"])
    for name, shape, kind in listed:
        weights = training.initial_tensor(model, v["seed"], name, shape, kind)
        heads.append(weights[:4])
        packed += pack(f"<{len(weights)}i", *weights)
    same("heads", heads, v["heads"])
    same("root", root_of(packed).hex(), v["root"])


def check_growth(v):
    small, packed, heads = v["from"], b"", []
    weights = {t[0]: training.initial_tensor(small, "1", *t) for t in training.tensors(small)}
    for grown in growth.grow(weights, small, v["to"], v["rule"], v["seed"]):
        heads.append(grown[:4])
        packed += pack(f"<{len(grown)}i", *grown)
    same("heads", heads, v["heads"])
    same("root", root_of(packed).hex(), v["root"])


def check_batch(v):
    same("seed", training.batch_seed(v["settled"], v["round"], v["author"]), v["seed"])
    sizes = (v["sequences"], v["contextLength"])
    shard = training.assigned_shard(v["seed"], v["step"], v["shards"], *sizes)
    same("shard", shard, v["shard"])
    same("offsets", training.batch_offsets(v["seed"], v["step"], v["shards"][shard], *sizes), v["offsets"])


def check_network(v):
    run, names = v["run"], v["names"]
    prefix = f"/starling/1/{run}/"
    same("names", names, {
        "contributions": f"{prefix}phase/0/contributions",
        "verdicts": f"{prefix}phase/0/verdicts",
        "presence": f"{prefix}presence",
        "blocks": "/starling/1/blocks",
        "have": "/starling/1/have",
        "sync": "/starling/1/sync",
        "kad": f"{prefix}kad/1.0.0",
        "ping": f"{prefix}ping/1.0.0",
        "mdns": f"_starling-{run[-32:]}._udp.local",
    })
    for m in v["messageIds"]:
        topic = m["topic"].encode()
        hashed = sha256(pack("<I", len(topic)) + topic + bytes.fromhex(m["data"]))
        same("message id", hashed[:20].hex(), m["id"])
    same("block request", bytes(Cid.parse(v["blocks"]["cid"])).hex(), v["blocks"]["message"])
    asked = b"".join(bytes(Cid.parse(cid)) for cid in v["have"]["cids"])
    same("have request", (bytes([v["have"]["takes"]]) + asked).hex(), v["have"]["message"])
    for m in [v["blocks"], v["have"], *v["sync"]]:
        message = bytes.fromhex(m["message"])
        same("frame", (varint(len(message)) + message).hex(), m["frame"])
    for m in v["sync"]:
        value = dict(m["value"])
        if "ids" in value:
            value["ids"] = [Cid.parse(text) for text in value["ids"]]
        if "headers" in value:
            value["headers"] = [bytes.fromhex(text) for text in value["headers"]]
        if "root" in value:
            value["root"] = bytes.fromhex(value["root"])
        if value.get("base") is not None:
            value["base"] = Cid.parse(value["base"])
        same(m["name"], encode(value).hex(), m["message"])
        same(m["name"], decode(bytes.fromhex(m["message"])), value)


def check_base(v):
    link = Cid.parse
    raw = decode(bytes.fromhex(v["bytes"]))
    same("record", encode(raw).hex(), v["bytes"])
    same("record's weights", str(raw["weights"]), v["weights"])
    work = [sha256(encode({"counted": w["counted"], "voided": w["voided"]})) for w in raw["accounts"]["work"]]
    table = {}
    for w in raw["accounts"]["work"][-v["weightWindow"]:]:
        for author, tokens in w["counted"].items():
            table[author] = table.get(author, 0) + tokens
        for author in w["voided"]:
            table.pop(author, None)
    root = sha256(encode({
        "run": v["run"],
        "phase": raw["phase"],
        "round": raw["round"],
        "weights": raw["weightsRoot"],
        "tokens": raw["accounts"]["tokens"],
        "table": table,
        "work": work,
    }))
    same("settled root", root.hex(), v["root"])
    address = encode({
        "run": link(v["run"]),
        "settled": {"phase": raw["phase"], "round": raw["round"], "root": root},
        "peers": v["peers"],
    })
    text = urlsafe_b64encode(address + sha256(address)[:4]).decode().rstrip("=")
    same("address", f"starling1{text}", v["address"])


CHECKS = {
    "protocol/base.json": check_base,
    "codec/accepted.json": check_delta,
    "codec/refused.json": check_refused_delta,
    "consensus/header.json": check_unsigned_header,
    "protocol/batch.json": check_batch,
    "protocol/body.json": check_body,
    "protocol/fold.json": check_fold,
    "protocol/growth.json": check_growth,
    "protocol/header.json": check_header,
    "protocol/history.json": check_history,
    "protocol/lot.json": check_lot,
    "protocol/manifest.json": check_manifest,
    "protocol/network.json": check_network,
    "protocol/presence.json": check_presence,
    "protocol/switch.json": check_switch,
    "protocol/proposal.json": check_proposal,
    "protocol/random.json": check_random,
    "protocol/record.json": check_record,
    "protocol/refused-header.json": check_refused_header,
    "protocol/root.json": check_root,
    "protocol/weights.json": check_weights,
}


def main(folder):
    failed = 0
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.json"))
    for name in sorted({*files, *CHECKS}):
        if name not in CHECKS or name not in files:
            print(f"FAIL {name}: {'no check' if name in files else 'no such file'}")
            failed += 1
            continue
        content = json.loads((folder / name).read_text("utf-8"))
        for i, vector in enumerate(content if isinstance(content, list) else [content]):
            label = f"{name} {i} {vector.get('name', '')}".rstrip()
            try:
                CHECKS[name](vector)
                print(f"ok   {label}")
            except Exception as error:  # Whatever goes wrong is a vector that does not match.
                print(f"FAIL {label}: {type(error).__name__}: {error}")
                failed += 1
    print("all vectors match" if failed == 0 else f"{failed} do not match")
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python3 check_vectors.py test/vectors")
    sys.exit(main(Path(sys.argv[1])))
