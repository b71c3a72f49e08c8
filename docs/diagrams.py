"""The drawn figures of the handouts, what each model is: `make pictures P=diagrams` writes them as SVG.

Each function draws one diagram; assignments that share a model share it. Pictures of data are those that come with the
repository.
"""

from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

import data_loaders

ROOT = Path(__file__).resolve().parents[1]
BLUE, ORANGE, GREEN, GREY = "#1f5fa8", "#c8501e", "#2e7d4f", "#777777"
STYLE = {"svg.hashsalt": "figures", "mathtext.fontset": "cm", "font.size": 12, "svg.image_inline": True}


def canvas(width: float, height: float):
    """Axes in inches, without a frame."""
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(0, height))
    axes.axis("off")
    return axes


def box(axes, x: float, y: float, text: str, width: float = 1.2, height: float = 0.7, colour: str = BLUE) -> None:
    corner = (x - width / 2, y - height / 2)
    style = "round,pad=0,rounding_size=0.12"
    axes.add_patch(FancyBboxPatch(corner, width, height, boxstyle=style, fc="white", ec=colour, lw=1.6))
    axes.text(x, y, text, ha="center", va="center", color=colour)


def circle(axes, x: float, y: float, text: str, colour: str = "black", filled: bool = False) -> None:
    face = "#e4e4e4" if filled else "white"
    axes.plot(x, y, "o", markersize=36, mfc=face, mec=colour, mew=1.4)
    axes.text(x, y, text, ha="center", va="center", color=colour, fontsize=13)


def arrow(
    axes, start, end, text: str = "", colour: str = "black", bend: float = 0.0, dashed: bool = False, dy=0.16
) -> None:
    style = {"arrowstyle": "-|>", "mutation_scale": 13, "lw": 1.4, "color": colour, "shrinkA": 0, "shrinkB": 0}
    line = "--" if dashed else "-"
    axes.add_patch(FancyArrowPatch(start, end, connectionstyle=f"arc3,rad={bend}", linestyle=line, **style))
    if text:
        middle = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2 - bend * abs(end[0] - start[0]) / 2
        axes.text(middle[0], middle[1] + dy, text, ha="center", va="center", color=colour)


def picture(axes, x: float, y: float, image: torch.Tensor, size: float = 0.9) -> None:
    """An image (C, H, W) in [0, 1], centred."""
    pixels = image.clamp(0, 1).permute(1, 2, 0).expand(-1, -1, 3).numpy()
    half = size / 2
    place = axes.inset_axes((x - half, y - half, size, size), transform=axes.transData)
    place.imshow(pixels, interpolation="nearest")
    place.set(xticks=[], yticks=[])
    place.spines[:].set_color(GREY)


def noised(image: torch.Tensor, levels: list[float]) -> list[torch.Tensor]:
    """The image with more and more noise, as in eq. (3) of the handout: factors sqrt(alpha-bar) of the image."""
    noise = torch.randn(image.shape, generator=torch.Generator().manual_seed(1))
    return [0.5 + 0.5 * (a**0.5 * (2 * image - 1) + (1 - a) ** 0.5 * noise) for a in levels]


# ---------------------------------------------------------------- VAE


def vae(image: torch.Tensor) -> Callable:
    def draw():
        axes = canvas(8.6, 2.5)
        y = 1.55
        picture(axes, 0.7, y, image)
        box(axes, 2.25, y, "encoder")
        box(axes, 4.3, y, r"$z = \mu + \sigma\,\epsilon$", width=1.6, colour=GREEN)
        box(axes, 6.35, y, "decoder")
        blurred = torch.nn.functional.avg_pool2d(image[None], 3, stride=1, padding=1, count_include_pad=False)[0]
        picture(axes, 7.9, y, blurred)
        arrow(axes, (1.2, y), (1.62, y))
        arrow(axes, (2.88, y), (3.47, y), r"$\mu, \sigma$", dy=0.2)
        arrow(axes, (5.13, y), (5.72, y), "$z$", dy=0.2)
        arrow(axes, (6.98, y), (7.42, y))
        axes.text(0.7, 2.25, "$x$", ha="center")
        axes.text(7.9, 2.25, r"mean of $p(x\,|\,z)$", ha="center")
        axes.text(2.25, 2.15, r"$q(z\,|\,x)$", ha="center", color=BLUE)
        axes.text(6.35, 2.15, r"$p(x\,|\,z)$", ha="center", color=BLUE)
        axes.text(4.3, 2.15, r"$\epsilon \sim \mathcal{N}(0, I)$", ha="center", color=GREEN)
        axes.text(3.3, 0.55, r"$-\,\mathrm{KL}(q(z\,|\,x)\,\Vert\,p(z))$", ha="center", color=ORANGE)
        axes.text(6.9, 0.55, r"$\mathbb{E}_q[\log p(x\,|\,z)]$", ha="center", color=ORANGE)
        axes.text(5.3, 0.55, "+", ha="center", color=ORANGE)
        axes.text(1.25, 0.55, "ELBO  =", ha="center", color=ORANGE)
        axes.text(3.3, 0.18, "stay near the prior", ha="center", color=GREY, fontsize=10)
        axes.text(6.9, 0.18, "give the image back", ha="center", color=GREY, fontsize=10)
        return axes.figure

    return draw


