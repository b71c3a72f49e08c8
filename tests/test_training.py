"""The helpers of the training scripts: checkpoints that survive, a device, settings, figures."""

import dataclasses

import pytest
import torch
from torch import nn

import training
from training import TrainingError


def pair(seed: int = 0):
    torch.manual_seed(seed)
    model = nn.Linear(3, 2)
    return model, torch.optim.Adam(model.parameters(), lr=0.1, fused=True)


def steps(model, optimizer, n: int) -> None:
    precision = training.Precision("cpu")
    for _ in range(n):
        with precision.autocast():
            loss = model(torch.randn(5, 3)).square().sum()
        precision.backward_and_step(loss, optimizer)


def test_a_restored_run_goes_on_as_if_it_had_never_stopped(tmp_path):
    path = tmp_path / "new" / "checkpoint.pt"
    model, optimizer = pair()
    steps(model, optimizer, 3)
    training.save_checkpoint(path, model=model, optimizer=optimizer, epoch=3, history={"train": [1.5]})
    steps(model, optimizer, 3)

    again, again_optimizer = pair(seed=1)
    checkpoint = training.load_checkpoint(path, "cpu")
    training.restore(checkpoint, model=again, optimizer=again_optimizer)
    assert checkpoint["epoch"] == 3 and checkpoint["history"] == {"train": [1.5]}
    steps(again, again_optimizer, 3)
    assert torch.equal(model.weight, again.weight)


def test_a_failed_save_keeps_the_checkpoint_before_it(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint.pt"
    training.save_checkpoint(path, epoch=1)

    def half_a_save(state, file):
        file.write_bytes(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(torch, "save", half_a_save)
    with pytest.raises(OSError, match="no space left"):
        training.save_checkpoint(path, epoch=2)
    assert training.load_checkpoint(path)["epoch"] == 1
    assert list(tmp_path.iterdir()) == [path]


def test_no_checkpoint_is_none_and_a_bad_one_is_one_sentence(tmp_path):
    path = tmp_path / "checkpoint.pt"
    assert training.load_checkpoint(path) is None
    training.save_checkpoint(path, epoch=1)
    whole = path.read_bytes()
    for content in (b"", b"not a checkpoint", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(TrainingError, match="cannot be read as a checkpoint: delete it"):
            training.load_checkpoint(path)
    torch.save(torch.zeros(3), path)
    with pytest.raises(TrainingError, match="cannot be read as a checkpoint"):
        training.load_checkpoint(path)


def test_a_checkpoint_runs_no_code(tmp_path):
    class Harmful:
        def __reduce__(self):
            return (open, (str(tmp_path / "harm"), "w"))

    torch.save({"model": Harmful()}, tmp_path / "checkpoint.pt")
    with pytest.raises(TrainingError):
        training.load_checkpoint(tmp_path / "checkpoint.pt")
    assert not (tmp_path / "harm").exists()


def test_another_models_checkpoint_is_refused(tmp_path):
    path = tmp_path / "checkpoint.pt"
    training.save_checkpoint(path, model=nn.Linear(4, 2))
    model, optimizer = pair()
    checkpoint = training.load_checkpoint(path)
    for objects in ({"model": model}, {"optimizer": optimizer}):
        with pytest.raises(TrainingError, match="another model's"):
            training.restore(checkpoint, **objects)


def test_pick_device():
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert training.pick_device().type == expected and training.pick_device("cpu") == torch.device("cpu")
    for name in ("gpu", "cuda:99"):
        with pytest.raises(TrainingError, match=f"no device '{name}' here: pass --device auto"):
            training.pick_device(name)


def test_precision_on_the_cpu_is_float32():
    with training.Precision("cpu").autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("bf16", [True, False])
def test_precision_on_a_gpu_steps_in_half_precision(monkeypatch, bf16):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: bf16)
    precision = training.Precision("cuda")
    model = nn.Linear(3, 2).cuda()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1, fused=True)
    before = model.weight.detach().clone()
    for _ in range(5):
        with precision.autocast():
            output = model(torch.ones(5, 3, device="cuda"))
            loss = (output.float() - 1).square().mean()
        precision.backward_and_step(loss, optimizer)
    assert output.dtype == (torch.bfloat16 if bf16 else torch.float16)
    assert not torch.equal(model.weight, before) and model.weight.isfinite().all()


@dataclasses.dataclass(frozen=True)
class Config:
    batch_size: int = 128  # images in one step, 100% of them
    lr: float = 1e-3  # learning rate
    data: str = "mnist"
    resume: bool = False  # go on


def test_settings_come_from_the_command_line(capsys):
    assert training.parse_config(Config, []) == Config()
    arguments = ["--batch-size", "7", "--lr", "0.5", "--data", "digits", "--resume"]
    assert training.parse_config(Config, arguments) == Config(7, 0.5, "digits", True)
    with pytest.raises(SystemExit):
        training.parse_config(Config, ["--help"])
    assert "images in one step, 100% of them (default: 128)" in " ".join(capsys.readouterr().out.split())
    with pytest.raises(SystemExit):
        training.parse_config(Config, ["--batch-size", "many"])
    assert "--batch-size: invalid int value: 'many'" in capsys.readouterr().err


@pytest.mark.parametrize("shape", [(1, 1, 28, 28), (7, 3, 16, 24), (40, 1, 28, 28)])
def test_grids_of_any_shape_are_drawn(tmp_path, shape):
    path = training.save_grid(torch.rand(shape), tmp_path / "new" / "grid.png", columns=5, title="Grid")
    assert path.read_bytes().startswith(b"\x89PNG")
    rows = -(-shape[0] // 5)
    labels = {"row_labels": ["r"] * rows, "column_labels": ["c"] * 5}
    training.save_grid(torch.rand(shape, requires_grad=True), path, columns=5, **labels)


def test_curves_are_drawn(tmp_path):
    path = training.save_curves({"train": [3.0, 2.0], "valid": [2.5]}, tmp_path / "loss.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    training.save_curves({}, path)


def test_a_smoke_runs_figures_say_that_they_are(tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    said = []
    monkeypatch.setattr(Figure, "text", lambda self, x, y, text, **style: said.append(text))
    training.save_curves({"loss": [1.0]}, tmp_path / "runs" / "vae" / "loss.png")
    assert said == []
    training.save_curves({"loss": [1.0]}, tmp_path / "runs" / "smoke-vae" / "loss.png")
    assert said == ["smoke run: tiny settings, only to see that it runs"]


def test_a_bar_that_ends_at_once_leaves_nothing_behind(capsys):
    with pytest.raises(NotImplementedError):
        for _ in training.progress(range(5), desc="epoch", disable=False):
            raise NotImplementedError
    assert capsys.readouterr().err == ""
    bar = training.progress(range(5), desc="epoch", delay=0, disable=False)
    list(bar)
    assert capsys.readouterr().err.count("epoch") > 0
    list(training.progress(range(5), desc="never seen", disable=False))
    assert "never seen" not in capsys.readouterr().err


def test_one_thread_is_for_a_while():
    before = torch.get_num_threads()
    with training.one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
