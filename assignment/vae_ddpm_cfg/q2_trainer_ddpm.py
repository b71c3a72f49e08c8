"""Question 2, part 2: training a DDPM and sampling from it.

    python q2_trainer_ddpm.py --data mnist --epochs 20 --device auto
    python q2_trainer_ddpm.py --width 32 --max-minutes 15 --device cpu    # a short run on a CPU
    python q2_trainer_ddpm.py --help

You complete two methods of Trainer; the rest is given. Nothing runs at import.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm


class Trainer:
    def __init__(self, args, eps_model, diffusion_model):
        """Given. args: the configuration (ddpm_utils/args.py).  diffusion_model: a DenoiseDiffusion."""
        self.args = args
        self.eps_model = eps_model.to(args.device)
        self.diffusion = diffusion_model
        self.optimizer = torch.optim.Adam(self.eps_model.parameters(), lr=args.learning_rate, fused=True)
        self.current_epoch = 0

    def train_one_epoch(self, batches, precision):
        """Given. One optimizer step per batch (images in [0, 1], labels); yields the loss of each step."""
        for images, _ in batches:
            x0 = 2 * images.to(self.args.device) - 1  # the paper's range: [-1, 1]
            with precision.autocast():
                loss = self.diffusion.loss(x0)
            precision.backward_and_step(loss, self.optimizer)
            yield loss.detach()

    @torch.inference_mode()
    def sample(self, n_steps: int | None = None, set_seed: bool = False) -> Tensor:
        """New images, by the whole reverse process from pure noise  (DDPM, Algorithm 2).

        x_T ~ N(0, I);  for t = T, ..., 1 (in code n_steps - 1, ..., 0):  x_{t-1} ~ p_theta(x_{t-1} | x_t)

        n_steps: how many times to go through, from n_steps - 1 down to 0; None means args.n_steps.
        set_seed: start from seed 42.
        Returns the final x (args.n_samples, args.image_channels, args.image_size, args.image_size).
        The pitfall: p_sample wants the time of every image, a (B,) tensor of integers on args.device.
        """
        if set_seed:
            torch.manual_seed(42)
        if n_steps is None:
            n_steps = self.args.n_steps
        args = self.args
        x = torch.randn([args.n_samples, args.image_channels, args.image_size, args.image_size], device=args.device)
        # TODO Q2.6: for every time, from the last to the first, take one reverse step.
        raise NotImplementedError("Q2.6: Trainer.sample")
        return x

    @torch.inference_mode()
    def generate_intermediate_samples(
        self,
        n_samples: int = 4,
        img_size: int = 32,
        steps_to_show: list[int] = [0, 999],  # noqa: B006 (read only)
        n_steps: int | None = None,
        set_seed: bool = False,
    ) -> list[np.ndarray]:
        """The reverse process of sample(), watched on its way  (DDPM, Algorithm 2 and figure 6).

        n_samples, img_size: number and size of the images.
        steps_to_show: how many reverse steps have been taken when x is kept: 1 after the first step (the one
        from time n_steps - 1), n_steps at the very end. The initial noise (0 steps) always comes first and is
        kept once, whether or not 0 is in the list; numbers above n_steps are ignored. So with 1000 steps the
        default, [0, 999], gives two arrays: the noise, and the images just before the last step.
        n_steps, set_seed: as in sample().
        Returns a list of arrays (n_samples, args.image_channels, img_size, img_size), fewest steps first.
        """
        if set_seed:
            torch.manual_seed(42)
        if n_steps is None:
            n_steps = self.args.n_steps
        args = self.args
        x = torch.randn([n_samples, args.image_channels, img_size, img_size], device=args.device)
        images = [x.cpu().numpy()]
        for step in tqdm(range(1, n_steps + 1), desc="intermediate samples", leave=False, delay=1):
            # TODO Q2.7: the time that the reverse step number `step` starts from, then the step.
            raise NotImplementedError("Q2.7: Trainer.generate_intermediate_samples")
            if step in steps_to_show:
                images.append(x.cpu().numpy())
        return images

    def save_samples(self, path, title: str) -> None:
        """Given. The figure of samples after an epoch; the same noise each time, to compare epochs."""
        from training import save_grid

        save_grid(to_unit_range(self.sample(set_seed=True)), path, columns=8, title=title)

    def save_final_figures(self, folder) -> None:
        """Given. The figure of the reverse process: a row per image, a column per moment."""
        from training import save_grid

        steps = np.unique(np.linspace(0, self.args.n_steps, self.args.nb_save).round().astype(int)).tolist()
        images = self.generate_intermediate_samples(
            n_samples=4, img_size=self.args.image_size, steps_to_show=steps, set_seed=True
        )
        rows = torch.from_numpy(np.stack(images, axis=1)).flatten(0, 1)  # (4 x moments, C, H, W)
        save_grid(
            to_unit_range(rows),
            folder / "intermediate_samples.png",
            columns=len(images),
            title="reverse steps taken",
            column_labels=[str(step) for step in steps],
        )


def to_unit_range(x: Tensor) -> Tensor:
    """Given. From the model's range [-1, 1] to the range of images, [0, 1]."""
    return (x.float().clamp(-1, 1) + 1) / 2


def train(args) -> Trainer:
    """Given. Train as args say; checkpoint, history and figures lie in args.out. Returns the trainer."""
    from ddpm_utils.fit import fit
    from ddpm_utils.unet import UNet
    from q2_ddpm import DenoiseDiffusion

    import data_loaders
    import training

    args = replace(args, device=training.pick_device(args.device))
    data = data_loaders.load(args.data, "train", root=args.data_root, image_size=args.image_size, device=args.device)
    torch.manual_seed(args.seed)
    eps_model = training.placed(UNet(args.image_channels, args.width), args.device)
    trainer = Trainer(args, eps_model, DenoiseDiffusion(eps_model, args.n_steps, args.device))
    fit(trainer, data)
    return trainer


def main() -> None:
    """Given. The command line: train, resume, draw the figures."""
    # The repository's own packages are imported only when training: to grade this file takes torch alone.
    sys.path.append(str(Path(__file__).resolve().parents[2]))  # found from any folder, installed or not
    from ddpm_utils.args import Args

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
