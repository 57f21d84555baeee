"""PyTorch's side of bench:train: the same Llama, AdamW and clipping. train.py FOLDER MODE THREADS; protocol in ../train/side.ts.

Written as one would for speed on a CPU: fused attention, one matrix each for q, k, v and for gate, up; fused AdamW.
"""
import json
import os
import resource
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

folder, mode, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
torch.set_num_threads(threads)
torch.set_float32_matmul_precision("highest")
with open(os.path.join(folder, "case.json"), encoding="utf8") as file:
    case = json.load(file)
c, B, tensors, o = case["model"], case["sequences"], case["tensors"], case["optimizer"]
T, D, H, K, V = c["contextLength"], c["hiddenSize"], c["headsCount"], c["kvHeadsCount"], c["vocabSize"]
size = D // H

flat = np.fromfile(os.path.join(folder, "weights.f32"), dtype=np.float32)
tokens = torch.from_numpy(np.fromfile(os.path.join(folder, "tokens.i32"), dtype=np.int32).astype(np.int64))
tokens = tokens.view(-1, B, T + 1)

weights, at = {}, 0
for spec in tensors:
    count = int(np.prod(spec["shape"]))
    weights[spec["name"]] = torch.from_numpy(flat[at : at + count].reshape(spec["shape"]).copy())
    at += count
del flat


class Layer(torch.nn.Module):
    def __init__(self, i):
        super().__init__()
        own = lambda *names: torch.nn.Parameter(torch.cat([weights.pop(f"model.layers.{i}.{n}.weight") for n in names]))
        self.norm1 = own("input_layernorm")
        self.qkv = own("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
        self.out = own("self_attn.o_proj")
        self.norm2 = own("post_attention_layernorm")
        self.gate_up = own("mlp.gate_proj", "mlp.up_proj")
        self.down = own("mlp.down_proj")

    def forward(self, x, cos, sin):
        h = F.rms_norm(x, (D,), self.norm1, c["normEpsilon"])
        q, k, v = F.linear(h, self.qkv).split([D, K * size, K * size], dim=-1)
        q = rotate(q.view(B, T, H, size).transpose(1, 2), cos, sin)
        k = rotate(k.view(B, T, K, size).transpose(1, 2), cos, sin)
        v = v.view(B, T, K, size).transpose(1, 2)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=K != H)
        x = x + F.linear(mixed.transpose(1, 2).reshape(B, T, D), self.out)
        gate, up = F.linear(F.rms_norm(x, (D,), self.norm2, c["normEpsilon"]), self.gate_up).chunk(2, dim=-1)
        return x + F.linear(F.silu(gate) * up, self.down)


def rotate(x, cos, sin):
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


class Llama(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Parameter(weights.pop("model.embed_tokens.weight"))
        self.layers = torch.nn.ModuleList(Layer(i) for i in range(c["layersCount"]))
        self.norm = torch.nn.Parameter(weights.pop("model.norm.weight"))
        angles = torch.outer(torch.arange(T), c["ropeTheta"] ** (-torch.arange(0, size, 2) / size))
        self.register_buffer("cos", angles.cos().float())
        self.register_buffer("sin", angles.sin().float())

    def forward(self, inputs, targets):
        x = F.embedding(inputs, self.embed)
        for layer in self.layers:
            x = layer(x, self.cos, self.sin)
        logits = F.linear(F.rms_norm(x, (D,), self.norm, c["normEpsilon"]), self.embed)
        return F.cross_entropy(logits.view(B * T, V), targets.reshape(B * T))


model = Llama()
assert not weights, f"left over: {list(weights)}"
matrices = [p for p in model.parameters() if p.dim() > 1]
vectors = [p for p in model.parameters() if p.dim() == 1]
optimizer = torch.optim.AdamW(
    [{"params": matrices, "weight_decay": o["weightDecay"]}, {"params": vectors, "weight_decay": 0.0}],
    lr=o["lrMax"],
    betas=(o["beta1"], o["beta2"]),
    eps=o["epsilon"],
    fused=True,
)
forward = torch.compile(model) if mode == "compile" else model


def train(step):
    batch = tokens[step % len(tokens)]
    loss = forward(batch[:, :-1], batch[:, 1:])
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), o["gradientNormMax"])
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return loss.item()


step = 0
for line in sys.stdin:
    losses, step_ms = [], []
    for _ in range(json.loads(line)["steps"]):
        started = time.perf_counter()
        losses.append(train(step))
        step_ms.append(1000 * (time.perf_counter() - started))
        step += 1
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = {"losses": losses, "stepMs": step_ms, "memoryPeakBytes": peak, "version": torch.__version__}
    print(json.dumps(answer), flush=True)