# ---------------------------------------------------------------- diffusion


def ddpm(image: torch.Tensor) -> Callable:
    def draw():
        axes = canvas(8.6, 2.9)
        places = [0.8, 2.55, 4.3, 6.05, 7.8]
        names = ["$x_0$", "$x_{t-1}$", "$x_t$", "$x_{t+1}$", "$x_T$"]
        for x, name, picture_ in zip(places, names, noised(image, [1.0, 0.85, 0.6, 0.3, 0.0]), strict=True):
            picture(axes, x, 1.45, picture_)
            axes.text(x, 0.78, name, ha="center")
        for left, right in zip(places[:-1], places[1:], strict=True):
            gap = "dots" if left in (places[0], places[3]) else ""
            if gap:
                axes.text((left + right) / 2, 1.42, r"$\cdots$", ha="center")
            else:
                arrow(axes, (left + 0.1, 1.98), (right - 0.1, 1.98), colour=GREY, bend=-0.25)
                arrow(axes, (right - 0.1, 0.62), (left + 0.1, 0.62), colour=BLUE, bend=-0.25)
        axes.text(4.3, 2.55, r"$q(x_t\,|\,x_{t-1})$: a little noise, known, nothing to learn", ha="center", color=GREY)
        axes.text(
            4.3, 0.05, r"$p_\theta(x_{t-1}\,|\,x_t)$: the network predicts the noise, a step takes some of it away",
            ha="center", color=BLUE,
        )  # fmt: skip
        return axes.figure

    return draw


def cfg():
    axes = canvas(8.6, 3.0)
    box(axes, 0.9, 1.5, "$z_\\lambda$", width=0.8, colour=GREEN)
    box(axes, 3.1, 2.2, r"network$(z, c)$", width=1.9)
    box(axes, 3.1, 0.8, r"network$(z, \varnothing)$", width=1.9)
    arrow(axes, (1.32, 1.65), (2.12, 2.15))
    arrow(axes, (1.32, 1.35), (2.12, 0.85))
    axes.text(1.55, 2.25, "label $c$", ha="center", color=GREY)
    axes.text(1.55, 0.62, "no label", ha="center", color=GREY)
    origin, plain, told = np.array([5.0, 0.45]), np.array([6.1, 1.55]), np.array([6.75, 1.35])
    guided = told + 1.6 * (told - plain)
    axes.plot(*origin, "ko", markersize=4)
    arrow(axes, origin, plain, colour=GREY)
    arrow(axes, origin, told, colour=BLUE)
    arrow(axes, origin, guided, colour=ORANGE)
    axes.plot(*np.stack([plain, guided]).T, ":", color=GREY, linewidth=1.2)
    axes.text(*(plain + [0, 0.15]), r"$\epsilon_\theta(z, \varnothing)$", ha="center", color=GREY)
    axes.text(*(told + [0.2, 0.18]), r"$\epsilon_\theta(z, c)$", ha="left", color=BLUE)
    axes.text(*(guided + [0.12, -0.1]), r"$\tilde\epsilon$", ha="left", color=ORANGE)
    axes.text(
        6.5, 2.55, r"$\tilde\epsilon = (1 + w)\,\epsilon_\theta(z, c) - w\,\epsilon_\theta(z, \varnothing)$",
        ha="center", color=ORANGE,
    )  # fmt: skip
    arrow(axes, (4.1, 2.2), (4.75, 1.75), colour=BLUE)
    arrow(axes, (4.1, 0.8), (4.75, 1.05), colour=GREY)
    return axes.figure


# ---------------------------------------------------------------- GANs


