"""What students get wrong in score.py."""

import torch

from autograder.grading.variants import wrong

# ---------------------------------------------------------------- Q2.1


@wrong("Q2.1", "score_function_gt")
def score_sign_flipped(x, weights, means, covs):
    """The sign is flipped: the score points uphill, towards the means."""
    diff = x[:, None, :] - means
    pull = (torch.linalg.inv(covs) @ diff[..., None]).squeeze(-1)
    log_joint = weights.log() - 0.5 * (diff * pull).sum(dim=-1) - 0.5 * torch.logdet(covs)
    return (log_joint.softmax(dim=1)[..., None] * pull).sum(dim=1)


@wrong("Q2.1", "score_function_gt")
def score_underflows_far_away(x, weights, means, covs):
    """Far from both means the densities underflow to 0, and 0 / 0 is NaN: compare their logarithms (softmax)."""
    diff = x[:, None, :] - means
    pull = -(torch.linalg.inv(covs) @ diff[..., None]).squeeze(-1)
    joint = weights * (0.5 * (diff * pull).sum(dim=-1)).exp() / torch.linalg.det(covs).sqrt()
    return (joint[..., None] * pull).sum(dim=1) / joint.sum(dim=1, keepdim=True)


@wrong("Q2.1", "score_function_gt")
def score_kept_finite_by_epsilon(x, weights, means, covs):
    """A small number in the denominator only hides the underflow: far away the score becomes 0, where it is largest."""
    diff = x[:, None, :] - means
    pull = -(torch.linalg.inv(covs) @ diff[..., None]).squeeze(-1)
    joint = weights * (0.5 * (diff * pull).sum(dim=-1)).exp() / torch.linalg.det(covs).sqrt()
    return (joint[..., None] * pull).sum(dim=1) / (joint.sum(dim=1, keepdim=True) + 1e-12)


@wrong("Q2.1", "score_function_gt")
def score_of_the_density(x, weights, means, covs):
    """This is the gradient of p itself: the score is the gradient of log p, so divide by p."""
    diff = x[:, None, :] - means
    pull = -(torch.linalg.inv(covs) @ diff[..., None]).squeeze(-1)
    normal = (0.5 * (diff * pull).sum(dim=-1)).exp() / (2 * torch.pi * torch.linalg.det(covs).sqrt())
    return ((weights * normal)[..., None] * pull).sum(dim=1)


@wrong("Q2.1", "score_function_gt")
def score_averages_the_scores(x, weights, means, covs):
    """The two scores are averaged with the weights w_k: near a mean, that Gaussian alone matters (responsibilities)."""
    pull = -(torch.linalg.inv(covs) @ (x[:, None, :] - means)[..., None]).squeeze(-1)
    return (weights[:, None] * pull).sum(dim=1)


@wrong("Q2.1", "score_function_gt")
def score_forgets_the_weights(x, weights, means, covs):
    """The weights w_k are missing in the responsibilities."""
    diff = x[:, None, :] - means
    pull = -(torch.linalg.inv(covs) @ diff[..., None]).squeeze(-1)
    log_joint = 0.5 * (diff * pull).sum(dim=-1) - 0.5 * torch.logdet(covs)
    return (log_joint.softmax(dim=1)[..., None] * pull).sum(dim=1)


@wrong("Q2.1", "score_function_gt")
def score_forgets_the_determinants(x, weights, means, covs):
    """The normalizing constants of the two Gaussians differ, and do not cancel: sqrt(det Sigma_k) is missing."""
    diff = x[:, None, :] - means
    pull = -(torch.linalg.inv(covs) @ diff[..., None]).squeeze(-1)
    log_joint = weights.log() + 0.5 * (diff * pull).sum(dim=-1)
    return (log_joint.softmax(dim=1)[..., None] * pull).sum(dim=1)


@wrong("Q2.1", "score_function_gt")
def score_determinant_without_root(x, weights, means, covs):
    """The densities are divided by det Sigma_k: its square root belongs there."""
    diff = x[:, None, :] - means
    pull = -(torch.linalg.inv(covs) @ diff[..., None]).squeeze(-1)
    log_joint = weights.log() + 0.5 * (diff * pull).sum(dim=-1) - torch.logdet(covs)
    return (log_joint.softmax(dim=1)[..., None] * pull).sum(dim=1)


@wrong("Q2.1", "score_function_gt")
def score_covariance_not_inverted(x, weights, means, covs):
    """The covariance multiplies x - mu: its inverse belongs there."""
    diff = x[:, None, :] - means
    pull = -(covs @ diff[..., None]).squeeze(-1)
    log_joint = weights.log() + 0.5 * (diff * pull).sum(dim=-1) - 0.5 * torch.logdet(covs)
    return (log_joint.softmax(dim=1)[..., None] * pull).sum(dim=1)


@wrong("Q2.1", "score_function_gt")
def score_ignores_correlations(x, weights, means, covs):
    """Only the diagonals of the covariances are used: the coordinates are correlated."""
    diff = x[:, None, :] - means
    variances = covs.diagonal(dim1=1, dim2=2)
    pull = -diff / variances
    log_joint = weights.log() + 0.5 * (diff * pull).sum(dim=-1) - 0.5 * variances.log().sum(dim=1)
    return (log_joint.softmax(dim=1)[..., None] * pull).sum(dim=1)


