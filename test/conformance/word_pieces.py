"""What the checks of texts share: a tokenizer of word pieces as BERT has it, and an encoder whose last hidden state is its one output."""

import torch
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
INPUTS = ["input_ids", "attention_mask", "token_type_ids"]


def word_pieces(texts, vocabulary):
    """A tokenizer that is trained on these texts, of at most so many tokens."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(
        texts, trainers.WordPieceTrainer(vocab_size=vocabulary, special_tokens=SPECIAL, show_progress=False)
    )
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return tokenizer


def of_transformers(tokenizer):
    """The same tokenizer as transformers has it."""
    names = ["pad_token", "unk_token", "cls_token", "sep_token", "mask_token"]
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **dict(zip(names, SPECIAL)))


class LastHiddenState(torch.nn.Module):
    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids, attention_mask, token_type_ids):
        return self.encoder(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids).last_hidden_state


def export_onnx(model, file, output, dims):
    """An ONNX file of a model of these inputs [batch, tokens], which its output [batch, ...] names by `dims`."""
    ones = torch.ones(2, 7, dtype=torch.int64)
    axes = {name: {0: "batch", 1: "tokens"} for name in INPUTS} | {output: dict(enumerate(dims))}
    with torch.no_grad():
        torch.onnx.export(
            model,
            (ones, ones, ones * 0),
            file,
            input_names=INPUTS,
            output_names=[output],
            dynamic_axes=axes,
            dynamo=False,
        )
