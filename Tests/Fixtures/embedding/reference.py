#!/usr/bin/env python3
"""reference.py MODEL_FOLDER: writes sentences.json and tokens.json beside itself, what EmbeddingTests compare with.

The reference: Hugging Face tokenizers 0.20.3 and FlaxBertModel of transformers 4.46.3 (jax 0.4.38, float32, highest matmul
precision), from PyPI. Not run by any test."""
import json
import os
import sys

os.environ["USE_TORCH"] = os.environ["USE_TF"] = "0"
import jax
import numpy as np
from tokenizers import Tokenizer
from transformers import FlaxBertModel

jax.config.update("jax_default_matmul_precision", "highest")
folder, here = sys.argv[1], os.path.dirname(os.path.abspath(__file__))
tokenizer = Tokenizer.from_file(folder + "/tokenizer.json")
tokenizer.no_padding()
tokenizer.enable_truncation(256)
model = FlaxBertModel.from_pretrained(folder)

SENTENCES = [
    "low wakeup latency while a build runs in the background",
    "Tasks run in the order in which they became ready, each for one slice, then join the end of the queue.",
    "EDF",
    "",
    "Čeština, 東京 and naïve café: $100 at 5 % (really?)",
    "a job that waits " * 100,
]
TEXTS = [
    ("", 1), (" \t\r\n  ", 1), ("Hello, World!", 1), ("can't won't I'm", 1), ("a_b-c/d.e@f", 1), ("x=1;y={2}|~`^", 1),
    ("CFS vs. EEVDF: 99.9% of 1,000,000 wakeups", 1), ("naïve café Ångström ÀÉÎÕÜ ñ ç ø ł đ", 1),
    ("e\u0301a\u0308o\u0328\u0304 \u1e69 s\u0323\u0307", 1), ("İstanbul ıI ß ẞ ΌΣΟΣ Σ ﬁ ﬃ Ǆ ŉ", 1),
    ("東京は日本の首都です。", 1), ("中文 混合English文字", 1), ("한국어 토큰 가각힣", 1), ("ไทย ภาษา", 1), ("हिन्दी में परीक्षण", 1),
    ("العربية مَرْحَبًا", 1), ("שָׁלוֹם", 1), ("Ελληνικά; τι είναι\u037e", 1), ("Привет, мир! Ёжик й", 1), ("Việt Nam đồng", 1),
    ("👩‍👩‍👧‍👦 family 🇩🇪 flag 👍🏽", 1), ("a\u200bb\u200dc\u00add\ufeffe", 1), ("a\x00b\x01c\x7fd\x85e\x1bf", 1), ("a\ufffdb", 1),
    ("tab\tline\nreturn\rnbsp\u00a0ideo\u3000ls\u2028ps\u2029", 1), ("\ue000private\U000f0000use", 1),
    ("𝐁𝐨𝐥𝐝 𝒜 ｆｕｌｌｗｉｄｔｈ ① ½ ™ № ℃ Å", 1), ("«quotes» “curly” ‘single’ — dash – … ¿ ¡ § ¶ •", 1),
    ("豈 更 車 丽 𠀀 𪜀", 1), ("\u0301\u0302\u0303", 1), ("a", 100), ("a", 101), ("e\u0301", 100), ("e\u0301", 101), ("é", 100), ("é", 101),
    ("supercalifragilisticexpialidocious antidisestablishmentarianism", 1), ("qzxjv qqqqq zzzzzzzz", 1), ("##ing ## #ing", 1),
    ("the ", 252), ("the ", 254), ("the ", 255), ("the ", 25000), ("unbelievably ", 8000), ("x", 100000), ("é ", 50000),
    (" ", 100000), ("!", 100000), ("\u200b", 33000), ("word\u0301 ", 15000),
]


def vector(text):
    ids = tokenizer.encode(text).ids
    state = model(input_ids=np.array([ids]), attention_mask=np.ones((1, len(ids)), int)).last_hidden_state
    mean = np.asarray(state)[0].astype(np.float64).mean(0)
    return mean / np.linalg.norm(mean)


with open(here + "/tokens.json", "w") as out:
    rows = [json.dumps({"text": t, "repeat": n, "ids": tokenizer.encode(t * n).ids}) for t, n in TEXTS]
    out.write("[\n" + ",\n".join(rows) + "\n]\n")
with open(here + "/sentences.json", "w") as out:
    rows = [json.dumps({"text": t, "vector": [round(float(x), 7) for x in vector(t)]}) for t in SENTENCES]
    out.write("[\n" + ",\n".join(rows) + "\n]\n")
