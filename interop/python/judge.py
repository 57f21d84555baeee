"""
Verdicts on any bytes, to be compared with another implementation's: one JSON a line in, one line out.
{"header": hex}                                             -> its code, or accept and its id
{"frame": base64, "lengths": [..], "settings": {..}}        -> its code, or accept, norm and sha256 of the int32
"""
import json
import sys
from base64 import b64decode
from struct import pack

from starling import delta, header
from starling.encoding import Refused, sha256


def judged(case):
    try:
        if "header" in case:
            return f"accept {header.parse(bytes.fromhex(case['header']))[0]}"
        integers, norm = delta.decode(b64decode(case["frame"]), case["lengths"], case["settings"])
        return f"accept {norm} {sha256(pack(f'<{len(integers)}i', *integers)).hex()}"
    except Refused as refused:
        return refused.args[0]


for line in sys.stdin:
    print(judged(json.loads(line)))
