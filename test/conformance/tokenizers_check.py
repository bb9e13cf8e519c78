"""Tokenizers of every kind, trained on the spot on the texts of learned.json, saved beside it, with the ids that they give to those
of texts.json: prints their names as JSON."""

import json
import os
import sys

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

folder = sys.argv[1]
with open(os.path.join(folder, "texts.json"), encoding="utf-8") as file:
    texts = json.load(file)
with open(os.path.join(folder, "learned.json"), encoding="utf-8") as file:
    learned = json.load(file)


def bert(tokenizer):
    tokenizer.post_processor = processors.BertProcessing(
        ("[SEP]", tokenizer.token_to_id("[SEP]")), ("[CLS]", tokenizer.token_to_id("[CLS]"))
    )


def template(tokenizer):
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
    )


def roberta(tokenizer):
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", tokenizer.token_to_id("</s>")), ("<s>", tokenizer.token_to_id("<s>"))
    )


def t5(tokenizer):
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", tokenizer.token_to_id("</s>"))]
    )


BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ROBERTA = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
GPT4 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def wordpiece(normalizer, pre, post, size=2000):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre
    trainer = trainers.WordPieceTrainer(vocab_size=size, special_tokens=BERT, show_progress=False)
    tokenizer.train_from_iterator(learned, trainer)
    post(tokenizer)
    return tokenizer


def bpe(model, normalizer, pre, post, specials, size=2000, alphabet=()):
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre
    suffix = {"end_of_word_suffix": model.end_of_word_suffix} if model.end_of_word_suffix else {}
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=specials, initial_alphabet=list(alphabet), show_progress=False, **suffix
    )
    tokenizer.train_from_iterator(learned, trainer)
    post(tokenizer)
    return tokenizer


def unigram(normalizer, pre, post, size=2000):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre
    trainer = trainers.UnigramTrainer(
        vocab_size=size, special_tokens=ROBERTA, unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(learned, trainer)
    post(tokenizer)
    return tokenizer


def with_words(tokenizer):
    """Tokens added by hand, of each kind."""
    from tokenizers import AddedToken

    tokenizer.add_tokens(["Limbeck", AddedToken("card", single_word=True), AddedToken("Über", normalized=True)])
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True), AddedToken("<x>", rstrip=True)])
    return tokenizer


def byte_fallback():
    """As Llama's: a vocabulary of some letters, and bytes for all others."""
    letters = sorted({letter for text in texts for letter in text if ord(letter) < 128} - {" "}) + ["\u2581"]
    names = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)] + letters
    merges = [("\u2581", "t"), ("h", "e"), ("\u2581t", "he"), ("i", "n"), ("a", "n"), ("i", "s")]
    names += ["".join(pair) for pair in merges]
    model = models.BPE(
        vocab={name: i for i, name in enumerate(names)}, merges=merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True
    )
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    return tokenizer


def charsmap():
    """The replacements that sentencepiece compiles into its models."""
    import io

    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2

    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(learned), model_writer=out, vocab_size=1000, normalization_rule_name="nmt_nfkc", hard_vocab_limit=False, minloglevel=2
    )
    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString(out.getvalue())
    return model.normalizer_spec.precompiled_charsmap


def all_tokenizers():
    metaspace = pre_tokenizers.Metaspace()
    yield "bert-uncased", wordpiece(normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer(), bert)
    yield "bert-cased", wordpiece(
        normalizers.BertNormalizer(lowercase=False), pre_tokenizers.BertPreTokenizer(), template
    )
    yield "wordpiece-words", wordpiece(
        normalizers.Sequence([normalizers.NFD(), normalizers.Lowercase(), normalizers.StripAccents()]),
        pre_tokenizers.Whitespace(),
        template,
    )
    yield "wordpiece-digits", wordpiece(
        normalizers.Strip(),
        pre_tokenizers.Sequence(
            [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation(), pre_tokenizers.Digits(individual_digits=True)]
        ),
        template,
    )
    yield "roberta", bpe(
        models.BPE(), None, pre_tokenizers.ByteLevel(), roberta, ROBERTA, 3000, pre_tokenizers.ByteLevel.alphabet()
    )
    yield "gpt4", bpe(
        models.BPE(ignore_merges=True),
        normalizers.NFC(),
        pre_tokenizers.Sequence(
            [pre_tokenizers.Split(Regex(GPT4), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
        ),
        lambda tokenizer: None,
        ["<|endoftext|>"],
        3000,
        pre_tokenizers.ByteLevel.alphabet(),
    )
    yield "bpe-suffix", bpe(
        models.BPE(unk_token="<unk>", end_of_word_suffix="</w>", fuse_unk=True),
        normalizers.NFKC(),
        pre_tokenizers.BertPreTokenizer(),
        roberta,
        ROBERTA,
        1500,
    )
    yield "bpe-unknown", bpe(
        models.BPE(unk_token="<unk>"), None, pre_tokenizers.Whitespace(), roberta, ROBERTA, 600
    )
    yield "byte-fallback", byte_fallback()
    yield "unigram", unigram(normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC()]), metaspace, t5)
    yield "unigram-first", unigram(
        normalizers.Replace(Regex(" {2,}"), " "),
        pre_tokenizers.Sequence(
            [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="first", split=False)]
        ),
        t5,
        1000,
    )
    yield "xlm-roberta", unigram(
        normalizers.Sequence([normalizers.Precompiled(charsmap()), normalizers.Replace(Regex(" {2,}"), " ")]),
        pre_tokenizers.Metaspace(),
        roberta,
        1500,
    )
    for behavior in ("removed", "merged_with_previous", "merged_with_next", "contiguous"):
        yield f"split-{behavior}", wordpiece(
            None, pre_tokenizers.Split("a", behavior), template, 500
        )
    yield "added", with_words(wordpiece(normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer(), bert))


names = []
for name, tokenizer in all_tokenizers():
    tokenizer.save(os.path.join(folder, f"{name}.tokenizer.json"))
    # Saved and read again: what counts is what the file says.
    tokenizer = Tokenizer.from_file(os.path.join(folder, f"{name}.tokenizer.json"))
    whole = [encoding.ids for encoding in tokenizer.encode_batch(texts, add_special_tokens=False)]
    tokenizer.enable_truncation(24)
    pairs = list(zip(texts[:500], texts[500:1000]))
    cut = [[e.ids, e.type_ids] for e in tokenizer.encode_batch(texts[:500])]
    pair = [[e.ids, e.type_ids] for e in tokenizer.encode_batch(pairs)]
    tokenizer.enable_truncation(25, direction="left")
    left = [[e.ids, e.type_ids] for e in tokenizer.encode_batch(pairs)]
    with open(os.path.join(folder, f"{name}.ids.json"), "w") as file:
        json.dump({"whole": whole, "cut": cut, "pair": pair, "left": left}, file)
    names.append(name)

print(json.dumps(names))