def gan():
    images = data_loaders.load("digits_rgb", "test").images
    axes = canvas(8.6, 2.9)
    axes.text(0.85, 0.75, r"$z \sim \mathcal{N}(0, I)$", ha="center", va="center", color=GREEN)
    box(axes, 2.7, 0.75, "generator $G$", width=1.5)
    noise = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(0))
    picture(axes, 4.45, 0.75, 0.65 * images[7] + 0.35 * noise)
    picture(axes, 4.45, 2.1, images[3])
    axes.text(2.7, 2.1, "images of the data, $x$", ha="center", va="center")
    box(axes, 6.3, 1.42, "discriminator $D$", width=1.8, colour=ORANGE)
    axes.text(7.95, 1.42, "real\nor fake?", ha="center", va="center", color=ORANGE)
    arrow(axes, (1.6, 0.75), (1.92, 0.75))
    arrow(axes, (3.48, 0.75), (3.97, 0.75))
    arrow(axes, (3.75, 2.1), (3.97, 2.1))
    arrow(axes, (4.93, 2.05), (5.38, 1.65))
    arrow(axes, (4.93, 0.8), (5.38, 1.2))
    arrow(axes, (7.23, 1.42), (7.5, 1.42))
    arrow(axes, (6.3, 1.02), (2.7, 0.35), colour=BLUE, bend=-0.28, dashed=True)
    axes.text(5.35, 0.1, "the gradient by which $G$ learns", ha="left", va="center", color=BLUE, fontsize=10)
    return axes.figure


def critic():
    axes = canvas(8.6, 2.9)
    axes.text(1.0, 2.35, "data $P$", ha="center", va="center")
    axes.text(1.0, 1.05, "samples $Q$", ha="center", va="center", color=BLUE)
    box(axes, 2.7, 1.7, "critic $C$", width=1.2, colour=ORANGE)
    arrow(axes, (1.45, 2.25), (2.05, 1.9))
    arrow(axes, (1.55, 1.15), (2.05, 1.5), colour=BLUE)
    axes.text(3.95, 2.3, "large", ha="center", color="black")
    axes.text(3.95, 1.0, "small", ha="center", color=BLUE)
    arrow(axes, (3.33, 1.85), (3.75, 2.2))
    arrow(axes, (3.33, 1.55), (3.75, 1.2), colour=BLUE)
    axes.text(2.3, 0.3, "metric: the critic's bound of JSD or $W_1$", ha="center", color=GREY, fontsize=10)
    game(axes, 6.5, 1.0, r"$C(x) = \psi x$", "the Dirac game")
    return axes.figure


def game(axes, x: float, y: float, label: str, title: str = "") -> None:
    """The real line with two points on it, and a critic above; centred at x."""
    arrow(axes, (x - 1.8, y), (x + 1.9, y), colour=GREY)
    axes.plot([x - 1.5, x + 1.6], [y - 0.45, y + 1.15 - 0.05], color=ORANGE, lw=1.6)
    axes.plot(x - 0.63, y, "ko", markersize=7)
    axes.plot(x + 0.75, y, "o", color=BLUE, markersize=7)
    axes.text(x - 0.63, y - 0.33, "0, the data", ha="center")
    axes.text(x + 0.75, y - 0.33, r"$\theta$, the generator", ha="center", color=BLUE)
    axes.text(x + 1.1, y + 1.2, label, ha="right", color=ORANGE)
    if title:
        axes.text(x, y + 1.65, title, ha="center", color=GREY)


def dirac():
    axes = canvas(6.4, 2.9)
    game(axes, 3.1, 0.85, r"$C_\psi(x) = \psi_0 x + \psi_1$")
    axes.text(
        3.1, 2.6, r"which way does $\theta$ go, and which way does the line turn?", ha="center", color=GREY, fontsize=10
    )
    return axes.figure


# ---------------------------------------------------------------- flows


def flow():
    figure = Figure(figsize=(8.6, 2.9), layout="constrained")
    generator = np.random.default_rng(0)
    z = generator.normal(size=(1500, 2))
    steps = [((2.0, 0.0), (1.6, 0.6), 0.3), ((-0.3, 1.7), (1.2, 1.4), 0.2), ((1.3, 1.0), (-0.8, 1.9), -0.6)]
    names = ["$u_0$", "$u_1 = f_1(u_0)$", "$u_2 = f_2(u_1)$", "$u_3 = f_3(u_2)$"]
    colour = np.arctan2(z[:, 1], z[:, 0])
    for number, panel in enumerate(figure.subplots(1, 4)):
        panel.scatter(*z.T, s=1.5, c=colour, cmap="twilight", rasterized=True)
        panel.set(xlim=(-4, 4), ylim=(-4, 4), aspect="equal", xticks=[], yticks=[], title=names[number])
        if number < len(steps):
            u, w, b = (np.array(value) for value in steps[number])
            line = np.array([[-9.0], [9.0]]) * np.array([-w[1], w[0]]) / np.linalg.norm(w) - b * w / (w @ w)
            panel.plot(*line.T, color=ORANGE, lw=1.2)
            z = z + u * np.tanh(z @ w + b)[:, None]
    figure.supxlabel(
        r"line: $w^\top z + b = 0$ of the next step, $f(z) = z + u\,\tanh(w^\top z + b)$", fontsize=11, color=ORANGE
    )
    return figure


