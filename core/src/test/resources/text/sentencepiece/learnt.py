"""Ids by sentencepiece 0.2.3 of ../captions.txt with the model that UnigramTrainer(150) writes of them: python learnt.py spiece.model, in this folder."""
import json
import sys
from pathlib import Path

import sentencepiece as spm

HERE = Path(__file__).parent
model = spm.SentencePieceProcessor(model_file=sys.argv[1])
ids = [model.encode(caption) for caption in (HERE / "../captions.txt").read_text().splitlines()]
text = json.dumps({"size": model.get_piece_size(), "ids": ids}, separators=(",", ":")).replace("],", "],\n")
(HERE / "learnt-cases.json").write_text(text + "\n")
