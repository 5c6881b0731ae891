import torch
from videomama_server.engines.runtime import precision


def test_float32_means_float32_and_kernels_are_not_chosen_by_the_clock():
    torch.backends.cudnn.allow_tf32 = True
    precision.hold()
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32
    assert not torch.backends.cudnn.benchmark
    assert torch.backends.cudnn.deterministic
