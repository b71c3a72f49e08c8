"""Question 3, part 2: training with labels and sampling with classifier-free guidance.

    python q3_trainer_cfg.py --data mnist --epochs 20 --device auto
    python q3_trainer_cfg.py --width 32 --max-minutes 15 --device cpu    # a short run on a CPU
    python q3_trainer_cfg.py --help

You complete Trainer.sample; the rest is given. Nothing runs at import.
"""

import copy
import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from tqdm.auto import tqdm


class Trainer:
    def __init__(self, args, eps_model, diffusion_model):
        """Given. args: the configuration (cfg_utils/args.py).  diffusion_model: a CFGDiffusion."""
        self.args = args
        self.eps_model = eps_model.to(args.device)
        self.diffusion = diffusion_model
        self.optimizer = torch.optim.Adam(self.eps_model.parameters(), lr=args.learning_rate, fused=True)
        self.current_epoch = 0

    def train_one_epoch(self, batches, precision):
        """Given. One optimizer step per batch (images in [0, 1], labels); yields the loss of each step.

        The labels of a batch are dropped with probability args.p_uncond, so that the network learns the
        unconditional prediction too  (CFG, Algorithm 1, line 2).
        """
        for images, labels in batches:
            x0 = 2 * images.to(self.args.device) - 1
            labels = None if torch.rand(()) < self.args.p_uncond else labels.to(self.args.device)
            with precision.autocast():
                loss = self.diffusion.loss(x0, labels)
            precision.backward_and_step(loss, self.optimizer)
            yield loss.detach()

    @torch.inference_mode()
    def sample(
        self,
        labels: Tensor | None = None,
        cfg_scale: float = 3.0,
        n_steps: int | None = None,
        set_seed: bool = False,
    ) -> Tensor:
        """New images of the wanted classes, by guided reverse steps from pure noise  (CFG, Algorithm 2).

        For every time t, from n_steps - 1 down to 0, lambda = get_lambda(t) and lambda' = get_lambda(t - 1):
        eps~ = (1 + w) eps_theta(z_t, labels) - w eps_theta(z_t, None)  (line 3, eq. 6)
        x_t = (z_t - sigma_lambda eps~) / alpha_lambda  (line 4)
        z_{t-1} ~ p_theta(z_{lambda'} | z_lambda) for the image x_t  (line 5)

        labels: (args.n_samples,) integers 0 .. 9; None draws them at random.
        cfg_scale: the guidance strength w, 0 for none.
        n_steps: None means args.n_steps.  set_seed: start from seed 42.  Times and labels are on args.device.
        Returns the last x_t (args.n_samples, args.image_channels, args.image_size, args.image_size), not z:
        at t = 0 there is no cleaner level left to go to.
        """
        if set_seed:
            torch.manual_seed(42)
        if n_steps is None:
            n_steps = self.args.n_steps
        args = self.args
        z_t = torch.randn([args.n_samples, args.image_channels, args.image_size, args.image_size], device=args.device)
        if labels is None:
            labels = torch.randint(0, 10, (args.n_samples,), device=args.device)
        # TODO Q3.11: the loop of Algorithm 2: two predictions, guidance, x_t, then the next z_t.
        raise NotImplementedError("Q3.11: Trainer.sample")

    def paired(self) -> "Trainer":
        """Given. This trainer, whose network gives both predictions of a step by one pass: the same samples."""
        from cfg_utils.paired import PairedPasses

        twin = copy.copy(self)
        twin.eps_model = PairedPasses(self.eps_model)
        return twin

    def save_samples(self, path, title: str) -> None:
        """Given. The figure of samples after an epoch: a row per class; the same noise each time."""
        from training import save_grid

        n_classes = self.args.n_classes
        columns = self.args.n_samples // n_classes
        labels = torch.arange(n_classes, device=self.args.device).repeat_interleave(columns)
        images = to_unit_range(self.paired().sample(labels, cfg_scale=self.args.cfg_scale, set_seed=True))
        save_grid(images, path, columns, title=title, row_labels=[str(c) for c in range(n_classes)])

    def save_final_figures(self, folder, cfg_scales=(0.0, 1.0, 3.0, 6.0)) -> None:
        """Given. The figure of guidance strengths: a row per strength, a column per class, the same noise."""
        from training import save_grid

        labels = torch.arange(self.args.n_classes, device=self.args.device)
        one_each = self.paired()
        one_each.args = replace(self.args, n_samples=self.args.n_classes)
        images = torch.cat([one_each.sample(labels, cfg_scale=w, set_seed=True) for w in cfg_scales])
        images = to_unit_range(images)
        save_grid(
            images,
            folder / "guidance.png",
            columns=self.args.n_classes,
            row_labels=[f"w = {w:g}" for w in cfg_scales],
            column_labels=[str(c) for c in range(self.args.n_classes)],
        )


def to_unit_range(x: Tensor) -> Tensor:
    """Given. From the model's range [-1, 1] to the range of images, [0, 1]."""
    return (x.float().clamp(-1, 1) + 1) / 2


def train(args) -> Trainer:
    """Given. Train as args say; checkpoint, history and figures lie in args.out. Returns the trainer."""
    from cfg_utils.unet import UNet
    from ddpm_utils.fit import fit
    from q3_cfg_diffusion import CFGDiffusion

    import data_loaders
    import training

    args = replace(args, device=training.pick_device(args.device))
    data = data_loaders.load(args.data, "train", root=args.data_root, image_size=args.image_size, device=args.device)
    torch.manual_seed(args.seed)
    eps_model = training.placed(UNet(args.image_channels, args.width, args.n_classes), args.device)
    trainer = Trainer(args, eps_model, CFGDiffusion(eps_model, args.n_steps, args.device))
    fit(trainer, data)
    return trainer


def main() -> None:
    """Given. The command line: train, resume, draw the figures."""
    # The repository's own packages are imported only when training: to grade this file takes torch alone.
    sys.path.append(str(Path(__file__).resolve().parents[2]))  # found from any folder, installed or not
    from cfg_utils.args import Args

    import data_loaders
    import training

    args = training.parse_config(Args, description=__doc__.splitlines()[0])
    try:
        train(args)
    except (data_loaders.DataError, training.TrainingError) as error:
        sys.exit(f"error: {error}")
    except NotImplementedError as error:
        sys.exit(f"still to do: {error}")
    except KeyboardInterrupt:
        sys.exit(f"stopped: the same command with --resume goes on from the last epoch in {args.out}")


if __name__ == "__main__":
    main()
