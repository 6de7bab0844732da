"""MiniLM on `base`: vectors of sentences beside onnxruntime's."""

import numpy as np
import onnxruntime as ort
import pytest

from arch.presets import preset
from models.compiled import compile_model
from models.session import Session
from verif.models.minilm import minilm, sentence, vocabulary, weights_of_minilm

SENTENCES = (
    "the weather is fine today",
    "a dog runs in the park",
    "she reads a long book",
    "we like to play music",
    "the train was late again",
)
"""Of words that are tokens of their own."""

LENGTH = 8

CYCLES = 23825


@pytest.mark.long
def test_the_first_layer_of_sentences() -> None:
    weights, words = weights_of_minilm(), vocabulary()
    model = minilm(weights, LENGTH, layers=1)
    single, session = (
        ort.InferenceSession(model.SerializeToString()),
        Session(compile_model(model, preset("base"), precision="w8a16")),
    )
    for text in SENTENCES:
        tokens = [words[word] for word in ("[CLS]", *text.split(), "[SEP]")]
        feeds = sentence(weights, tokens, LENGTH)
        (expected,), (found,) = single.run(None, feeds), session.run(None, feeds)
        assert float(np.sum(found * expected)) / float(np.linalg.norm(found) * np.linalg.norm(expected)) > 0.999
    assert session.cycles == CYCLES
