"""transformers' side of bench:serve: generate.py FOLDER THREADS. A line `{"prompt": [...], "tokens": n}` in, one with
`{"seconds": s, "tokens": [...], "version": v}` out, as its documentation says to generate: greedy, with its default cache."""
import json
import sys
import time

import torch
import transformers

folder, threads = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(threads)
transformers.logging.set_verbosity_error()
model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()

for line in sys.stdin:
    asked = json.loads(line)
    ids = torch.tensor([asked["prompt"]])
    started = time.perf_counter()
    with torch.inference_mode():
        out = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            temperature=None,
            min_new_tokens=asked["tokens"],
            max_new_tokens=asked["tokens"],
            eos_token_id=None,
            pad_token_id=0,
        )
    seconds = time.perf_counter() - started
    version = f"transformers {transformers.__version__}, torch {torch.__version__}"
    print(json.dumps({"seconds": seconds, "tokens": out[0, len(asked["prompt"]) :].tolist(), "version": version}), flush=True)
