"""Makes a directory with a small GPT-2 of random weights, and a tokenizer trained on a text and on the tasks of
Examples/instructions: something to pretrain and fine-tune where no model can be downloaded.

./.python Examples/gpt2/make.py $(scripts/huggingface) TEXT FOLDER
"""

import json
import sys
from pathlib import Path

sys.path.append(sys.argv[1])
import torch
from tokenizers import ByteLevelBPETokenizer
from transformers import GPT2Config, GPT2LMHeadModel

text, folder = Path(sys.argv[2]), Path(sys.argv[3])
folder.mkdir(parents=True)
tasks = Path(__file__).parent.parent / "instructions" / "tasks.jsonl"
lines = [json.loads(line) for line in tasks.read_text().splitlines()]
headings = [f"### Instruction:\n{line['instruction']}\n\n### Input:\n\n\n### Response:\n" for line in lines]
trainer = ByteLevelBPETokenizer()
trainer.train_from_iterator(
    [text.read_text()] + headings, vocab_size=512, min_frequency=2, special_tokens=["<|endoftext|>"],
    show_progress=False)
trainer.save(str(folder / "tokenizer.json"))
torch.manual_seed(1)
config = GPT2Config(
    vocab_size=512, n_positions=128, n_embd=128, n_layer=4, n_head=4, bos_token_id=0, eos_token_id=0,
    resid_pdrop=0, embd_pdrop=0, attn_pdrop=0)
model = GPT2LMHeadModel(config)
model.save_pretrained(folder)
print(f"{folder}: {sum(p.numel() for p in model.parameters()):,} weights, {config.vocab_size} tokens")
