"""PyTorch with other roundings: the same computation, every operand moved by about an ulp.

Any implementation rounds at every operation, each in its own order, and so none answers bit by bit
as another. How far that reaches in the outputs is what no single run shows. Here each floating
operand of each operation is moved by a random ulp (Monte Carlo arithmetic, D. S. Parker, 1997),
and every sum by what adding up its terms one after another would cost (IN_SEQUENCE);
asked with a few seeds, a model shows how sure it is of each of its numbers.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

POOL = 1 << 20
"""Random signs drawn once and used again from random places."""

IN_SEQUENCE = 0.4
"""A sum of K terms, taken one after another, is off by about this many halves of an ulp, times the
root of K: the roundings of its partial sums, which grow as a random walk or faster. Frameworks on
a desktop sum in blocks and are nearer; runtimes on small devices are not."""

SHORT = {torch.float32: (torch.int32, 0xFFF), torch.float64: (torch.int64, 0xFFFFFF)}
"""The low bits of a mantissa. Where they are all zero the number is most likely exact in every
implementation (a position, a mask, a half), and moving it could make a floor or a step jump."""


@contextmanager
def one_thread() -> Iterator[None]:
    """While active, sums are not divided among threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Jitter(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves it untyped
    """While active, operations whose results are floating see operands moved by an ulp."""

    def __init__(self, seed: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._generator = torch.Generator().manual_seed(seed)
        self._pools: dict[torch.dtype, torch.Tensor] = {}
        self._weights: dict[int, torch.Tensor] = {}
        self._normal = torch.randn(POOL, generator=self._generator)

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # Nothing is compiled here, and guarding against it imports a compiler for two seconds.
        return False

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = dict(kwargs or {})
        if func.overloadpacket in IN_PLACE:
            return self._in_place(func(*args, **given), func.overloadpacket)
        if not _computes(func):
            return func(*args, **given)
        moved = functools.partial(self._moved, every=func.overloadpacket in PRODUCTS)
        made = func(*tree_map_only(torch.Tensor, moved, args), **given)
        terms = _terms(func.overloadpacket, args, made)
        if terms > 1:
            return self._summed(made, terms)
        if func.overloadpacket in APPROXIMATED:
            return self._approximated(made, args[0], func.overloadpacket)
        return made

    def _in_place(self, made: torch.Tensor, op: Any) -> torch.Tensor:
        """What was written into a tensor, moved where it lies."""
        if made.is_floating_point() and made.numel():
            noise = self._window(self._normal, made.numel()).reshape(made.shape).to(made.dtype)
            size = torch.ones(()) if IN_PLACE[op] else made.abs()
            made.add_(noise * size.to(made.dtype) * (torch.finfo(made.dtype).eps / 2))
        return made

    def _moved(self, tensor: torch.Tensor, every: bool) -> torch.Tensor:
        if not tensor.is_floating_point() or not tensor.numel():
            return tensor
        if not isinstance(tensor, torch.nn.Parameter):
            return self._times_ulp(tensor, every)
        # A weight is one number in one implementation, however often it is used.
        if id(tensor) not in self._weights:
            self._weights[id(tensor)] = self._times_ulp(tensor, every)
        return self._weights[id(tensor)]

    def _times_ulp(self, tensor: torch.Tensor, every: bool) -> torch.Tensor:
        pool = self._pools.get(tensor.dtype)
        if pool is None:
            pool = self._pools[tensor.dtype] = self._draw(tensor.dtype)
        moved = (tensor.reshape(-1) * self._window(pool, tensor.numel())).reshape(tensor.shape)
        if every or tensor.dtype not in SHORT:
            return moved
        integer, low = SHORT[tensor.dtype]
        return torch.where((tensor.contiguous().view(integer) & low) == 0, tensor, moved)

    def _summed(self, made: Any, terms: float) -> Any:
        """The result as if its terms had been added one after another."""
        first = made if isinstance(made, torch.Tensor) else made[0]
        if not first.is_floating_point() or not first.numel():
            return made
        # A sum that cancels rounds as its terms do, which are about as large as its neighbours.
        size = torch.maximum(first.abs(), first.square().mean().sqrt())
        noise = self._window(self._normal, first.numel()).reshape(first.shape)
        off = IN_SEQUENCE * math.sqrt(terms) * torch.finfo(first.dtype).eps / 2
        moved = torch.addcmul(first, noise.to(first.dtype), size, value=off)
        return moved if first is made else (moved, *made[1:])

    def _approximated(self, made: torch.Tensor, given: torch.Tensor, op: Any) -> torch.Tensor:
        """The result as by a formula that is right to an ulp of the function's range."""
        noise = self._window(self._normal, made.numel()).reshape(made.shape)
        size = given.abs() if APPROXIMATED[op] else 1.0
        return made + (noise * size * torch.finfo(made.dtype).eps / 2).to(made.dtype)

    def _draw(self, dtype: torch.dtype) -> torch.Tensor:
        signs = torch.randint(0, 2, (POOL,), generator=self._generator, dtype=torch.int8)
        return (1 + torch.finfo(dtype).eps * (2 * signs.to(dtype) - 1)).to(dtype)

    def _window(self, pool: torch.Tensor, count: int) -> torch.Tensor:
        # Drawing anew for each operand would cost more than the model itself.
        if count > POOL // 2:
            pool = pool.repeat(-(-2 * count // POOL))
        start = int(torch.randint(0, len(pool) - count, (), generator=self._generator))
        return pool[start : start + count]


def _computes(func: Any) -> bool:
    """Whether it makes new floating numbers; views and writes into a tensor are left alone."""
    schema = func._schema
    if schema.is_mutable or any(argument.alias_info for argument in schema.returns):
        return False
    return func.overloadpacket not in MOVES


def _terms(op: Any, args: tuple[Any, ...], made: Any) -> Any:
    """How many terms each number of a result is the sum of; 1 where it is none."""
    aten, tensors = torch.ops.aten, [a for a in args if isinstance(a, torch.Tensor)]
    if op is aten.convolution:
        weight, transposed = args[1], args[6]
        return weight.numel() / weight.shape[1 if transposed else 0]
    if op in (aten.addmm, aten.baddbmm, aten.addmv, aten.addbmm):
        return args[1].shape[-1]
    if op in (aten.mm, aten.bmm, aten.matmul, aten.linear, aten.mv, aten.dot, aten._softmax):
        return tensors[0].shape[-1] if tensors[0].ndim else 1
    if op in (aten.native_layer_norm, aten.layer_norm):
        return math.prod(args[1])
    if op in (aten.native_group_norm, aten.group_norm):
        return tensors[0][0].numel()
    if op in (aten.lstm, aten.gru, aten.rnn_tanh, aten.rnn_relu):
        return args[0].shape[-1] + made[0].shape[-1]
    if op is aten.cumsum:
        return tensors[0].shape[args[1]]
    if op in (
        aten._adaptive_avg_pool2d,
        aten.avg_pool2d,
        aten.sum,
        aten.mean,
        aten.var,
        aten.std,
        aten.var_mean,
        aten.linalg_vector_norm,
    ):
        first = made if isinstance(made, torch.Tensor) else made[0]
        return tensors[0].numel() / max(first.numel(), 1)
    return 1


_aten = torch.ops.aten
PRODUCTS = {_aten.convolution, _aten.addmm, _aten.mm, _aten.bmm, _aten.linear, _aten.baddbmm}
"""Whose results nobody takes for exact: here short numbers move, too, which is cheaper."""

APPROXIMATED = {
    **dict.fromkeys((_aten.sigmoid, _aten.tanh, _aten.erf), False),
    **dict.fromkeys((_aten.gelu, _aten.silu), True),
}
"""Functions that runtimes compute by polynomials, so that their small values are as rough as their
large ones. True where the range grows with the operand."""

IN_PLACE = {
    **dict.fromkeys((_aten.sigmoid_, _aten.tanh_), True),
    **dict.fromkeys((_aten.add_, _aten.sub_, _aten.mul_, _aten.div_), False),
}
"""Operations that write into their operand: recurrent cells, `x += y`. True: approximated."""

# fmt: off
_MOVES = (
    "arange", "argmax", "argmin", "cat", "clone", "constant_pad_nd", "embedding", "eq", "floor",
    "floor_divide", "full_like", "gather", "ge", "gt", "index", "index_select", "le", "lt",
    "max_pool2d_with_indices", "ne", "nonzero", "ones_like", "remainder", "repeat", "round",
    "sort", "stack", "topk", "trunc", "where", "zeros_like", "_to_copy", "ceil", "clamp",
    "relu", "hardtanh", "maximum", "minimum", "flip", "roll", "fmod",
)
# fmt: on
MOVES = {getattr(torch.ops.aten, name) for name in _MOVES}
"""Operations that move numbers or compare them, and round nothing."""
