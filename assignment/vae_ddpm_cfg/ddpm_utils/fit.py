"""Given: the training loop of questions 2 and 3.

It calls the trainer's train_one_epoch, save_samples and save_final_figures. Everything it writes lies in
args.out: checkpoint.pt, history.json, loss.png, samples_epoch_*.png and the final figures.
"""

import contextlib
import itertools
import json
import time
from pathlib import Path

import torch

import training

LOG_EVERY = 50  # optimizer steps that one point of the loss curve averages


def fit(trainer, data) -> dict[str, list]:
    """Train to args.epochs or to a limit, with a checkpoint and a figure of samples after each epoch.

    data: a data_loaders.ResidentDataset.
    Figures are drawn with the moving average of the network's parameters, which the network has afterwards.
    Returns the history: "step", every LOG_EVERY, and "loss", the average of the steps up to it.
    """
    args, out = trainer.args, Path(trainer.args.out)
    training.tune_cpu()
    precision = training.Precision(args.device, args.precision)
    compiler = training.Compiler(args.compile, args.device, trainer.eps_model)
    average = training.MovingAverage(trainer.eps_model)
    n_batches = len(data.batches(args.batch_size, drop_last=True))
    last_step = min(args.epochs * n_batches, args.max_steps or args.epochs * n_batches)
    step, history, seconds = 0, {"step": [], "loss": []}, 0.0

    checkpoint = training.load_checkpoint(out / "checkpoint.pt", args.device) if args.resume else None
    if checkpoint:
        training.restore(checkpoint, eps_model=trainer.eps_model, optimizer=trainer.optimizer, average=average)
        step, history = checkpoint["step"], checkpoint["history"]
    print(f"on {args.device} in {precision}")

    pending = []  # losses since the last point of the curve; tensors, so that no step waits for a GPU
    is_last = step >= last_step
    while not is_last:
        trainer.current_epoch = step // n_batches
        trainer.eps_model.train()
        # Each epoch has an order of its own, so that a resumed run meets the images that it had left.
        order = torch.Generator().manual_seed(args.seed + trainer.current_epoch)
        batches = data.batches(args.batch_size, shuffle=True, generator=order, drop_last=True)
        batches = itertools.islice(batches, step % n_batches, None)
        description = f"epoch {trainer.current_epoch + 1}/{args.epochs}"
        start = time.monotonic()
        with training.progress(total=n_batches, initial=step % n_batches, desc=description) as bar:
            for loss in trainer.train_one_epoch(batches, precision):
                step += 1
                average.update()
                compiler.after_step(last_step - step)
                pending.append(loss)
                bar.update()
                if step % LOG_EVERY == 0:
                    history["step"].append(step)
                    history["loss"].append(torch.stack(pending).float().mean().item())
                    bar.set_postfix(loss=f"{history['loss'][-1]:.1f}", refresh=False)
                    pending.clear()
                out_of_time = args.max_minutes and seconds + time.monotonic() - start > 60 * args.max_minutes
                is_last = step >= last_step or out_of_time
                if is_last:
                    break
        seconds += time.monotonic() - start

        training.save_checkpoint(
            out / "checkpoint.pt",
            eps_model=trainer.eps_model,
            optimizer=trainer.optimizer,
            average=average,
            step=step,
            history=history,
        )
        (out / "history.json").write_text(json.dumps(history))
        curve = {"training loss": history["loss"]}
        training.save_curves(curve, out / "loss.png", xlabel=f"training steps / {LOG_EVERY}")
        if is_last or (trainer.current_epoch + 1) % args.sample_every == 0:
            epoch = step / n_batches
            name = f"{epoch:06.2f}".removesuffix(".00")  # 007, or 007.50 where a limit ends within an epoch
            path, title = out / f"samples_epoch_{name}.png", f"after {epoch:.3g} epoch{'s' if epoch != 1 else ''}"
            with drawing(trainer, precision, average):
                trainer.save_samples(path, title)
    with drawing(trainer, precision, average):
        trainer.save_final_figures(out)
    average.apply()
    return history


def drawing(trainer, precision, average):
    """The averaged network in evaluation mode, mixed precision, a random state of its own: training notices nothing."""
    stack = contextlib.ExitStack()
    stack.enter_context(torch.random.fork_rng())
    stack.enter_context(average.applied())
    stack.enter_context(precision.autocast())
    trainer.eps_model.eval()
    return stack
