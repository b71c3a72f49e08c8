"""Question 2: the losses, the penalties and the training step of a GAN. You complete this file; run_exp.py uses it.

P is the data's distribution, Q the generator's. A batch of samples is a float tensor (B, ...): (B, 1) for the Dirac
experiments, (B, 3, 32, 32) for images. A critic maps it to one number for each sample, (B, 1) or (B,); it is trained to
be large on P and small on Q. Nothing may depend on a particular shape of the samples.

[GAN]    I. Goodfellow et al.: Generative Adversarial Nets. NeurIPS 2014, arXiv:1406.2661.
[WGAN]   M. Arjovsky, S. Chintala, L. Bottou: Wasserstein GAN. ICML 2017, arXiv:1701.07875.
[WGANGP] I. Gulrajani et al.: Improved Training of Wasserstein GANs. NeurIPS 2017, arXiv:1704.00028.
[R1]     L. Mescheder, A. Geiger, S. Nowozin: Which Training Methods for GANs do actually Converge? ICML 2018,
         arXiv:1801.04406.
[EMA]    Y. Yazici et al.: The Unusual Effectiveness of Averaging in GAN Training. ICLR 2019, arXiv:1806.04498.
"""

import math
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Critic = Callable[[Tensor], Tensor]
Optimizer = torch.optim.Optimizer


def jsd(cp: Tensor, cq: Tensor) -> Tensor:
    """Estimate of the Jensen-Shannon divergence between P and Q by a critic whose sigmoid is the probability of "real".

        JSD(P, Q) >= 1/2 ( E_p[log sigma(C(x))] + E_q[log sigma(-C(x))] + log 4 )    [GAN, eq. (1), theorem 1]

    Args:
        cp: (B, 1) or (B,) the critic's outputs on samples of P, any real numbers.
        cq: (B', 1) or (B',) the critic's outputs on samples of Q.

    Returns:
        scalar: 0 for a critic that is 0 everywhere, log 2 for one that tells P and Q apart without doubt. In nats.

    Note: a critic that is sure of itself gives |c| = 100 and more; values and gradients stay finite there, and exact.
    """
    # BEGIN SOLUTION Q2.1: the mean log-probabilities of "real" and of "generated", in a form that cannot overflow.
    return 0.5 * (F.logsigmoid(cp).mean() + F.logsigmoid(-cq).mean() + math.log(4))
    # END SOLUTION


def w1(cp: Tensor, cq: Tensor) -> Tensor:
    """Estimate of the Wasserstein-1 distance between P and Q by a critic that is 1-Lipschitz.

        W1(P, Q) >= E_p[C(x)] - E_q[C(x)]                                                            [WGAN, eq. (2)]

    Args:
        cp: (B, 1) or (B,) the critic's outputs on samples of P.
        cq: (B', 1) or (B',) the critic's outputs on samples of Q.

    Returns:
        scalar: positive when the critic is larger on P.
    """
    # BEGIN SOLUTION Q2.2: the difference of two means.
    return cp.mean() - cq.mean()
    # END SOLUTION


def ogp(p: Tensor, cp: Tensor, q: Tensor, cq: Tensor, critic: Critic) -> Tensor:
    """The original, one-centred gradient penalty.

        E[ ( || grad_x C(x^) ||_2 - 1 )^2 ],   x^ = e p + (1 - e) q,   e ~ U(0, 1)                  [WGANGP, eq. (3)]

    The norm is that of the whole gradient of one sample, whatever the sample's shape; e is one number for each sample.

    Args:
        p, q: (B, ...) as many samples of P as of Q; they need not require gradients.
        cp, cq: the critic's outputs on them; not needed here, so that both penalties are called alike.
        critic: maps (B, ...) to (B, 1) or (B,).

    Returns:
        scalar: the mean over the batch, without any coefficient. Its gradient reaches the critic's parameters.

    Note: the gradient is part of a loss, so it must itself be differentiable.
    """
    # BEGIN SOLUTION Q2.3: a random point between each p and its q, the norm of the critic's gradient there, minus one.
    epsilon = torch.rand(len(p), *[1] * (p.dim() - 1), dtype=p.dtype, device=p.device)
    between = torch.lerp(q.detach(), p.detach(), epsilon).requires_grad_()
    # Each output depends on its own sample alone: the gradient of the sum holds the gradients of all.
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()
    # END SOLUTION


def r1gp(p: Tensor, cp: Tensor, q: Tensor, cq: Tensor, critic: Critic) -> Tensor:
    """The zero-centred gradient penalty on real data, R1.

        E_p[ || grad_x C(x) ||_2^2 ]                                                 [R1, eq. (9), without gamma / 2]

    Args:
        p: (B, ...) samples of P; they need not require gradients.
        cp, q, cq: as for ogp; not needed here.
        critic: maps (B, ...) to (B, 1) or (B,).

    Returns:
        scalar: the mean over the batch, without any coefficient (no 1/2: the factor is make_losses' reg_cf). Its
        gradient reaches the critic's parameters.
    """
    # BEGIN SOLUTION Q2.4: the squared norm of the critic's gradient at each sample of P.
    real = p.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(real).sum(), real, create_graph=True)
    return gradient.flatten(1).square().sum(dim=1).mean()
    # END SOLUTION