@wrong("Q2.1", "score_function_gt")
def score_of_the_nearer_gaussian(x, weights, means, covs):
    """Only the likelier Gaussian is used: between the means both matter."""
    diff = x[:, None, :] - means
    pull = -(torch.linalg.inv(covs) @ diff[..., None]).squeeze(-1)
    log_joint = weights.log() + 0.5 * (diff * pull).sum(dim=-1) - 0.5 * torch.logdet(covs)
    return pull[torch.arange(len(x)), log_joint.argmax(dim=1)]


@wrong("Q2.1", "score_function_gt")
def score_responsibilities_not_normalized(x, weights, means, covs):
    """The responsibilities do not add up to 1: each is w_k times a density, divided by the sum of both."""
    diff = x[:, None, :] - means
    pull = -(torch.linalg.inv(covs) @ diff[..., None]).squeeze(-1)
    joint = weights * (0.5 * (diff * pull).sum(dim=-1)).exp() / torch.linalg.det(covs).sqrt()
    return (joint[..., None] * pull).sum(dim=1)


@wrong("Q2.1", "score_function_gt")
def score_of_equal_weights(x, weights, means, covs):
    """The two scores are averaged in equal parts: each Gaussian counts with its responsibility at x."""
    pull = -(torch.linalg.inv(covs) @ (x[:, None, :] - means)[..., None]).squeeze(-1)
    return pull.mean(dim=1)


@wrong("Q2.1", "score_function_gt")
def score_sums_the_scores(x, weights, means, covs):
    """The scores of both Gaussians are added: each counts with its responsibility at x."""
    pull = -(torch.linalg.inv(covs) @ (x[:, None, :] - means)[..., None]).squeeze(-1)
    return pull.sum(dim=1)


@wrong("Q2.1", "score_function_gt")
def score_is_the_log_density(x, weights, means, covs):
    """This is log p(x): the score is its gradient with respect to x."""
    diff = x[:, None, :] - means
    pull = -(torch.linalg.inv(covs) @ diff[..., None]).squeeze(-1)
    log_joint = weights.log() + 0.5 * (diff * pull).sum(dim=-1) - 0.5 * torch.logdet(covs)
    return log_joint.logsumexp(dim=1) - torch.log(torch.tensor(2 * torch.pi))


@wrong("Q2.1", "score_function_gt")
def score_exponent_without_half(x, weights, means, covs):
    """The 1/2 in the exponent of the Gaussians is missing."""
    diff = x[:, None, :] - means
    pull = -(torch.linalg.inv(covs) @ diff[..., None]).squeeze(-1)
    log_joint = weights.log() + (diff * pull).sum(dim=-1) - 0.5 * torch.logdet(covs)
    return (log_joint.softmax(dim=1)[..., None] * pull).sum(dim=1)


@wrong("Q2.1", "score_function_gt")
def score_of_the_middle(x, weights, means, covs):
    """Both Gaussians were replaced by one, with the average mean and covariance: a mixture is no Gaussian."""
    mean, cov = (weights[:, None] * means).sum(dim=0), (weights[:, None, None] * covs).sum(dim=0)
    return -(torch.linalg.inv(cov) @ (x - mean)[..., None]).squeeze(-1)


@wrong("Q2.1", "score_function_gt")
def score_weighs_with_log_densities(x, weights, means, covs):
    """The scores are weighted with w_k times the logarithms of the densities: the densities themselves belong there."""
    diff = x[:, None, :] - means
    pull = -(torch.linalg.inv(covs) @ diff[..., None]).squeeze(-1)
    log_normal = 0.5 * (diff * pull).sum(dim=-1) - 0.5 * torch.logdet(covs) - torch.log(torch.tensor(2 * torch.pi))
    joint = weights * log_normal
    return (joint[..., None] * pull).sum(dim=1) / joint.sum(dim=1, keepdim=True)


@wrong("Q2.1", "score_function_gt")
def score_divides_by_the_diagonal(x, weights, means, covs):
    """The covariance is inverted entry by entry on its diagonal: it is a matrix, torch.linalg.inv inverts it."""
    precision = torch.diag_embed(1 / torch.diagonal(covs, dim1=-2, dim2=-1))
    difference = x[:, None, :] - means
    pull = torch.einsum("kij,bkj->bki", precision, difference)
    log_joint = weights.log() - 0.5 * (difference * pull).sum(dim=2) - 0.5 * torch.logdet(covs)
    return -(log_joint.softmax(dim=1)[..., None] * pull).sum(dim=1)


@wrong("Q2.1", "score_function_gt")
def score_with_an_epsilon(x, weights, means, covs):
    """A small number in the denominator avoids 0 / 0, but takes over where the densities are small: use logarithms."""
    precision = torch.linalg.inv(covs)
    difference = x[:, None, :] - means
    pull = torch.einsum("kij,bkj->bki", precision, difference)
    joint = weights * torch.exp(-0.5 * (difference * pull).sum(dim=2)) / (2 * torch.pi * torch.linalg.det(covs).sqrt())
    return -(joint[..., None] * pull).sum(dim=1) / (joint.sum(dim=1, keepdim=True) + 1e-8)


