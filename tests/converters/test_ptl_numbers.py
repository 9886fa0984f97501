"""Numbers that a trace made tensors of: the lite interpreter must not widen what they touch."""

from __future__ import annotations

import io
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.jit import mobile

from deploy_targets.converters import ptl_numbers

pytestmark = pytest.mark.filterwarnings("ignore:.*(torch.jit.|Lite Interp):DeprecationWarning")


class Grid(nn.Module):
    """Python's numbers, in a module within, beside tensors that are none of them."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("wide", torch.tensor(2.0, dtype=torch.float64))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        steps = torch.arange(x.shape[0])
        return steps * 8 + 4 / 2, 2.5**steps, steps * self.wide, x.sum() * 0.1 > 1 / 3


class Around(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.grid = Grid()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return self.grid(x)


def lite(module: Any) -> Any:
    raw = io.BytesIO(module._save_to_buffer_for_lite_interpreter())
    return mobile._load_for_lite_interpreter(raw)


def traced() -> Any:
    trace: Any = torch.jit.trace
    return trace(Around().eval(), torch.ones(3), check_trace=False).eval()


def test_an_answer_has_the_datatype_that_the_model_gives_it() -> None:
    x, module = torch.ones(5), traced()
    wanted = Around()(x)
    # Were it not so, nothing would have to be done.
    assert lite(module)(x)[0].dtype == torch.float64
    ptl_numbers.restore(module.graph)
    for made in (module, torch.jit.freeze(module)):
        for want, got in zip(wanted, lite(made)(x), strict=True):
            torch.testing.assert_close(got, want)


def test_what_is_a_tensor_stays_one() -> None:
    module = traced()
    ptl_numbers.restore(module.graph)
    answer = lite(torch.jit.freeze(module))(torch.ones(5))
    assert answer[2].dtype == torch.float64
    assert "GetAttr" in str(module.graph)
