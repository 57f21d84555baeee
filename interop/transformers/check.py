"""An export is what Hugging Face transformers takes it for: same tokens, same logits, same text.

make-cases.ts wrote each folder and what Starling computes with it. Usage: python3 check.py FOLDER
"""
import json
import pathlib
import sys

import torch
import transformers

# The requirement's bound; both compute in float32.
LOGITS_APART_MAX = 1e-4


def check(folder):
    model, report = transformers.AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    model.eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    assert isinstance(model, transformers.LlamaForCausalLM), type(model)
    assert not report["missing_keys"] and not report["unexpected_keys"], report
    apart = 0.0
    for case in json.loads((folder / "cases.json").read_text("utf-8")):
        tokens = tokenizer(case["text"], add_special_tokens=False)["input_ids"]
        assert tokens == case["tokens"], f"tokens of {case['text']!r}: {tokens} instead of {case['tokens']}"
        assert tokenizer.decode(tokens) == case["text"], tokenizer.decode(tokens)
        ids = torch.tensor([tokens])
        with torch.no_grad():
            logits = model(ids).logits[0]
            written = model.generate(
                ids, attention_mask=torch.ones_like(ids), do_sample=False, temperature=None, top_p=None,
                max_new_tokens=8, eos_token_id=None, pad_token_id=0)
        apart = max(apart, (logits - torch.tensor(case["logits"])).abs().max().item())
        assert written[0, len(tokens):].tolist() == case["greedy"], f"greedy text after {case['text']!r}"
    assert apart < LOGITS_APART_MAX, f"logits differ by {apart}"
    parameters = sum(p.numel() for p in model.parameters())
    print(f"ok   {folder.name}: {parameters} parameters, logits at most {apart:.1e} apart")


def main(folder):
    print(f"transformers {transformers.__version__}, torch {torch.__version__}")
    folders = sorted(path.parent for path in folder.glob("*/cases.json"))
    failed = 0
    for each in folders:
        try:
            check(each)
        except Exception as error:  # Whatever goes wrong is an export that does not fit.
            print(f"FAIL {each.name}: {type(error).__name__}: {error}")
            failed += 1
    print(f"{len(folders) - failed} passed, {failed} failed")
    return 1 if failed or not folders else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python3 check.py FOLDER")
    sys.exit(main(pathlib.Path(sys.argv[1])))
