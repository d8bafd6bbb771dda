"""The Vision Transformer, with what its Table 1 does not say as constructor arguments.

The blocks of a network keep their weights in one tensor a kind, as programs do that scan over
layers: hundreds of networks of up to 32 blocks are then quickly built.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Blocks(nn.Module):
    """Attention and a perceptron, each after a normalisation and added to its own input.

    Args:
        layers: how many blocks there are.
        width: elements of a patch's vector (D).
        mlp: width inside the perceptrons.
        heads: heads of the attention.
    """

    def __init__(self, layers: int, width: int, mlp: int, heads: int) -> None:
        super().__init__()
        self.heads, self.shape = heads, (width,)
        self.norms = nn.Parameter(torch.zeros(2, 2, layers, width))
        self.qkv = nn.Parameter(torch.zeros(layers, width, 3 * width))
        self.qkv_bias = nn.Parameter(torch.zeros(layers, 3 * width))
        self.out = nn.Parameter(torch.zeros(layers, width, width))
        self.out_bias = nn.Parameter(torch.zeros(layers, width))
        self.up = nn.Parameter(torch.zeros(layers, width, mlp))
        self.up_bias = nn.Parameter(torch.zeros(layers, mlp))
        self.down = nn.Parameter(torch.zeros(layers, mlp, width))
        self.down_bias = nn.Parameter(torch.zeros(layers, width))

    def forward(self, x: Tensor) -> Tensor:
        """(T, width) in and out."""
        parts = (self.qkv_bias, self.qkv, self.out_bias, self.out)
        parts += (self.up_bias, self.up, self.down_bias, self.down)
        norms = (vector for pair in self.norms.unbind(0) for vector in pair.unbind(0))
        for g, s, later_g, later_s, *weights in zip(
            *(part.unbind(0) for part in (*norms, *parts)), strict=True
        ):
            qkv_bias, qkv, out_bias, out, up_bias, up, down_bias, down = weights
            y = functional.layer_norm(x, self.shape, g, s, 1e-6)
            mixed = self.attention(torch.addmm(qkv_bias, y, qkv))
            x = x + torch.addmm(out_bias, mixed, out)
            y = functional.layer_norm(x, self.shape, later_g, later_s, 1e-6)
            x = x + torch.addmm(down_bias, functional.gelu(torch.addmm(up_bias, y, up)), down)
        return x

    def attention(self, qkv: Tensor) -> Tensor:
        """What each patch takes of all; (T, 3 * width) to (T, width)."""
        q, k, v = qkv.unflatten(1, (3, self.heads, -1)).permute(1, 2, 0, 3).unbind(0)
        scores = torch.bmm(q * k.shape[2] ** -0.5, k.transpose(1, 2))
        return torch.bmm(scores.softmax(2), v).transpose(0, 1).flatten(1)


class ViT(nn.Module):
    """One network of the paper under one reading.

    Input (1, 3, resolution, resolution), output (1, classes), or (1, width) without a classifier.

    Args:
        layers: number of blocks.
        width: elements of a patch's vector (D).
        mlp: width inside the perceptrons.
        heads: heads of the attention.
        patch: side of a patch, pixels.
        resolution: side of the image, pixels.
        classes: outputs of the last layer; 0 leaves it out.
        hidden: whether there is a hidden layer before it.
    """

    def __init__(
        self,
        *,
        layers: int,
        width: int,
        mlp: int,
        heads: int,
        patch: int,
        resolution: int,
        classes: int,
        hidden: bool,
    ) -> None:
        super().__init__()
        self.resolution = resolution
        self.embedding = nn.Conv2d(3, width, patch, patch)
        self.token = nn.Parameter(torch.zeros(1, width))
        self.positions = nn.Parameter(torch.zeros((resolution // patch) ** 2 + 1, width))
        self.blocks = Blocks(layers, width, mlp, heads)
        self.norm = nn.LayerNorm(width, 1e-6)
        self.hidden = nn.Linear(width, width) if hidden else None
        self.classifier = nn.Linear(width, classes) if classes else None

    def example_inputs(self) -> tuple[Tensor, ...]:
        """One random image on the current default device."""
        return (torch.rand(1, 3, self.resolution, self.resolution),)

    def forward(self, images: Tensor) -> Tensor:
        """Scores of the classes, or what the classifier would be given."""
        patches = self.embedding(images)[0].flatten(1).t()
        x = self.blocks(torch.cat([self.token, patches]) + self.positions)
        x = self.norm(x[:1])
        x = x if self.hidden is None else torch.tanh(self.hidden(x))
        out: Tensor = x if self.classifier is None else self.classifier(x)
        return out