def radial():
    figure = Figure(figsize=(5.6, 3.2), layout="constrained")
    axes = figure.subplots()
    r = np.linspace(0, 4, 400)
    for beta, colour in ((1.0, BLUE), (-1.0, GREEN), (-2.5, ORANGE)):
        y = r + beta * r / (1 + r)
        axes.plot(r, np.abs(y), color=colour, label=rf"$\alpha = 1$, $\beta = {beta:g}$")
    axes.set(xlabel=r"$r = \Vert z - z_0 \Vert$", ylabel=r"$\Vert y - z_0 \Vert$", xlim=(0, 4), ylim=(0, 4))
    axes.legend()
    axes.grid(alpha=0.3)
    return figure


def joint():
    axes = canvas(8.6, 3.0)
    places, names = [2.9, 4.6, 6.3, 8.0], ["$x_0$", "$x_1$", r"$\cdots$", "$x_T$"]
    for x, name in zip(places, names, strict=True):
        if name.startswith("$x"):
            circle(axes, x, 1.0, name, filled=name == "$x_0$")
        else:
            axes.text(x, 1.0, name, ha="center", va="center", fontsize=16)
    circle(axes, 0.6, 1.7, "$z$")
    circle(axes, 1.7, 2.45, "$c$", filled=True)
    for left, right in zip(places[:-1], places[1:], strict=True):
        arrow(axes, (right - 0.32, 0.93), (left + 0.32, 0.93), colour=BLUE)
        arrow(axes, (left + 0.15, 0.72), (right - 0.15, 0.72), colour=GREY, bend=0.35, dashed=True)
    arrow(axes, (0.82, 1.95), (1.42, 2.3), colour=BLUE)
    for x in places[:-1]:
        arrow(axes, (0.93, 1.72), (x - 0.1, 1.3), colour=BLUE, bend=-0.12)
        arrow(axes, (2.0, 2.4), (x + 0.05, 1.33), colour=BLUE, bend=-0.15)
    arrow(axes, (2.62, 0.85), (0.75, 1.38), colour=GREY, bend=-0.25, dashed=True)
    arrow(axes, (1.4, 2.25), (0.62, 2.02), colour=GREY, bend=0.35, dashed=True)
    axes.text(6.9, 2.6, r"model: $p(z)\,p_\theta(c\,|\,z)\,p_\phi(x_{0:T}\,|\,c, z)$", ha="center", color=BLUE)
    axes.text(6.9, 2.2, r"$q(x_{1:T}, z\,|\,c, x_0)$, dashed; grey: known", ha="center", color=GREY)
    return axes.figure


# ---------------------------------------------------------------- sprites, scores


def samplers():
    image = data_loaders.load("drawn_sprites").images[1203]
    axes = canvas(8.6, 3.3)
    places = [0.8 + 1.0 * i for i in range(8)]
    for number, (x, shown) in enumerate(
        zip(places, noised(image, [1, 0.9, 0.72, 0.52, 0.34, 0.18, 0.07, 0]), strict=True)
    ):
        picture(axes, x, 1.65, shown, size=0.72)
        if number:
            arrow(axes, (x - 0.1, 2.1), (places[number - 1] + 0.1, 2.1), colour=BLUE, bend=0.35)
    for start, end in ((7, 4), (4, 2), (2, 0)):
        arrow(axes, (places[start] - 0.08, 1.2), (places[end] + 0.08, 1.2), colour=ORANGE, bend=-0.22)
    axes.text(0.8, 2.85, "$x_0$", ha="center")
    axes.text(places[7], 2.85, "$x_T$", ha="center")
    axes.text(4.3, 2.85, r"DDPM: all $T$ steps, fresh noise $\sigma_t z$ after each", ha="center", color=BLUE)
    axes.text(4.3, 0.12, "DDIM: a few jumps by way of the estimated clean image, no noise", ha="center", color=ORANGE)
    return axes.figure


