"""Right answers to score.py that look different: full marks for each."""

import torch

from autograder.grading.variants import right


@right("Q2.1", "score_function_gt")
def score_by_autograd(x, weights, means, covs):
    """The gradient of the log density, by autograd, through torch.distributions."""
    with torch.enable_grad():
        points = x.detach().clone().requires_grad_()
        gaussians = torch.distributions.MultivariateNormal(means, covs)
        log_p = torch.logsumexp(weights.log() + gaussians.log_prob(points[:, None]), dim=1)
        (score,) = torch.autograd.grad(log_p.sum(), points)
    return score


@right("Q2.1", "score_function_gt")
def score_with_two_named_gaussians(x, weights, means, covs):
    """Each Gaussian by name; the responsibility as a sigmoid of the difference of the logarithms."""
    d1, d2 = x - means[0], x - means[1]
    P1, P2 = torch.linalg.inv(covs[0]), torch.linalg.inv(covs[1])
    log1 = torch.log(weights[0]) - 0.5 * ((d1 @ P1) * d1).sum(1) - 0.5 * torch.log(torch.det(covs[0]))
    log2 = torch.log(weights[1]) - 0.5 * ((d2 @ P2) * d2).sum(1) - 0.5 * torch.log(torch.det(covs[1]))
    r1 = torch.sigmoid(log1 - log2)[:, None]
    return -(r1 * (d1 @ P1) + (1 - r1) * (d2 @ P2))


@right("Q2.1", "score_function_gt")
def score_with_shifted_exponentials(x, weights, means, covs):
    """Densities relative to the larger one, and a loop over the Gaussians."""
    logs, scores = [], []
    for w, mu, cov in zip(weights, means, covs, strict=True):
        s = torch.linalg.solve(cov, (mu - x).T).T
        scores.append(s)
        logs.append(w.log() + 0.5 * (s * (x - mu)).sum(1) - 0.5 * torch.logdet(cov))
    logs = torch.stack(logs)
    p = (logs - logs.max(dim=0).values).exp()
    return (p[:, :, None] * torch.stack(scores)).sum(0) / p.sum(0)[:, None]


@right("Q2.2", "add_noise")
def noise_by_normal(x, sigma):
    """torch.normal around x; the noise is the difference."""
    noisy = torch.normal(mean=x, std=torch.as_tensor(sigma, dtype=x.dtype).expand_as(x))
    return noisy, noisy - x


@right("Q2.3", "score_matching_loss")
def loss_by_norm(model, x_noisy, epsilon, sigma):
    """The squared norm by torch.linalg; mean first, half last."""
    residual = model(x=x_noisy, sigma=sigma) + epsilon / (sigma * sigma)
    return (torch.linalg.vector_norm(residual, dim=-1) ** 2).mean() / 2


@right("Q2.3", "score_matching_loss")
def loss_by_mse(model, x_noisy, epsilon, sigma):
    """mse_loss averages over two coordinates, which is the half."""
    return torch.nn.functional.mse_loss(model(x_noisy, sigma), -epsilon / sigma**2)