# ---------------------------------------------------------------- Q2.2


@wrong("Q2.2", "add_noise")
def noise_returned_unscaled(x, sigma):
    """The epsilon that is returned is standard normal: it is the noise that was added, scaled by sigma."""
    z = torch.randn_like(x)
    return x + sigma * z, z


@wrong("Q2.2", "add_noise")
def noise_scaled_twice(x, sigma):
    """epsilon is scaled by sigma when it is drawn, and again when it is added."""
    epsilon = sigma * torch.randn_like(x)
    return x + sigma * epsilon, epsilon


@wrong("Q2.2", "add_noise")
def noise_scaled_by_variance(x, sigma):
    """The noise is multiplied by sigma^2: sigma is the standard deviation."""
    epsilon = sigma**2 * torch.randn_like(x)
    return x + epsilon, epsilon


@wrong("Q2.2", "add_noise")
def noise_scaled_by_root(x, sigma):
    """The noise is multiplied by sqrt(sigma): sigma is the standard deviation already."""
    epsilon = sigma**0.5 * torch.randn_like(x)
    return x + epsilon, epsilon


@wrong("Q2.2", "add_noise")
def noise_shared_by_coordinates(x, sigma):
    """One number is drawn for each point: each coordinate needs its own."""
    epsilon = (sigma * torch.randn(len(x), 1, device=x.device)).expand_as(x)
    return x + epsilon, epsilon


@wrong("Q2.2", "add_noise")
def noise_shared_by_points(x, sigma):
    """All points get the same noise: draw it in the shape of x."""
    epsilon = sigma * torch.randn(1, 2, device=x.device).expand_as(x)
    return x + epsilon, epsilon


@wrong("Q2.2", "add_noise")
def noise_uniform(x, sigma):
    """torch.rand draws uniform numbers in [0, 1): the noise is normal, torch.randn."""
    epsilon = sigma * torch.rand_like(x)
    return x + epsilon, epsilon


@wrong("Q2.2", "add_noise")
def noise_returned_first(x, sigma):
    """The results are in the wrong order: the noisy points come first."""
    epsilon = sigma * torch.randn_like(x)
    return epsilon, x + epsilon


@wrong("Q2.2", "add_noise")
def noise_in_place(x, sigma):
    """The data are changed in place, as by `x += ...`: make a new tensor."""
    epsilon = sigma * torch.randn_like(x)
    x += epsilon
    return x, epsilon


@wrong("Q2.2", "add_noise")
def noise_returns_the_noisy_points_only(x, sigma):
    """Only the noisy points are returned: epsilon belongs to them, as `return x + epsilon, epsilon`."""
    return x + sigma * torch.randn_like(x)


@wrong("Q2.2", "add_noise")
def noise_subtracted(x, sigma):
    """epsilon is subtracted: the noisy points are x + epsilon."""
    epsilon = sigma * torch.randn_like(x)
    return x - epsilon, epsilon


@wrong("Q2.2", "add_noise")
def noise_scales_the_points(x, sigma):
    """x is multiplied by sigma: only the noise is."""
    epsilon = sigma * torch.randn_like(x)
    return sigma * x + epsilon, epsilon


@wrong("Q2.2", "add_noise")
def noise_without_sigma(x, sigma):
    """sigma is not used: epsilon is sigma times standard normal noise."""
    epsilon = torch.randn_like(x)
    return x + epsilon, epsilon


@wrong("Q2.2", "add_noise")
def noise_uniform_on_both_sides(x, sigma):
    """The noise is uniform between -sigma and sigma: it is normal, torch.randn_like."""
    epsilon = sigma * (2 * torch.rand_like(x) - 1)
    return x + epsilon, epsilon


# ---------------------------------------------------------------- Q2.3


@wrong("Q2.3", "score_matching_loss")
def loss_sign_flipped(model, x_noisy, epsilon, sigma):
    """The sign is flipped: the target of the score is -epsilon / sigma^2, so epsilon / sigma^2 is added."""
    error = model(x_noisy, sigma) - epsilon / sigma**2
    return 0.5 * error.square().sum(dim=1).mean()


@wrong("Q2.3", "score_matching_loss")
def loss_epsilon_not_divided(model, x_noisy, epsilon, sigma):
    """epsilon is not divided by sigma^2."""
    error = model(x_noisy, sigma) + epsilon
    return 0.5 * error.square().sum(dim=1).mean()


@wrong("Q2.3", "score_matching_loss")
def loss_divided_by_sigma(model, x_noisy, epsilon, sigma):
    """epsilon is divided by sigma once: that is right for standard normal noise, but this one is scaled by sigma."""
    error = model(x_noisy, sigma) + epsilon / sigma
    return 0.5 * error.square().sum(dim=1).mean()


@wrong("Q2.3", "score_matching_loss")
def loss_mean_over_coordinates(model, x_noisy, epsilon, sigma):
    """mse_loss averages over the coordinates too: it is half the squared norm, their sum, averaged over the batch."""
    return nn.functional.mse_loss(model(x_noisy, sigma), -epsilon / sigma**2, reduction="mean") / 2