def algorithm():
    axes = canvas(6.6, 2.5)
    axes.axhline(2.35, color="black", lw=1.6)
    axes.axhline(1.97, color="black", lw=0.8)
    axes.axhline(0.1, color="black", lw=1.6)
    axes.text(0.15, 2.08, "Algorithm 2: sampling (Ho, Jain and Abbeel 2020)", fontsize=12)
    lines = [
        (0, r"1   $x_T \sim \mathcal{N}(0, I)$"),
        (0, r"2   for $t = T, \ldots, 1$:"),
        (0.35, r"3   $z \sim \mathcal{N}(0, I)$ if $t > 1$, else $z = 0$"),
        (
            0.35,
            r"4   $x_{t-1} = \frac{1}{\sqrt{\alpha_t}} \left( x_t - \frac{1 - \alpha_t}{\sqrt{1 - \bar\alpha_t}}"
            r"\,\epsilon_\theta(x_t, t) \right) + \sigma_t z$",
        ),
        (0, r"5   return $x_0$"),
    ]
    for number, (indent, text) in enumerate(lines):
        axes.text(0.15 + indent, 1.66 - 0.35 * number, text, va="center", fontsize=13)
    return axes.figure


def score():
    figure = Figure(figsize=(8.6, 3.1), layout="constrained")
    axis = np.linspace(-5, 5, 60)
    x, y = np.meshgrid(axis, axis)
    coarse = np.meshgrid(np.linspace(-4.4, 4.4, 11), np.linspace(-4.4, 4.4, 11))
    means, weights = [(-2.2, -1.0), (2.2, 1.4)], [0.7, 0.3]

    def density(x, y, variance):
        parts = [
            w * np.exp(-((x - a) ** 2 + (y - b) ** 2) / (2 * variance)) / variance
            for w, (a, b) in zip(weights, means, strict=True)
        ]
        return sum(parts), parts

    for panel, sigma in zip(figure.subplots(1, 3), (4.0, 1.5, 0.3), strict=True):
        variance = 0.6 + sigma**2
        panel.imshow(density(x, y, variance)[0], cmap="Blues", origin="lower", extent=(-5, 5, -5, 5))
        total, parts = density(*coarse, variance)
        u = sum(part * (a - coarse[0]) for part, (a, _) in zip(parts, means, strict=True)) / (total * variance)
        v = sum(part * (b - coarse[1]) for part, (_, b) in zip(parts, means, strict=True)) / (total * variance)
        length = np.hypot(u, v)
        panel.quiver(*coarse, u / np.sqrt(length), v / np.sqrt(length), color=ORANGE, width=0.006)
        panel.set(xticks=[], yticks=[], aspect="equal", title=rf"$\nabla_x \log p_\sigma(x)$, $\sigma = {sigma:g}$")
    figure.supxlabel(
        r"annealed Langevin dynamics follows the arrows, from large $\sigma$ to small", fontsize=11, color=GREY
    )
    return figure


def sprites() -> Figure:
    images = data_loaders.load("drawn_sprites").images
    shown = images[torch.arange(20) * 299]
    axes = canvas(7.6, 1.6)
    for number, image in enumerate(shown):
        picture(axes, 0.45 + 0.745 * (number % 10), 1.2 - 0.78 * (number // 10), image, size=0.68)
    return axes.figure


def main() -> None:
    """Write all diagrams."""
    digit = data_loaders.load("digits", "test", image_size=16).images[4]
    coloured = data_loaders.load("digits_rgb", "test").images[3]
    wanted = {
        "vae_ddpm_cfg": {"model_vae": vae(digit), "model_ddpm": ddpm(digit), "model_cfg": cfg},
        "vae_gan_ddpm": {"model_vae": vae(coloured), "model_gan": gan, "model_ddpm": ddpm(coloured)},
        "vae_gan_flows": {"model_vae": vae(digit.round()), "model_critic": critic, "model_flow": flow},
        "ddim_score": {
            "sprites": sprites,
            "model_samplers": samplers,
            "algorithm_ddpm": algorithm,
            "model_score": score,
        },
        "theory": {"radial": radial, "model_joint": joint, "dirac": dirac},
    }
    for slug, diagrams in wanted.items():
        folder = ROOT / "assignment" / slug / "figures"
        folder.mkdir(exist_ok=True)
        for name, draw in diagrams.items():
            with mpl.rc_context(STYLE):
                figure = draw()
                figure.set_facecolor("white")
                if name == "sprites":
                    figure.savefig(folder / f"{name}.png", dpi=100)
                else:
                    figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
