"""The helpers of the training scripts: checkpoints that survive, a device, settings, figures."""

import dataclasses
import platform
import subprocess
import sys

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


def test_a_training_that_became_nan_stops_and_spoils_no_checkpoint(tmp_path):
    path, (model, optimizer) = tmp_path / "checkpoint.pt", pair()
    with torch.no_grad():
        model.bias[1] = float("nan")
    with pytest.raises(TrainingError, match=r"parameters of the model are NaN.*nothing was saved.*sqrt of 0"):
        training.save_checkpoint(path, model=model, optimizer=optimizer)
    assert not path.exists()
    training.save_checkpoint(path, model=pair()[0], epoch=1)
    with pytest.raises(TrainingError, match=r"checkpoint\.pt holds the state before"):
        training.save_checkpoint(path, epoch=2, model=model)
    assert training.load_checkpoint(path)["epoch"] == 1


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


@pytest.mark.parametrize("has_bf16", [True, False])
def test_precision_on_a_cpu_is_bf16_only_where_the_processor_has_it(monkeypatch, has_bf16):
    monkeypatch.setattr("training.device.cpu_has_bf16", lambda: has_bf16)
    for setting, expected in (("auto", torch.bfloat16 if has_bf16 else torch.float32), ("float32", torch.float32)):
        precision = training.Precision("cpu", setting)
        with precision.autocast():
            assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == expected
        assert str(precision).split()[0] == str(expected).removeprefix("torch.")
    with pytest.raises(TrainingError, match="no precision 'half': pass --precision auto or float32"):
        training.Precision("cpu", "half")


def test_bf16_wants_the_processor_and_the_build(monkeypatch):
    from training.device import cpu_has_bf16

    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda: True, raising=False)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: True)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    assert cpu_has_bf16()
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: False)
    assert not cpu_has_bf16()
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: True)
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.delattr(torch.cpu, name)  # a build that does not know the question
    assert not cpu_has_bf16()


def test_networks_compute_inside_in_bf16_and_formulas_around_them_in_float32(monkeypatch):
    monkeypatch.setattr("training.device.cpu_has_bf16", lambda: True)
    torch.manual_seed(0)
    network, seen = nn.Sequential(nn.Linear(8, 8), nn.Tanh()), []
    network[1].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].dtype))
    x = torch.randn(5, 8)
    plain = network(x)
    training.Precision("cpu").inside(network)
    half = network(x)
    assert seen == [torch.float32, torch.bfloat16] and half.dtype == torch.float32
    assert 0 < (half - plain).abs().max() < 0.02
    half.sum().backward()
    assert network[0].weight.grad.dtype == torch.float32
    assert list(network.state_dict()) == ["0.weight", "0.bias"]


def test_a_moving_average_is_applied_for_a_while_and_saved(tmp_path):
    torch.manual_seed(0)
    network = nn.Linear(1, 1, bias=False)
    average = training.MovingAverage(network, decay=0.5)
    expected, values = float(network.weight), [3.0, 5.0, -1.0]
    for step, value in enumerate(values, start=1):
        with torch.no_grad():
            network.weight.fill_(value)
        average.update()
        keep = min(0.5, (1 + step) / (10 + step))
        expected = keep * expected + (1 - keep) * value
    with pytest.raises(ValueError, match="stop"), average.applied():
        assert float(network.weight) == pytest.approx(expected)
        raise ValueError("stop")
    assert float(network.weight) == -1.0
    training.save_checkpoint(tmp_path / "checkpoint.pt", average=average)
    again = training.MovingAverage(nn.Linear(1, 1, bias=False))
    checkpoint = training.load_checkpoint(tmp_path / "checkpoint.pt")
    training.restore(checkpoint, average=again)
    assert again.steps == 3
    again.apply()
    assert float(again.parameters[0]) == pytest.approx(expected)
    with pytest.raises(TrainingError, match="another model's"):
        training.restore(checkpoint, average=training.MovingAverage(nn.Linear(2, 1)))


class Clock:
    """Each look at it is so many seconds after the one before."""

    def __init__(self, seconds: float):
        self.now, self.seconds = 0.0, seconds

    def monotonic(self) -> float:
        self.now += self.seconds
        return self.now


