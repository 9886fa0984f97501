"""Recurrent layers as a loop: one step is kept in the file, however long the sequence is.

ExecuTorch has no LSTM; its tools write out every step, some ten operators each, which takes minutes
and megabytes for a sequence of a hundred. In: the arguments of aten.lstm, aten.gru or aten.rnn.
Out: a module that answers the same by torch's scan. What does not depend on the state before (the
product with the input) is computed for all steps at once, outside of the loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

State = list[Tensor]
Cell = Callable[[Tensor, State, Tensor, "Tensor | None"], State]
"""The input's share of the gates, the state, and the state's own weights -> the next state."""


@dataclass(frozen=True)
class Kind:
    """One kind of layer: how many tensors its state has, and its step."""

    states: int
    gates: int
    step: Cell


def _lstm(given: Tensor, state: State, weight: Tensor, bias: Tensor | None) -> State:
    hidden, kept = state
    enter, forget, update, leave = (given + hidden @ weight).chunk(4, 1)
    cell = torch.sigmoid(forget) * kept + torch.sigmoid(enter) * torch.tanh(update)
    return [torch.sigmoid(leave) * torch.tanh(cell), cell]


def _gru(given: Tensor, state: State, weight: Tensor, bias: Tensor | None) -> State:
    (hidden,) = state
    own = hidden @ weight
    own = own if bias is None else own + bias
    reset, update, fresh = given.chunk(3, 1)
    own_reset, own_update, own_fresh = own.chunk(3, 1)
    keep = torch.sigmoid(update + own_update)
    new = torch.tanh(fresh + torch.sigmoid(reset + own_reset) * own_fresh)
    return [(hidden - new) * keep + new]


def _tanh(given: Tensor, state: State, weight: Tensor, bias: Tensor | None) -> State:
    return [torch.tanh(given + state[0] @ weight)]


def _relu(given: Tensor, state: State, weight: Tensor, bias: Tensor | None) -> State:
    return [torch.relu(given + state[0] @ weight)]


KINDS = {
    "aten.lstm.input": Kind(2, 4, _lstm),
    "aten.gru.input": Kind(1, 3, _gru),
    "aten.rnn_tanh.input": Kind(1, 1, _tanh),
    "aten.rnn_relu.input": Kind(1, 1, _relu),
}
"""Operator -> how it is computed."""


class Direction(torch.nn.Module):
    """One layer in one direction: [time, batch, features] and a state in, all states out."""

    weight: Tensor
    own: Tensor
    bias: Tensor | None
    own_bias: Tensor | None

    def __init__(self, kind: Kind, params: Sequence[Tensor], backwards: bool) -> None:
        super().__init__()
        self.kind, self.backwards = kind, backwards
        # Only a GRU's step needs the state's bias apart: it is multiplied by a gate.
        apart = kind.step is _gru
        self.register_buffer("weight", params[0].detach().clone())
        self.register_buffer("own", params[1].detach().t().contiguous())
        biases = [bias.detach() for bias in params[2:]]
        one = None if not biases else biases[0].clone() if apart else biases[0] + biases[1]
        self.register_buffer("bias", one)
        self.register_buffer("own_bias", biases[1].clone() if biases and apart else None)

    def forward(self, data: Tensor, state: State) -> tuple[Tensor, State]:
        from torch._higher_order_ops.scan import scan

        given = torch.nn.functional.linear(data, self.weight, self.bias)
        given = given.flip(0) if self.backwards else given
        step, own, own_bias = self.kind.step, self.own, self.own_bias

        def one(carried: State, now: Tensor) -> tuple[State, Tensor]:
            fresh = step(now, carried, own, own_bias)
            # What a loop keeps and what it gives may not be the same tensor.
            return fresh, fresh[0].clone()

        last, every = scan(one, [part.clone() for part in state], given)
        return (every.flip(0) if self.backwards else every), list(last)


class Recurrent(torch.nn.Module):
    """All layers: the input and the first states in, what aten's operator returns out."""

    def __init__(self, kind: Kind, params: Sequence[Tensor], options: Sequence[Any]) -> None:
        super().__init__()
        biased, layers, _, _, both_ways, self.batch_first = options
        ways, size = (2 if both_ways else 1), (4 if biased else 2)
        self.ways = ways
        groups = [params[size * i : size * (i + 1)] for i in range(layers * ways)]
        self.parts = torch.nn.ModuleList(
            Direction(kind, group, backwards=index % ways == 1)
            for index, group in enumerate(groups)
        )

    def forward(self, data: Tensor, *first: Tensor) -> tuple[Tensor, ...]:
        data = data.transpose(0, 1) if self.batch_first else data
        ends: list[State] = []
        for layer in range(0, len(self.parts), self.ways):
            found = []
            for index in range(layer, layer + self.ways):
                every, last = self.parts[index](data, [part[index] for part in first])
                found.append(every)
                ends.append(last)
            data = found[0] if self.ways == 1 else torch.cat(found, 2)
        data = data.transpose(0, 1) if self.batch_first else data
        return data, *(torch.stack(parts) for parts in zip(*ends, strict=True))


def takes(params: Sequence[Any], options: Sequence[Any], kind: Kind) -> bool:
    """Whether it is a plain layer: in inference, without a projection of its state."""
    biased, layers, _, training, both_ways, _ = options
    count = layers * (2 if both_ways else 1) * (4 if biased else 2)
    plain = len(params) == count and all(isinstance(each, Tensor) for each in params)
    return plain and not training and params[1].shape[0] == kind.gates * params[1].shape[1]