@wrong("Q2.3", "score_matching_loss")
def loss_without_half(model, x_noisy, epsilon, sigma):
    """The factor 1/2 is missing (or the mean over two coordinates has swallowed it)."""
    error = model(x_noisy, sigma) + epsilon / sigma**2
    return error.square().sum(dim=1).mean()


@wrong("Q2.3", "score_matching_loss")
def loss_weighted_by_the_variance(model, x_noisy, epsilon, sigma):
    """The loss is weighted by sigma^2, as for many noise levels at once: this exercise asks for it without a weight."""
    error = model(x_noisy, sigma) + epsilon / sigma**2
    return 0.5 * (torch.as_tensor(sigma) ** 2 * error.square().sum(dim=1)).mean()


@wrong("Q2.3", "score_matching_loss")
def loss_summed_over_the_batch(model, x_noisy, epsilon, sigma):
    """The loss is summed over the batch: it is an expectation, the mean."""
    error = model(x_noisy, sigma) + epsilon / sigma**2
    return 0.5 * error.square().sum()


@wrong("Q2.3", "score_matching_loss")
def loss_norm_not_squared(model, x_noisy, epsilon, sigma):
    """This is the norm: its square belongs in the loss."""
    error = model(x_noisy, sigma) + epsilon / sigma**2
    return 0.5 * error.norm(dim=1).mean()


@wrong("Q2.3", "score_matching_loss")
def loss_at_the_clean_points(model, x_noisy, epsilon, sigma):
    """The model is asked about the clean points: it learns the score of the noisy ones."""
    error = model(x_noisy - epsilon, sigma) + epsilon / sigma**2
    return 0.5 * error.square().sum(dim=1).mean()


@wrong("Q2.3", "score_matching_loss")
def loss_without_graph(model, x_noisy, epsilon, sigma):
    """The model's answer is cut off from its graph: no detach(), item() or no_grad() in a loss."""
    error = model(x_noisy, sigma).detach() + epsilon / sigma**2
    return 0.5 * error.square().sum(dim=1).mean()


@wrong("Q2.3", "score_matching_loss")
def loss_weighted_by_sigma(model, x_noisy, epsilon, sigma):
    """The loss is weighted by sigma: this exercise asks for it without a weight."""
    error = model(x_noisy, sigma) + epsilon / sigma**2
    return 0.5 * (torch.as_tensor(sigma) * error.square().sum(dim=1)).mean()


@wrong("Q2.3", "score_matching_loss")
def loss_error_times_sigma(model, x_noisy, epsilon, sigma):
    """The error is multiplied by sigma before it is squared, which weighs the loss by sigma^2: this exercise asks for
    it without a weight."""
    error = sigma * model(x_noisy, sigma) + epsilon / sigma
    return 0.5 * error.square().sum(dim=1).mean()


@wrong("Q2.3", "score_matching_loss")
def loss_multiplies_by_the_variance(model, x_noisy, epsilon, sigma):
    """epsilon is multiplied by sigma^2: it is divided by it."""
    error = model(x_noisy, sigma) + epsilon * sigma**2
    return 0.5 * error.square().sum(dim=1).mean()


@wrong("Q2.3", "score_matching_loss")
def loss_absolute_error(model, x_noisy, epsilon, sigma):
    """This is the absolute error: the squared norm belongs in the loss."""
    error = model(x_noisy, sigma) + epsilon / sigma**2
    return 0.5 * error.abs().sum(dim=1).mean()


@wrong("Q2.3", "score_matching_loss")
def loss_for_each_point(model, x_noisy, epsilon, sigma):
    """There is one number for each point: the loss is their mean."""
    error = model(x_noisy, sigma) + epsilon / sigma**2
    return 0.5 * error.square().sum(dim=1)


@wrong("Q2.3", "score_matching_loss")
def loss_predicts_the_noise(model, x_noisy, epsilon, sigma):
    """The model's answer is compared with epsilon: it is the score, whose target is -epsilon / sigma^2."""
    return 0.5 * (model(x_noisy, sigma) - epsilon).square().sum(dim=1).mean()


# ---------------------------------------------------------------- Q2.4


@wrong("Q2.4", "train_score_model")
def score_train_forgets_zero_grad(model, data, sigma_range, n_steps=3000, batch_size=512, optimizer=None):
    """Gradients of earlier batches are still there and add up: clear them before backward()."""
    losses, (low, high) = [], sigma_range
    for _ in range(n_steps):
        x = data[torch.randint(0, len(data), (batch_size,), device=data.device)]
        sigma = low + (high - low) * torch.rand(batch_size, 1, device=data.device)
        x_noisy, epsilon = add_noise(x, sigma)
        loss = score_matching_loss(model, x_noisy, epsilon, sigma)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@wrong("Q2.4", "train_score_model")
def score_train_never_steps(model, data, sigma_range, n_steps=3000, batch_size=512, optimizer=None):
    """The parameters never change: zero_grad(), backward(), step(), in this order."""
    losses, (low, high) = [], sigma_range
    for _ in range(n_steps):
        x = data[torch.randint(0, len(data), (batch_size,), device=data.device)]
        sigma = low + (high - low) * torch.rand(batch_size, 1, device=data.device)
        x_noisy, epsilon = add_noise(x, sigma)
        loss = score_matching_loss(model, x_noisy, epsilon, sigma)
        optimizer.zero_grad()
        loss.backward()
        losses.append(loss.item())
    return losses


