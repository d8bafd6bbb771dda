"""GPT-2, with what decides its number of parameters as constructor arguments.

A transformer that normalises before each block and once at the end; modules carry the names of the
authors' program (wte, wpe, h, ln_f).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

HEAD_WIDTH = 64


class Attention(nn.Module):
    """Causal self-attention with heads of 64 elements."""

    def __init__(self, width: int, *, biases: bool) -> None:
        super().__init__()
        self.c_attn = nn.Linear(width, 3 * width, bias=biases)
        self.c_proj = nn.Linear(width, width, bias=biases)

    def forward(self, x: Tensor) -> Tensor:
        """Attend to this and earlier tokens; (N, T, width) in and out."""
        split = self.c_attn(x).unflatten(2, (3, -1, HEAD_WIDTH)).permute(2, 0, 3, 1, 4)
        queries, keys, values = split
        mixed = functional.scaled_dot_product_attention(queries, keys, values, is_causal=True)
        out: Tensor = self.c_proj(mixed.transpose(1, 2).flatten(2))
        return out


class Block(nn.Module):
    """Attention and a perceptron of four times the width, each added to its own input."""

    def __init__(self, width: int, *, biases: bool) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(width, bias=biases)
        self.attn = Attention(width, biases=biases)
        self.ln_2 = nn.LayerNorm(width, bias=biases)
        self.c_fc = nn.Linear(width, 4 * width, bias=biases)
        self.gelu = nn.GELU("tanh")
        self.c_proj = nn.Linear(4 * width, width, bias=biases)

    def forward(self, x: Tensor) -> Tensor:
        """(N, T, width) in and out."""
        x = x + self.attn(self.ln_1(x))
        out: Tensor = x + self.c_proj(self.gelu(self.c_fc(self.ln_2(x))))
        return out


class GPT2(nn.Module):
    """The network of the paper under one reading.

    Input (N, context) token numbers, output (N, context, vocabulary).

    Args:
        layers: number of blocks.
        width: elements of a token's vector (d_model).
        vocabulary: tokens there are.
        context: tokens that are read at once.
        tied: whether the output uses the input's embedding.
        positions: "learned", or "fixed" and so no parameters.
        biases: whether linear layers and normalisations have biases.
    """

    def __init__(
        self,
        *,
        layers: int,
        width: int,
        vocabulary: int,
        context: int,
        tied: bool,
        positions: str,
        biases: bool,
    ) -> None:
        super().__init__()
        self.context = context
        self.wte = nn.Embedding(vocabulary, width)
        self.wpe = nn.Embedding(context, width)
        self.wpe.weight.requires_grad_(positions == "learned")
        self.h = nn.Sequential(*(Block(width, biases=biases) for _ in range(layers)))
        self.ln_f = nn.LayerNorm(width, bias=biases)
        self.output = nn.Linear(width, vocabulary, bias=False)
        if tied:
            self.output.weight = self.wte.weight

    def example_inputs(self) -> tuple[Tensor, ...]:
        """One full context of the first token, on the current default device."""
        return (torch.zeros(1, self.context, dtype=torch.long),)

    def forward(self, tokens: Tensor) -> Tensor:
        """Scores of the next token at every place."""
        places = torch.arange(tokens.shape[1], device=tokens.device)
        x = self.wte(tokens) + self.wpe(places)
        out: Tensor = self.output(self.ln_f(self.h(x)))
        return out