def make_losses(loss_type: str, reg_type: str | None = None, reg_cf: float = 1.0) -> tuple[Callable, Callable]:
    """Make the two sides' losses out of the functions above.

        metric(p, q, critic)         the estimate of JSD or W1: the generator minimizes it
        critic_loss(p, q, critic)    the critic minimizes  -metric + reg_cf * penalty

    Args:
        loss_type: "JSD" or "W1".
        reg_type: "GP" (ogp), "R1" (r1gp), or None for no penalty.
        reg_cf: the penalty's coefficient.

    Returns:
        metric, critic_loss: functions of p (B, ...), q (B, ...) and the critic; each returns a scalar with gradients.

    Raises:
        NotImplementedError: for any other loss_type or reg_type.
    """
    # BEGIN SOLUTION Q2.5: pick the functions by their names, refuse other names, and return two functions.
    divergences = {"JSD": jsd, "W1": w1}
    penalties = {"GP": ogp, "R1": r1gp, None: None}
    if loss_type not in divergences:
        raise NotImplementedError(f"there is no loss_type {loss_type!r}: choose JSD or W1")
    if reg_type not in penalties:
        raise NotImplementedError(f"there is no reg_type {reg_type!r}: choose GP, R1 or None")
    divergence, penalty = divergences[loss_type], penalties[reg_type]

    def metric(p: Tensor, q: Tensor, critic: Critic) -> Tensor:
        return divergence(cp=critic(p), cq=critic(q))

    def critic_loss(p: Tensor, q: Tensor, critic: Critic) -> Tensor:
        cp, cq = critic(p), critic(q)
        loss = -divergence(cp=cp, cq=cq)
        if penalty is not None:
            loss = loss + reg_cf * penalty(p=p, cp=cp, q=q, cq=cq, critic=critic)
        return loss

    return metric, critic_loss
    # END SOLUTION


def apply_exponential_moving_average(source: nn.Module, target: nn.Module, alpha: float = 0.998) -> None:
    """Move the parameters of `target` a little towards those of `source`, in place.

        theta~_{k+1} = alpha theta~_k + (1 - alpha) theta_{k+1}                                       [EMA]

    Args:
        source: the generator in training, with parameters theta; it stays as it is.
        target: the generator of evaluation, with parameters theta~; the same modules as `source`.
        alpha: the weight of the past, in [0, 1].

    Note: `target` keeps its own parameters (the same nn.Parameter objects), shares no memory with `source`, and no
    graph of gradients grows from step to step.
    """
    # BEGIN SOLUTION Q2.6: without gradients, change each parameter of target by its partner in source.
    with torch.no_grad():
        for theta, average in zip(source.parameters(), target.parameters(), strict=True):
            average.lerp_(theta, 1 - alpha)
    # END SOLUTION


def make_train_step(
    loss_type: str,
    critic_inner_iters: int = 1,
    reg_type: str | None = None,
    reg_cf: float = 1.0,
    alpha_ema: float | None = None,
) -> Callable:
    """Make the function that trains both sides for one step of the generator.               [GAN, algorithm 1]

        train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim) -> metric

    does, in this order,

        1. critic_inner_iters times: a step of critic_optim on the critic's loss, with a fresh batch of data and a fresh
           batch of the generator's samples; the generator gets no gradient from it;
        2. one step of generator_optim on the metric, through the critic as it is now;
        3. unless alpha_ema is None: apply_exponential_moving_average from generator to test_generator.

    Args:
        loss_type, reg_type, reg_cf: as for make_losses.
        critic_inner_iters: how many steps the critic makes for one of the generator.
        alpha_ema: the average's alpha; None leaves test_generator alone.

    Arguments of train_step:
        train_data_iter: an iterator without end: next(train_data_iter) is a batch p (B, ...).
        critic, generator: modules; critic(x) is (B, 1) or (B,), generator() draws a batch q (B, ...).
        test_generator: the generator of evaluation.
        critic_optim, generator_optim: their optimizers.

    Returns (train_step): the metric of the generator's step, a scalar without a graph.

    Note: step 1 leaves nothing behind in the generator's gradients, nor step 2 in those that the critic uses next.
    """
    # BEGIN SOLUTION Q2.7: build the losses once; in train_step, an inner loop for the critic, then generator and EMA.
    metric, critic_loss = make_losses(loss_type, reg_type=reg_type, reg_cf=reg_cf)

    def train_step(
        train_data_iter: Iterator[Tensor],
        critic: nn.Module,
        critic_optim: Optimizer,
        generator: nn.Module,
        test_generator: nn.Module,
        generator_optim: Optimizer,
    ) -> Tensor:
        for _ in range(critic_inner_iters):
            p = next(train_data_iter)
            with torch.no_grad():
                q = generator()
            critic_optim.zero_grad()  # also of what the generator's step left there
            critic_loss(p, q, critic).backward()
            critic_optim.step()

        # No gradient for the critic's parameters: they are constants of the generator's step.
        generator_optim.zero_grad()
        value = metric(p, generator(), critic)
        value.backward()
        generator_optim.step()

        if alpha_ema is not None:
            apply_exponential_moving_average(source=generator, target=test_generator, alpha=alpha_ema)
        return value.detach()

    return train_step
    # END SOLUTION
