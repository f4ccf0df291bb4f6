"""The tokenizer: a CLIP tokenizer whose byte-pair merges are learned until every known word is one token."""

from collections import Counter
from itertools import pairwise

from transformers import CLIPTokenizer

from generation.builtin.architecture import PROMPT_TOKENS
from generation.builtin.vocabulary import WORDS

START, END = "<|startoftext|>", "<|endoftext|>"
WORD_END = "</w>"


def byte_letters() -> list[str]:
    """One printable letter for each byte, in GPT-2's order, as CLIP's tokenizer expects."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + index) for index in range(len(others))]


def _merge(pieces: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    merged: list[str] = []
    for piece in pieces:
        if merged and (merged[-1], piece) == pair:
            merged[-1] += piece
        else:
            merged.append(piece)
    return tuple(merged)


def learn_merges(words: tuple[str, ...]) -> list[tuple[str, str]]:
    """Byte-pair merges, most frequent pair first, until each word is a single piece."""
    split = [(*word[:-1], word[-1] + WORD_END) for word in dict.fromkeys(words)]
    merges: list[tuple[str, str]] = []
    while True:
        pairs = Counter(pair for pieces in split for pair in pairwise(pieces))
        if not pairs:
            return merges
        pair = max(pairs, key=lambda candidate: (pairs[candidate], candidate))
        merges.append(pair)
        split = [_merge(pieces, pair) for pieces in split]


def make_tokenizer() -> CLIPTokenizer:
    """The tokenizer with every byte, every merge and the two special tokens."""
    letters = byte_letters()
    words = tuple(part for word in WORDS for part in word.split("-") if part.isalpha())
    merges = learn_merges(words)
    pieces = [
        *letters,
        *(letter + WORD_END for letter in letters),
        *("".join(pair) for pair in merges),
        START,
        END,
    ]
    vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=PROMPT_TOKENS)