@pytest.mark.parametrize("minutes, compiled", [(10, False), (20, True)])
def test_a_long_run_is_compiled_after_its_first_steps(monkeypatch, capsys, minutes, compiled):
    from training import compiling

    network = nn.Linear(2, 2)
    done = []
    monkeypatch.setattr(network, "compile", lambda **options: done.append(options))
    monkeypatch.setattr(compiling, "why_not", lambda device: "")
    monkeypatch.setattr(compiling, "time", Clock(60 * minutes * compiling.MEASURED / 1000))
    compiler = training.Compiler("auto", "cpu", network)
    for step in range(100):
        assert not done or step >= compiling.WARM_UP + compiling.MEASURED
        compiler.after_step(1000)
    assert len(done) == compiled
    assert ("about 20 minutes to go" in capsys.readouterr().out) == compiled


def test_without_a_compiler_training_goes_on_and_says_why(monkeypatch, capsys):
    def broken(function):
        raise RuntimeError("there is no C++ compiler\nmore of it")

    monkeypatch.setattr(torch, "compile", broken)
    network = nn.Linear(2, 2)
    training.Compiler("on", "cpu", network)
    said = capsys.readouterr().out
    assert "not compiled, since torch.compile does not work here (RuntimeError: there is no C++ compiler)" in said
    assert network(torch.ones(1, 2)).shape == (1, 2)
    with pytest.raises(TrainingError, match="no setting 'yes': pass --compile auto, on or off"):
        training.Compiler("yes", "cpu", network)
    training.Compiler("off", "cpu", network).after_step(10**9)
    assert capsys.readouterr().out == ""


def test_a_network_that_cannot_be_compiled_runs_as_it_is(monkeypatch):
    def broken(module, inputs):
        raise RuntimeError("no such instruction")

    monkeypatch.setattr("training.compiling.why_not", lambda device: "")
    network, x = nn.Linear(3, 2), torch.ones(1, 3)
    expected, compile = network(x), network.compile
    monkeypatch.setattr(network, "compile", lambda **options: compile(backend=broken, **options))
    training.Compiler("on", "cpu", network)
    assert torch.equal(network(x), expected)


def test_the_unets_start_without_a_checkerboard_and_learn_it_is_all_noise():
    from training.unet import UNet

    torch.manual_seed(0)
    network, x, t = UNet(1, 32), torch.randn(4, 1, 16, 16), torch.tensor([0, 10, 500, 999])
    assert torch.equal(network(x, t), torch.zeros_like(x))
    with torch.no_grad():
        network.noise_share.copy_(network.time(network.sinusoids(t))[-1])  # what only depends on the time
    share = (network(x, t) / x).flatten(1)
    assert share.std(dim=1).max() < 1e-4 and share.mean(dim=1).unique().numel() == 4


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


FAULTS = """
import resource, sys, torch, training
torch.set_num_threads(1)
if sys.argv[1] == "tuned":
    training.tune_cpu()
x = torch.zeros(1 << 19)
for repeat in range(6):
    if repeat == 1:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    activations = [x + i for i in range(10)]  # 20 MB, freed at once
    del activations
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before, float(torch.tensor(1e-39) / 2))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other systems keep freed memory, or cannot be told to")
def test_a_tuned_cpu_keeps_freed_memory_and_sets_tiny_numbers_to_zero():
    def run(word: str) -> list[float]:
        command = [sys.executable, "-c", FAULTS, word]
        return [float(n) for n in subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()]

    faults, tiny = run("tuned")
    assert tiny == 0
    plain_faults, plain_tiny = run("plain")
    assert plain_tiny > 0
    assert faults < plain_faults / 10, "pages that were freed come back from the system"


def test_where_there_is_no_mallopt_tuning_does_the_rest(monkeypatch):
    monkeypatch.setattr(training.device.ctypes, "CDLL", lambda name: object())
    training.tune_cpu()
    assert float(torch.tensor(1e-39) / 2) == 0
    torch.set_flush_denormal(False)
