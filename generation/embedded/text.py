"""Makes the tokenizer, in which each word of the grammar is one token, and the small T5 that reads them."""

import io
import string

import sentencepiece
import torch
from sentencepiece import sentencepiece_model_pb2
from transformers import T5Config, T5EncoderModel, T5Tokenizer

from .captions import vocabulary

LENGTH = 40  # tokens seen in training; the pipeline pads to 128, which the frozen buckets below make nearly the same
DIM = 128
BUCKETS, FAR = 16, 16  # relative positions: 8 buckets a side, the last from distance 12 on
SHUT = -1e4


def tokenizer():
    """A Unigram T5 tokenizer: lower-cases, one token a known word, letters for the rest, no sentinels."""
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -6.0)]
    pieces += [(f"▁{word}", -2.0) for word in vocabulary() if word not in string.punctuation]
    known = {piece for piece, _ in pieces}
    letters = string.ascii_lowercase + string.digits + string.punctuation
    pieces += [(letter, -8.0) for letter in letters if letter not in known]
    return T5Tokenizer(
        vocab=pieces,
        extra_ids=0,
        additional_special_tokens=[],
        model_max_length=128,
        _spm_precompiled_charsmap=_lower_case_rules(),
    )


def _lower_case_rules():
    """SentencePiece's compiled NFKC + case folding: the only normalizer that survives saving a T5 tokenizer."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a red ball", "one blue boat"] * 20),
        model_writer=model,
        vocab_size=24,
        hard_vocab_limit=False,
        normalization_rule_name="nmt_nfkc_cf",
        minloglevel=2,
    )
    proto = sentencepiece_model_pb2.ModelProto.FromString(model.getvalue())
    return proto.normalizer_spec.precompiled_charsmap


def encoder(vocabulary_size):
    """An untrained T5 encoder: 2 layers of 128."""
    model = T5EncoderModel(
        T5Config(
            vocab_size=vocabulary_size,
            d_model=DIM,
            d_kv=32,
            num_heads=4,
            d_ff=128,
            num_layers=2,
            dropout_rate=0.0,
            relative_attention_num_buckets=BUCKETS,
            relative_attention_max_distance=FAR,
            feed_forward_proj="gated-gelu",
            decoder_start_token_id=0,
        )
    )
    torch.nn.init.normal_(model.shared.weight, std=1.0)
    shut_far(model)
    return model


@torch.no_grad()
def shut_far(model):
    """Closes attention beyond 12 tokens, so that the pipeline's unmasked padding (128) reads as the training's (40)."""
    bias = model.encoder.block[0].layer[0].SelfAttention.relative_attention_bias.weight
    half = BUCKETS // 2
    bias[half - 1] = SHUT
    bias[2 * half - 1] = SHUT