@wrong("Q2.4", "train_score_model")
def score_train_takes_the_largest_sigma(model, data, sigma_range, n_steps=3000, batch_size=512, optimizer=None):
    """Every point gets the largest sigma: in training they are drawn from the whole range."""
    losses, high = [], sigma_range[1]
    for _ in range(n_steps):
        x = data[torch.randint(0, len(data), (batch_size,), device=data.device)]
        sigma = torch.full((batch_size, 1), high, device=data.device)
        x_noisy, epsilon = add_noise(x, sigma)
        loss = score_matching_loss(model, x_noisy, epsilon, sigma)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@wrong("Q2.4", "train_score_model")
def score_train_scales_without_shift(model, data, sigma_range, n_steps=3000, batch_size=512, optimizer=None):
    """sigma = high * rand begins at 0, below the range, where the target epsilon / sigma^2 explodes."""
    losses, high = [], sigma_range[1]
    for _ in range(n_steps):
        x = data[torch.randint(0, len(data), (batch_size,), device=data.device)]
        sigma = high * torch.rand(batch_size, 1, device=data.device)
        x_noisy, epsilon = add_noise(x, sigma)
        loss = score_matching_loss(model, x_noisy, epsilon, sigma)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@wrong("Q2.4", "train_score_model")
def score_train_one_sigma_for_the_batch(model, data, sigma_range, n_steps=3000, batch_size=512, optimizer=None):
    """One sigma is drawn for the whole batch: each point gets its own, (B, 1)."""
    losses, (low, high) = [], sigma_range
    for _ in range(n_steps):
        x = data[torch.randint(0, len(data), (batch_size,), device=data.device)]
        sigma = (low + (high - low) * torch.rand(1, 1, device=data.device)).expand(batch_size, 1)
        x_noisy, epsilon = add_noise(x, sigma)
        loss = score_matching_loss(model, x_noisy, epsilon, sigma)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@wrong("Q2.4", "train_score_model")
def score_train_always_the_same_batch(model, data, sigma_range, n_steps=3000, batch_size=512, optimizer=None):
    """Every step sees the first batch_size points of the data: draw a batch at random in each."""
    losses, (low, high) = [], sigma_range
    for _ in range(n_steps):
        x = data[torch.arange(batch_size) % len(data)]
        sigma = low + (high - low) * torch.rand(batch_size, 1, device=data.device)
        x_noisy, epsilon = add_noise(x, sigma)
        loss = score_matching_loss(model, x_noisy, epsilon, sigma)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@wrong("Q2.4", "train_score_model")
def score_train_shows_the_clean_points(model, data, sigma_range, n_steps=3000, batch_size=512, optimizer=None):
    """The loss is given the clean points: the model learns the score of the noisy ones."""
    losses, (low, high) = [], sigma_range
    for _ in range(n_steps):
        x = data[torch.randint(0, len(data), (batch_size,), device=data.device)]
        sigma = low + (high - low) * torch.rand(batch_size, 1, device=data.device)
        _, epsilon = add_noise(x, sigma)
        loss = score_matching_loss(model, x, epsilon, sigma)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@wrong("Q2.4", "train_score_model")
def score_train_takes_the_smallest_sigma(model, data, sigma_range, n_steps=1000, batch_size=128, optimizer=None):
    """Every point gets the smallest sigma: in training they are drawn from the whole range."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3) if optimizer is None else optimizer
    losses, low = [], sigma_range[0]
    for _ in range(n_steps):
        x = data[torch.randint(0, len(data), (batch_size,), device=data.device)]
        sigma = torch.full((batch_size, 1), float(low), device=data.device)
        x_noisy, epsilon = add_noise(x, sigma)
        loss = score_matching_loss(model, x_noisy, epsilon, sigma)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@wrong("Q2.4", "train_score_model")
def score_train_draws_normal_sigmas(model, data, sigma_range, n_steps=1000, batch_size=512, optimizer=None):
    """The sigmas are normal (torch.randn), and may be negative: they are uniform in sigma_range, torch.rand."""
    low, high = sigma_range
    losses = []
    for _ in range(n_steps):
        x = data[torch.randint(0, len(data), (batch_size,), device=data.device)]
        sigma = low + (high - low) * torch.randn(batch_size, 1, device=data.device)
        x_noisy, epsilon = add_noise(x, sigma)
        loss = score_matching_loss(model, x_noisy, epsilon, sigma)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@wrong("Q2.4", "train_score_model")
def score_train_draws_log_uniform_sigmas(model, data, sigma_range, n_steps=1000, batch_size=512, optimizer=None):
    """The logarithms of the sigmas are uniform: the sigmas themselves are."""
    low, high = sigma_range
    losses = []
    for _ in range(n_steps):
        x = data[torch.randint(0, len(data), (batch_size,), device=data.device)]
        sigma = low * (high / low) ** torch.rand(batch_size, 1, device=data.device)
        x_noisy, epsilon = add_noise(x, sigma)
        loss = score_matching_loss(model, x_noisy, epsilon, sigma)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# ---------------------------------------------------------------- Q2.5


@wrong("Q2.5", "deterministic_sampling")
@torch.no_grad()
def uphill_with_noise(model, start_point, sigma_t, step_size, num_steps):
    """Noise is added: deterministic sampling has none."""
    path = [start_point]
    for _ in range(num_steps):
        x = path[-1]
        path.append(x + step_size * model(x, sigma_t) + (2 * step_size) ** 0.5 * torch.randn_like(x))
    return path


@wrong("Q2.5", "deterministic_sampling")
@torch.no_grad()
def uphill_is_downhill(model, start_point, sigma_t, step_size, num_steps):
    """The score is subtracted: it points uphill, to where the data are."""
    path = [start_point]
    for _ in range(num_steps):
        path.append(path[-1] - step_size * model(path[-1], sigma_t))
    return path


@wrong("Q2.5", "deterministic_sampling")
@torch.no_grad()
def uphill_half_a_step(model, start_point, sigma_t, step_size, num_steps):
    """The score is multiplied by half the step: in this assignment's convention it is the whole step_size."""
    path = [start_point]
    for _ in range(num_steps):
        path.append(path[-1] + step_size / 2 * model(path[-1], sigma_t))
    return path


