"""Ids by transformers 5.23.0 and sentencepiece 0.2.3: the published T5 vocabulary, a model with other options, and odd texts.

python make.py, in this folder. spiece.model is Google's for T5 (Apache-2.0); ../sentencepiece/botchan.model is of SentencePiece's own
tests (Apache-2.0).
"""
import io
import json
import random
import shutil
import tempfile
from pathlib import Path

import sentencepiece as spm
from transformers import T5Tokenizer

HERE = Path(__file__).parent
WORDS = ["a red apple left of the blue house", "Café naïve Émile", "cafe\u0301 e\u0301\u0302", "ﬁne ½ ² ™ ①②", "日本語 テキスト ｶﾞｷﾞ", "한국어 \u1112\u1161\u11ab",
         "ＦＵＬＬ ｗｉｄｔｈ！", "＜/s＞ <unk>", "<extra_id_5> x", "x <extra_id_5>  y", "tab\tand\r\nline", "\u200bzero\u00a0width\u3000", "▁▁a ▁ b▁", "Ǆ ǳ ﷺ", "a\u0301\u0327 q\u0301", "\ufb03\u0301",
         "👩‍👩‍👧 🇩🇪 flag", "aaaa aaaaaaaaaaaa", "1,000.50 + 2 = 3%", "नमस्ते दुनिया", "שלום", "مرحبا", "\x00\x01\x7f", "\u2028line\u2029", "  lead and trail  ", "xx xxx xxxxxxxxxxxxxxx", "..., !!! ;;", "</s></s>", "<pad>x<pad>"]


def texts():
    rng = random.Random(5)
    blocks = [(0x20, 0x7e), (0xa0, 0x24f), (0x300, 0x36f), (0x1e00, 0x1eff), (0x2000, 0x206f), (0x2100, 0x218f), (0x2460, 0x24ff), (0x3040, 0x30ff),
              (0x3300, 0x33ff), (0xac00, 0xac80), (0x1100, 0x11ff), (0xfb00, 0xfb4f), (0xff00, 0xffef), (0x1d400, 0x1d4ff), (0x1f300, 0x1f5ff)]
    out = list(WORDS)
    for _ in range(170):
        chars = []
        for _ in range(rng.randint(1, 14)):
            low, high = rng.choice(blocks)
            chars.append(chr(rng.randint(low, high)) if rng.random() < 0.7 else rng.choice(" aeno"))
        out.append("".join(chars))
    return [t for t in out if all(assigned(c) for c in t)]


def assigned(c):
    import unicodedata
    return unicodedata.category(c) != "Cn"


def odd_model():
    lines = ["a red apple and a blue house", "two dogs run left of a tree", "the cat sits on the red house"] * 4
    model = io.BytesIO()
    spm.SentencePieceTrainer.Train(sentence_iterator=iter(lines), model_writer=model, vocab_size=330, model_type="unigram", byte_fallback=True,
                                   user_defined_symbols=["<red>", "blue house"], remove_extra_whitespaces=False, add_dummy_prefix=False,
                                   normalization_rule_name="identity", hard_vocab_limit=False, num_threads=1, minloglevel=2)
    return model.getvalue()


def suffix_model():
    lines = ["a red apple and a blue house", "two dogs run left of a tree"] * 4
    model = io.BytesIO()
    spm.SentencePieceTrainer.Train(sentence_iterator=iter(lines), model_writer=model, vocab_size=60, model_type="unigram",
                                   treat_whitespace_as_suffix=True, normalization_rule_name="identity", hard_vocab_limit=False, num_threads=1, minloglevel=2)
    return model.getvalue()


def sentencepiece_cases(name, model, texts):
    sp = spm.SentencePieceProcessor(model_proto=model)
    rows = [{"text": t, "ids": sp.encode(t), "decoded": sp.decode(sp.encode(t))} for t in texts]
    (HERE / f"../sentencepiece/{name}-cases.json").write_text(json.dumps(rows, ensure_ascii=True, indent=None, separators=(",", ":")).replace("},{", "},\n{") + "\n")


def main():
    all_texts = texts()
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(HERE / "spiece.model", folder)
        tok = T5Tokenizer.from_pretrained(folder)
        rows = [{"text": t, "ids": tok(t).input_ids} for t in all_texts]
    (HERE / "cases.json").write_text(json.dumps(rows, ensure_ascii=True, separators=(",", ":")).replace("},{", "},\n{") + "\n")
    odd = ["", " ", "  a  red  <red>apple ", "blue house blue houses", "日本 a", "the  cat\tsits", "▁a", "a "] + all_texts[:12]
    for name, model in (("odd", odd_model()), ("suffix", suffix_model())):
        (HERE / f"../sentencepiece/{name}.model").write_bytes(model)
        sentencepiece_cases(name, model, odd)
    sentencepiece_cases("t5", (HERE / "spiece.model").read_bytes(), all_texts)
    sentencepiece_cases("botchan", (HERE / "../sentencepiece/botchan.model").read_bytes(), all_texts)


if __name__ == "__main__":
    main()
