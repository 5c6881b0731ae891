import torch
from videomama_server.engines.videomama import noise


def test_a_frame_has_the_same_noise_in_every_window():
    one, other = noise.keyed(42, range(1001, 1017), (4, 6)), noise.keyed(42, range(1013, 1029), (4, 6))
    assert torch.equal(one[12:], other[:4])


def test_noise_differs_by_frame_and_by_seed():
    drawn = noise.keyed(42, [1, 2, -1], (8, 8))
    again = noise.keyed(43, [1], (8, 8))
    assert len({tuple(frame.flatten().tolist()) for frame in (*drawn, *again)}) == 4


def test_noise_is_normal():
    drawn = noise.keyed(0, range(16), (32, 32))
    assert abs(float(drawn.mean())) < 0.02
    assert abs(float(drawn.std()) - 1) < 0.02


def test_the_published_noise_is_one_draw_from_one_generator():
    expected = torch.randn((3, 4, 5, 6), generator=torch.Generator().manual_seed(42))
    assert torch.equal(noise.published(42, 3, (5, 6)), expected)


def test_the_posteriors_noise_is_drawn_picture_by_picture():
    generator = torch.Generator().manual_seed(7)
    expected = [torch.randn((4, 5, 6), generator=generator) for _ in range(4)]
    assert torch.equal(noise.posterior(7, 4, (5, 6)), torch.stack(expected))


def test_the_published_noise_may_be_drawn_in_half_floats_on_the_device():
    cpu = torch.device("cpu")
    expected = torch.randn((3, 4, 5, 6), generator=torch.Generator(cpu).manual_seed(42), dtype=torch.float16)
    drawn = noise.published_on(cpu, 42, 3, (5, 6))
    assert torch.equal(drawn, expected.float())
    assert not torch.equal(drawn, noise.published(42, 3, (5, 6)))