@wrong("Q2.5", "deterministic_sampling")
@torch.no_grad()
def uphill_without_the_start(model, start_point, sigma_t, step_size, num_steps):
    """The start is not in the list: it comes first, num_steps + 1 tensors in all."""
    path, x = [], start_point
    for _ in range(num_steps):
        x = x + step_size * model(x, sigma_t)
        path.append(x)
    return path


@wrong("Q2.5", "deterministic_sampling")
@torch.no_grad()
def uphill_in_place(model, start_point, sigma_t, step_size, num_steps):
    """The tensors that are in the list already are changed in place, as by `x += ...`: all of them are the end
    point."""
    path, x = [start_point], start_point
    for _ in range(num_steps):
        x += step_size * model(x, sigma_t)
        path.append(x)
    return path


@wrong("Q2.5", "deterministic_sampling")
@torch.no_grad()
def uphill_always_from_the_start(model, start_point, sigma_t, step_size, num_steps):
    """The score is taken at the start in every step: take it at the point that was reached."""
    path = [start_point]
    for _ in range(num_steps):
        path.append(path[-1] + step_size * model(start_point, sigma_t))
    return path


@wrong("Q2.5", "deterministic_sampling")
@torch.no_grad()
def uphill_step_too_few(model, start_point, sigma_t, step_size, num_steps):
    """There is one step too few: num_steps steps give num_steps + 1 tensors, the start among them."""
    path = [start_point]
    for _ in range(num_steps - 1):
        path.append(path[-1] + step_size * model(path[-1], sigma_t))
    return path


@wrong("Q2.5", "deterministic_sampling")
def uphill_scaled_by_the_variance(model, start_point, sigma_t, step_size, num_steps):
    """The score is multiplied by sigma_t^2: the step is step_size alone."""
    path = [start_point]
    for _ in range(num_steps):
        path.append(path[-1] + step_size * sigma_t**2 * model(path[-1], sigma_t))
    return path


@wrong("Q2.5", "deterministic_sampling")
def uphill_returns_the_end(model, start_point, sigma_t, step_size, num_steps):
    """Only the end point is returned: the list of all points is asked for, the start first."""
    x = start_point
    for _ in range(num_steps):
        x = x + step_size * model(x, sigma_t)
    return x


@wrong("Q2.5", "deterministic_sampling")
def uphill_root_of_the_step(model, start_point, sigma_t, step_size, num_steps):
    """The score is multiplied by sqrt(step_size): the root belongs to noise, which this sampler has none of."""
    path = [start_point]
    for _ in range(num_steps):
        path.append(path[-1] + step_size**0.5 * model(path[-1], sigma_t))
    return path


# ---------------------------------------------------------------- Q2.6


@wrong("Q2.6", "langevin_sampling")
@torch.no_grad()
def langevin_noise_without_two(model, start_point, sigma_t, step_size, num_steps):
    """The noise is sqrt(step_size) z: with the whole step in the drift, it is sqrt(2 step_size) z."""
    path = [start_point]
    for _ in range(num_steps):
        x = path[-1]
        path.append(x + step_size * model(x, sigma_t) + step_size**0.5 * torch.randn_like(x))
    return path


@wrong("Q2.6", "langevin_sampling")
@torch.no_grad()
def langevin_noise_without_root(model, start_point, sigma_t, step_size, num_steps):
    """The noise is 2 step_size z: that is its variance, so take the square root."""
    path = [start_point]
    for _ in range(num_steps):
        x = path[-1]
        path.append(x + step_size * model(x, sigma_t) + 2 * step_size * torch.randn_like(x))
    return path


@wrong("Q2.6", "langevin_sampling")
@torch.no_grad()
def langevin_two_outside_the_root(model, start_point, sigma_t, step_size, num_steps):
    """The noise is 2 sqrt(step_size) z: the 2 belongs under the root."""
    path = [start_point]
    for _ in range(num_steps):
        x = path[-1]
        path.append(x + step_size * model(x, sigma_t) + 2 * step_size**0.5 * torch.randn_like(x))
    return path


