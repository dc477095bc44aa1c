"""Makes tasks.jsonl and tokenizer.json: small tasks on made-up words, and a byte-level tokenizer trained on them.

./.python Examples/instructions/make.py $(scripts/huggingface)
"""

import json
import random
import sys
from pathlib import Path

sys.path.append(sys.argv[1])
from tokenizers import ByteLevelBPETokenizer, Tokenizer

folder = Path(__file__).parent
draw = random.Random(1)
onsets = "b d f g h k l m n p r s t v w z bl dr fl gr kl pr st tr".split()
vowels = "a e i o u".split()
ends = ["", "", "n", "l", "s", "t", "m"]


def word():
    return "".join(draw.choice(onsets) + draw.choice(vowels) + draw.choice(ends) for _ in range(2))


tasks = {
    "Say the word twice.": lambda w: f"{w} {w}",
    "Write the word in capitals.": lambda w: w.upper(),
    "Spell the word.": lambda w: "-".join(w),
    "Which letter comes first?": lambda w: w[0],
    "Which letter comes last?": lambda w: w[-1],
    "How many letters has the word?": lambda w: str(len(w)),
}
lines, seen = [], set()
while len(lines) < 1500:
    task, made = draw.choice(sorted(tasks)), word()
    if (task, made) not in seen:
        seen.add((task, made))
        lines.append({"instruction": task, "input": made, "output": tasks[task](made)})
(folder / "tasks.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

# Single letters stay tokens of their own: the headings and the tasks are what is merged.
trainer = ByteLevelBPETokenizer()
headings = "### Instruction:\n{}\n\n### Input:\n"
texts = [headings.format(task) for task in tasks] * 100 + ["\n\n### Response:\n"] * 600
trainer.train_from_iterator(
    texts, vocab_size=360, min_frequency=2, special_tokens=["<|endoftext|>"], show_progress=False)
trainer.save(str(folder / "tokenizer.json"))
tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
count = [len(tokenizer.encode(headings.format(line["instruction"]) + line["input"] + "\n\n### Response:\n"
                              + line["output"]).ids) for line in lines]
print(f"{len(lines)} tasks, {tokenizer.get_vocab_size()} tokens, at most {max(count)} and on average "
      f"{sum(count) / len(count):.1f} of a task")