@right("Q2.4", "train_score_model")
def train_inline(model, data, sigma_range, n_steps=3000, batch_size=512, optimizer=None):
    """Noise and loss written out; batches without repetition."""
    optimizer = optimizer or torch.optim.Adam(model.parameters(), lr=1e-3)
    losses = []
    for _ in range(n_steps):
        order = torch.cat([torch.randperm(len(data)) for _ in range(batch_size // len(data) + 1)])
        x = data[order[:batch_size]]
        sigma = torch.empty(batch_size, 1).uniform_(*sigma_range)
        epsilon = torch.randn_like(x) * sigma
        loss = 0.5 * (model(x + epsilon, sigma) + epsilon / sigma**2).pow(2).sum(-1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


@right("Q2.4", "train_score_model")
def train_with_a_number_where_it_is_constant(model, data, sigma_range, n_steps=3000, batch_size=512, optimizer=None):
    """A constant sigma stays a number."""
    optimizer = optimizer or torch.optim.Adam(model.parameters(), lr=1e-3)
    losses = []
    for _ in range(n_steps):
        x = data[torch.randint(len(data), (batch_size,))]
        low, high = sigma_range
        sigma = low if low == high else low + (high - low) * torch.rand(batch_size, 1)
        noisy, epsilon = add_noise(x, sigma)
        loss = score_matching_loss(model, noisy, epsilon, sigma)
        model.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@right("Q2.5", "deterministic_sampling")
def uphill_without_graph(model, start_point, sigma_t, step_size, num_steps):
    """Clones in the list; detached by hand."""
    x, path = start_point.clone(), [start_point.clone()]
    for _ in range(num_steps):
        x = (x + step_size * model(x, sigma_t)).detach()
        path.append(x.clone())
    return path


@right("Q2.6", "langevin_sampling")
@torch.no_grad()
def langevin_noise_all_at_once(model, start_point, sigma_t, step_size, num_steps):
    """All noise drawn before the first step."""
    z = torch.randn(num_steps, *start_point.shape)
    path = [start_point]
    for k in range(num_steps):
        path.append(path[k] + step_size * model(x=path[k], sigma=sigma_t) + (2 * step_size) ** 0.5 * z[k])
    return path


@right("Q2.8", "annealed_langevin_sampling")
@torch.no_grad()
def annealed_inline(model, start_point, sigmas, step_size, num_steps):
    """Langevin's step written out again; the noise before the drift; sigma as a tensor (B, 1)."""
    x, path = start_point.clone(), [start_point.clone()]
    for sigma in sigmas:
        step = step_size * sigma**2 / sigmas[-1] ** 2
        for _ in range(num_steps):
            z = torch.randn_like(x)
            level = torch.full((len(x), 1), float(sigma))
            x = x + (2 * step) ** 0.5 * z + step * model(x, level)
            path.append(x)
    return path


@right("Q2.8", "annealed_langevin_sampling")
@torch.no_grad()
def annealed_by_position(model, start_point, sigmas, step_size, num_steps):
    """langevin_sampling by position, joints removed by popping."""
    path = [start_point]
    for i in range(len(sigmas)):
        alpha = step_size * sigmas[i] ** 2 / sigmas[-1] ** 2
        start = path.pop()
        path.extend(langevin_sampling(model, start, sigmas[i], alpha, num_steps))
    return path


@right("Q2.1", "score_function_gt")
def score_by_func_grad(x, weights, means, covs):
    """torch.func: the gradient of one point's log-density, mapped over the points."""

    def log_density(point):
        diff = point - means
        solved = torch.linalg.solve(covs, diff.unsqueeze(-1)).squeeze(-1)
        exponents = -0.5 * (diff * solved).sum(-1) - 0.5 * torch.logdet(covs)
        return torch.logsumexp(weights.log() + exponents, dim=0)

    return torch.func.vmap(torch.func.grad(log_density))(x)


@right("Q2.1", "score_function_gt")
def score_by_cholesky(x, weights, means, covs):
    """Whitened differences by triangular solves; einsum for the mixture."""
    factor = torch.linalg.cholesky(covs)
    diff = (x.unsqueeze(1) - means).unsqueeze(-1)
    white = torch.linalg.solve_triangular(factor, diff, upper=False)
    pull = torch.linalg.solve_triangular(factor.mT, white, upper=True).squeeze(-1)
    half_logdet = factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    share = torch.softmax(weights.log() - half_logdet - 0.5 * white.squeeze(-1).square().sum(-1), dim=1)
    return -torch.einsum("nk,nkd->nd", share, pull)


@right("Q2.3", "score_matching_loss")
def loss_point_by_point(model, x_noisy, epsilon, sigma):
    """A loop over the points."""
    sigma = torch.as_tensor(sigma, dtype=x_noisy.dtype).expand(len(x_noisy), 1)
    losses = []
    for x, e, s in zip(x_noisy.split(1), epsilon.split(1), sigma.split(1), strict=True):
        losses.append(0.5 * (model(x, s) + e / s**2).square().sum())
    return torch.stack(losses).mean()


@right("Q2.4", "train_score_model")
def trains_in_halves(model, data, sigma_range, n_steps, batch_size, optimizer):
    """Two passes for each batch, whose gradients add up."""
    low, high = sigma_range
    losses = []
    for _ in range(n_steps):
        x = data[torch.randint(0, len(data), (batch_size,))]
        sigma = low + (high - low) * torch.rand(batch_size, 1)
        x_noisy, epsilon = add_noise(x, sigma)
        optimizer.zero_grad()
        total = 0.0
        for part in zip(x_noisy.chunk(2), epsilon.chunk(2), sigma.chunk(2), strict=True):
            loss = score_matching_loss(model, *part) / 2
            loss.backward()
            total += loss.item()
        optimizer.step()
        losses.append(total)
    return losses


@right("Q2.6", "langevin_sampling")
@torch.no_grad()
def langevin_point_after_point(model, start_point, sigma_t, step_size, num_steps):
    """The whole walk of one point, then the next point."""
    walks = []
    for x in start_point.split(1):
        walk = [x]
        for _ in range(num_steps):
            x = x + step_size * model(x, sigma_t) + (2 * step_size) ** 0.5 * torch.randn_like(x)
            walk.append(x)
        walks.append(torch.stack(walk))
    return list(torch.cat(walks, dim=1))


@right("Q2.5", "deterministic_sampling")
@torch.no_grad()
def deterministic_in_halves(model, start_point, sigma_t, step_size, num_steps):
    """Each step for one half of the points, then for the other."""
    path = [start_point]
    for _ in range(num_steps):
        path.append(torch.cat([x + step_size * model(x, sigma_t) for x in path[-1].chunk(2)]))
    return path


@right("Q2.8", "annealed_langevin_sampling")
@torch.no_grad()
def anneals_one_half_after_the_other(model, start_point, sigmas, step_size, num_steps):
    """All levels for one half of the points, then for the other."""
    halves = []
    for half in start_point.chunk(2):
        path = [half]
        for sigma in sigmas:
            step = step_size * (sigma / sigmas[-1]) ** 2
            path += langevin_sampling(model, path[-1], sigma, step, num_steps)[1:]
        halves.append(torch.stack(path))
    return list(torch.cat(halves, dim=1))