@wrong("Q2.6", "langevin_sampling")
@torch.no_grad()
def langevin_half_a_step(model, start_point, sigma_t, step_size, num_steps):
    """The drift has half the step and the noise sqrt(2 step_size): the papers' step / 2 goes with sqrt(step)."""
    path = [start_point]
    for _ in range(num_steps):
        x = path[-1]
        path.append(x + step_size / 2 * model(x, sigma_t) + (2 * step_size) ** 0.5 * torch.randn_like(x))
    return path


@wrong("Q2.6", "langevin_sampling")
@torch.no_grad()
def langevin_of_song_and_ermon(model, start_point, sigma_t, step_size, num_steps):
    """This is the convention with step / 2 and sqrt(step): in this assignment it is step_size and sqrt(2 step_size)."""
    path = [start_point]
    for _ in range(num_steps):
        x = path[-1]
        path.append(x + step_size / 2 * model(x, sigma_t) + step_size**0.5 * torch.randn_like(x))
    return path


@wrong("Q2.6", "langevin_sampling")
@torch.no_grad()
def langevin_noise_scaled_by_sigma(model, start_point, sigma_t, step_size, num_steps):
    """The noise is multiplied by sigma_t: its size follows from the step alone."""
    path = [start_point]
    for _ in range(num_steps):
        x = path[-1]
        path.append(x + step_size * model(x, sigma_t) + sigma_t * (2 * step_size) ** 0.5 * torch.randn_like(x))
    return path


@wrong("Q2.6", "langevin_sampling")
@torch.no_grad()
def langevin_same_noise_in_every_step(model, start_point, sigma_t, step_size, num_steps):
    """The same z is added in every step: draw it anew in each."""
    path, z = [start_point], torch.randn_like(start_point)
    for _ in range(num_steps):
        x = path[-1]
        path.append(x + step_size * model(x, sigma_t) + (2 * step_size) ** 0.5 * z)
    return path


@wrong("Q2.6", "langevin_sampling")
@torch.no_grad()
def langevin_points_share_their_noise(model, start_point, sigma_t, step_size, num_steps):
    """All points get the same noise: draw it in the shape of x."""
    path = [start_point]
    for _ in range(num_steps):
        x = path[-1]
        path.append(
            x + step_size * model(x, sigma_t) + (2 * step_size) ** 0.5 * torch.randn(1, 2, device=start_point.device)
        )
    return path


@wrong("Q2.6", "langevin_sampling")
@torch.no_grad()
def langevin_without_noise(model, start_point, sigma_t, step_size, num_steps):
    """No noise is added: without it the points climb to the modes and stay there."""
    path = [start_point]
    for _ in range(num_steps):
        path.append(path[-1] + step_size * model(path[-1], sigma_t))
    return path


@wrong("Q2.6", "langevin_sampling")
@torch.no_grad()
def langevin_downhill(model, start_point, sigma_t, step_size, num_steps):
    """The score is subtracted: it points uphill, to where the data are."""
    path = [start_point]
    for _ in range(num_steps):
        x = path[-1]
        path.append(x - step_size * model(x, sigma_t) + (2 * step_size) ** 0.5 * torch.randn_like(x))
    return path


@wrong("Q2.6", "langevin_sampling")
@torch.no_grad()
def langevin_without_the_start(model, start_point, sigma_t, step_size, num_steps):
    """The start is not in the list: it comes first, num_steps + 1 tensors in all."""
    path, x = [], start_point
    for _ in range(num_steps):
        x = x + step_size * model(x, sigma_t) + (2 * step_size) ** 0.5 * torch.randn_like(x)
        path.append(x)
    return path


@wrong("Q2.6", "langevin_sampling")
def langevin_uniform_noise(model, start_point, sigma_t, step_size, num_steps):
    """torch.rand draws uniform numbers in [0, 1): the noise is normal, torch.randn."""
    path = [start_point]
    for _ in range(num_steps):
        x = path[-1]
        path.append(x + step_size * model(x, sigma_t) + (2 * step_size) ** 0.5 * torch.rand_like(x))
    return path


@wrong("Q2.6", "langevin_sampling")
def langevin_without_drift(model, start_point, sigma_t, step_size, num_steps):
    """The score is missing: this is a random walk."""
    path = [start_point]
    for _ in range(num_steps):
        x = path[-1]
        path.append(x + 0 * model(x, sigma_t) + (2 * step_size) ** 0.5 * torch.randn_like(x))
    return path


@wrong("Q2.6", "langevin_sampling")
def langevin_always_from_the_start(model, start_point, sigma_t, step_size, num_steps):
    """The score is taken at the start in every step: take it at the point that was reached."""
    path = [start_point]
    for _ in range(num_steps):
        x = path[-1]
        path.append(x + step_size * model(start_point, sigma_t) + (2 * step_size) ** 0.5 * torch.randn_like(x))
    return path


# ---------------------------------------------------------------- Q2.8


@wrong("Q2.8", "annealed_langevin_sampling")
@torch.no_grad()
def annealed_with_one_step_size(model, start_point, sigmas, step_size, num_steps):
    """Every level has the same step: at level i it is step_size sigma_i^2 / sigma_L^2."""
    path = [start_point]
    for sigma in sigmas:
        path += langevin_sampling(model, path[-1], sigma, step_size, num_steps)[1:]
    return path


@wrong("Q2.8", "annealed_langevin_sampling")
@torch.no_grad()
def annealed_ratio_not_squared(model, start_point, sigmas, step_size, num_steps):
    """The step grows with sigma_i / sigma_L: with the square of it."""
    path = [start_point]
    for sigma in sigmas:
        path += langevin_sampling(model, path[-1], sigma, step_size * sigma / sigmas[-1], num_steps)[1:]
    return path


@wrong("Q2.8", "annealed_langevin_sampling")
@torch.no_grad()
def annealed_relative_to_the_largest(model, start_point, sigmas, step_size, num_steps):
    """The steps are relative to the largest sigma: step_size is that of the last level, the smallest."""
    path = [start_point]
    for sigma in sigmas:
        path += langevin_sampling(model, path[-1], sigma, step_size * (sigma / sigmas[0]) ** 2, num_steps)[1:]
    return path


@wrong("Q2.8", "annealed_langevin_sampling")
@torch.no_grad()
def annealed_ratio_inverted(model, start_point, sigmas, step_size, num_steps):
    """The ratio is upside down: large noise allows large steps."""
    path = [start_point]
    for sigma in sigmas:
        path += langevin_sampling(model, path[-1], sigma, step_size * (sigmas[-1] / sigma) ** 2, num_steps)[1:]
    return path


@wrong("Q2.8", "annealed_langevin_sampling")
@torch.no_grad()
def annealed_from_small_to_large(model, start_point, sigmas, step_size, num_steps):
    """The levels are taken backwards: sigmas are in the order in which they are used, large noise first."""
    path = [start_point]
    for sigma in reversed(sigmas):
        path += langevin_sampling(model, path[-1], sigma, step_size * (sigma / sigmas[-1]) ** 2, num_steps)[1:]
    return path


@wrong("Q2.8", "annealed_langevin_sampling")
@torch.no_grad()
def annealed_starts_each_level_anew(model, start_point, sigmas, step_size, num_steps):
    """Every level begins at start_point: each goes on where the one before ended."""
    path = [start_point]
    for sigma in sigmas:
        path += langevin_sampling(model, start_point, sigma, step_size * (sigma / sigmas[-1]) ** 2, num_steps)[1:]
    return path


@wrong("Q2.8", "annealed_langevin_sampling")
@torch.no_grad()
def annealed_repeats_the_joints(model, start_point, sigmas, step_size, num_steps):
    """The last point of each level is in the path twice: it is also the first of the next."""
    path, x = [], start_point
    for sigma in sigmas:
        path += langevin_sampling(model, x, sigma, step_size * (sigma / sigmas[-1]) ** 2, num_steps)
        x = path[-1]
    return path


@wrong("Q2.8", "annealed_langevin_sampling")
@torch.no_grad()
def annealed_returns_the_last_level(model, start_point, sigmas, step_size, num_steps):
    """Only the path of the last level is returned: join those of all levels."""
    x = start_point
    for sigma in sigmas:
        path = langevin_sampling(model, x, sigma, step_size * (sigma / sigmas[-1]) ** 2, num_steps)
        x = path[-1]
    return path


@wrong("Q2.8", "annealed_langevin_sampling")
@torch.no_grad()
def annealed_asks_at_the_last_sigma(model, start_point, sigmas, step_size, num_steps):
    """The model is asked at the smallest sigma on every level: level i uses the score at sigma_i."""
    path = [start_point]
    for sigma in sigmas:
        path += langevin_sampling(model, path[-1], sigmas[-1], step_size * (sigma / sigmas[-1]) ** 2, num_steps)[1:]
    return path


@wrong("Q2.8", "annealed_langevin_sampling")
def annealed_leaves_out_the_last_level(model, start_point, sigmas, step_size, num_steps):
    """The last level, the smallest sigma, is left out."""
    path = [start_point]
    for sigma in sigmas[:-1]:
        path += langevin_sampling(model, path[-1], sigma, step_size * (sigma / sigmas[-1]) ** 2, num_steps)[1:]
    return path


@wrong("Q2.8", "annealed_langevin_sampling")
def annealed_step_is_the_variance(model, start_point, sigmas, step_size, num_steps):
    """The step of a level is step_size sigma_i^2: it is divided by sigma_L^2, so that the last level has step_size."""
    path = [start_point]
    for sigma in sigmas:
        path += langevin_sampling(model, path[-1], sigma, step_size * sigma**2, num_steps)[1:]
    return path


@wrong("Q2.8", "annealed_langevin_sampling")
@torch.no_grad()
def annealed_without_noise(model, start_point, sigmas, step_size, num_steps):
    """The levels are walked by deterministic_sampling: Langevin dynamics adds noise in each step."""
    path = [start_point]
    for sigma in sigmas:
        step = step_size * (sigma / sigmas[-1]) ** 2
        path += deterministic_sampling(model, path[-1], sigma, step, num_steps)[1:]
    return path
