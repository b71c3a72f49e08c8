"""What students get wrong in gan.py."""

from autograder.grading.variants import wrong

# ---------------------------------------------------------------- Q2.1


@wrong("Q2.1", "jsd")
def jsd_log_of_sigmoid(cp, cq):
    """log(sigmoid(c)), like -log(1 + exp(-c)), is -inf at c = -100, where exp overflows: use a form that does not."""
    return 0.5 * (torch.log(torch.sigmoid(cp)).mean() + torch.log(torch.sigmoid(-cq)).mean() + math.log(4))


@wrong("Q2.1", "jsd")
def jsd_epsilon_in_the_logarithm(cp, cq):
    """An epsilon inside the logarithm avoids infinity, but cuts off the values and their gradients at large |c|."""
    cp, cq = torch.sigmoid(cp), torch.sigmoid(cq)
    return 0.5 * (torch.log(cp + 1e-8).mean() + torch.log(1 - cq + 1e-8).mean() + math.log(4))


@wrong("Q2.1", "jsd")
def jsd_sign_of_cq(cp, cq):
    """The critic shall be small on Q: the second term is log s(-c), not log s(c)."""
    return 0.5 * (F.logsigmoid(cp).mean() + F.logsigmoid(cq).mean() + math.log(4))


@wrong("Q2.1", "jsd")
def jsd_swapped(cp, cq):
    """P and Q are swapped: the critic is positive on real samples."""
    return 0.5 * (F.logsigmoid(-cp).mean() + F.logsigmoid(cq).mean() + math.log(4))


@wrong("Q2.1", "jsd")
def jsd_without_log_4(cp, cq):
    """log 4 is missing: a critic of zeros must give a divergence of 0."""
    return 0.5 * (F.logsigmoid(cp).mean() + F.logsigmoid(-cq).mean())


@wrong("Q2.1", "jsd")
def jsd_log_2_for_log_4(cp, cq):
    """The constant inside the parentheses is log 4, half of which is log 2."""
    return 0.5 * (F.logsigmoid(cp).mean() + F.logsigmoid(-cq).mean() + math.log(2))


@wrong("Q2.1", "jsd")
def jsd_without_the_half(cp, cq):
    """The factor 1/2 before the sum is missing."""
    return F.logsigmoid(cp).mean() + F.logsigmoid(-cq).mean() + math.log(4)


@wrong("Q2.1", "jsd")
def jsd_as_a_loss(cp, cq):
    """The sign is wrong: this is the critic's loss, the divergence is its negative."""
    return -0.5 * (F.logsigmoid(cp).mean() + F.logsigmoid(-cq).mean() + math.log(4))


@wrong("Q2.1", "jsd")
def jsd_of_probabilities(cp, cq):
    """cp and cq are any real numbers (logits), not probabilities: the sigmoid is missing."""
    return 0.5 * (torch.log(cp).mean() + torch.log(1 - cq).mean() + math.log(4))


@wrong("Q2.1", "jsd")
def jsd_sums(cp, cq):
    """Expected values are means over the batch; these are sums."""
    return 0.5 * (F.logsigmoid(cp).sum() + F.logsigmoid(-cq).sum() + math.log(4))


@wrong("Q2.1", "jsd")
def jsd_log_outside_of_the_mean(cp, cq):
    """The logarithm is taken of the mean: the mean is taken of the logarithms."""
    return 0.5 * (torch.sigmoid(cp).mean().log() + torch.sigmoid(-cq).mean().log() + math.log(4))


@wrong("Q2.1", "jsd")
def jsd_without_log(cp, cq):
    """The logarithms are missing: this is the mean of the sigmoids."""
    return 0.5 * (torch.sigmoid(cp).mean() + torch.sigmoid(-cq).mean() + math.log(4))


@wrong("Q2.1", "jsd")
def jsd_log_4_outside(cp, cq):
    """log 4 stands outside of the parentheses: half of it, log 2, is added."""
    return 0.5 * (F.logsigmoid(cp).mean() + F.logsigmoid(-cq).mean()) + math.log(4)


@wrong("Q2.1", "jsd")
def jsd_subtracts_log_4(cp, cq):
    """log 4 is subtracted: it is added, so that a critic of zeros gives 0."""
    return 0.5 * (F.logsigmoid(cp).mean() + F.logsigmoid(-cq).mean() - math.log(4))


@wrong("Q2.1", "jsd")
def jsd_clamps(cp, cq):
    """The probabilities are cut off before the logarithm: values and gradients are lost at large |c|."""
    cp, cq = torch.sigmoid(cp).clamp(1e-7, 1 - 1e-7), torch.sigmoid(cq).clamp(1e-7, 1 - 1e-7)
    return 0.5 * (cp.log().mean() + (1 - cq).log().mean() + math.log(4))


@wrong("Q2.1", "jsd")
def jsd_one_minus_sigmoid(cp, cq):
    """log(1 - sigmoid(c)) is -inf at c = 100, where the sigmoid is rounded to 1: take logsigmoid(-c)."""
    return 0.5 * (F.logsigmoid(cp).mean() + (1 - torch.sigmoid(cq)).log().mean() + math.log(4))


@wrong("Q2.1", "jsd")
def jsd_without_gradient(cp, cq):
    """The value has lost its gradient (detach(), item() or no_grad()): neither network can learn from it."""
    return 0.5 * (F.logsigmoid(cp).mean() + F.logsigmoid(-cq).mean() + math.log(4)).detach()


@wrong("Q2.1", "jsd")
def jsd_clamps_the_critic(cp, cq):
    """The critic's outputs are cut off before the logarithm: values and gradients are lost at large |c|."""
    return 0.5 * (F.logsigmoid(cp.clamp(-50, 50)).mean() + F.logsigmoid(-cq.clamp(-50, 50)).mean() + math.log(4))


@wrong("Q2.1", "jsd")
def jsd_of_clamped_probabilities(cp, cq):
    """cp and cq are any real numbers (logits), not probabilities to be cut off: the sigmoid is missing."""
    cp, cq = cp.clamp(1e-8, 1), (1 - cq).clamp(1e-8, 1)
    return 0.5 * (torch.log(cp).mean() + torch.log(cq).mean() + math.log(4))


# ---------------------------------------------------------------- Q2.2


@wrong("Q2.2", "w1")
def w1_swapped(cp, cq):
    """The sign is wrong: the critic is large on P, and the distance is E_p[c] - E_q[c]."""
    return cq.mean() - cp.mean()


@wrong("Q2.2", "w1")
def w1_absolute_value(cp, cq):
    """An absolute value is taken: a critic that is larger on Q has to give a negative number, from which it learns."""
    return (cp.mean() - cq.mean()).abs()


@wrong("Q2.2", "w1")
def w1_sums(cp, cq):
    """Expected values are means over the batch; these are sums."""
    return cp.sum() - cq.sum()


@wrong("Q2.2", "w1")
def w1_of_sigmoids(cp, cq):
    """The Wasserstein critic's outputs are used as they are, without a sigmoid."""
    return torch.sigmoid(cp).mean() - torch.sigmoid(cq).mean()


@wrong("Q2.2", "w1")
def w1_adds(cp, cq):
    """The distance is the difference of the two means, not their sum."""
    return cp.mean() + cq.mean()


@wrong("Q2.2", "w1")
def w1_for_each_sample(cp, cq):
    """The difference is taken before the mean, which only works for batches of one size: take two means."""
    return (cp - cq).mean()


@wrong("Q2.2", "w1")
def w1_without_mean(cp, cq):
    """The means are missing: the distance is one number."""
    return cp - cq


@wrong("Q2.2", "w1")
def w1_half(cp, cq):
    """A factor 1/2 stands in front: the distance has none."""
    return 0.5 * (cp.mean() - cq.mean())


@wrong("Q2.2", "w1")
def w1_without_gradient(cp, cq):
    """The value has lost its gradient (detach(), item() or no_grad()): neither network can learn from it."""
    return (cp.mean() - cq.mean()).detach()


# ---------------------------------------------------------------- Q2.3


@wrong("Q2.3", "ogp")
def ogp_zero_centred(p, cp, q, cq, critic):
    """This pulls the norm to 0: the original penalty is centred at 1."""
    epsilon = torch.rand(len(p), *[1] * (p.dim() - 1), device=p.device)
    between = (epsilon * p + (1 - epsilon) * q).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return gradient.flatten(1).norm(dim=1).square().mean()


@wrong("Q2.3", "ogp")
def ogp_norm_over_the_last_dimension(p, cp, q, cq, critic):
    """The norm is taken over the last dimension only: for images it is over all dimensions of a sample."""
    epsilon = torch.rand(len(p), *[1] * (p.dim() - 1), device=p.device)
    between = (epsilon * p + (1 - epsilon) * q).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (gradient.norm(dim=-1) - 1).square().mean()


@wrong("Q2.3", "ogp")
def ogp_norm_over_dimension_1(p, cp, q, cq, critic):
    """The norm is taken over dimension 1 only: for images it is over all dimensions of a sample."""
    epsilon = torch.rand(len(p), *[1] * (p.dim() - 1), device=p.device)
    between = (epsilon * p + (1 - epsilon) * q).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (gradient.norm(dim=1) - 1).square().mean()


@wrong("Q2.3", "ogp")
def ogp_norm_over_the_batch(p, cp, q, cq, critic):
    """This is the norm of the whole batch's gradient: each sample has a gradient and a norm of its own."""
    epsilon = torch.rand(len(p), *[1] * (p.dim() - 1), device=p.device)
    between = (epsilon * p + (1 - epsilon) * q).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (gradient.norm() - 1).square()


@wrong("Q2.3", "ogp")
def ogp_gradient_of_the_mean(p, cp, q, cq, critic):
    """The gradient of the critic's mean is 1/B of each sample's gradient: take the gradient of the sum."""
    epsilon = torch.rand(len(p), *[1] * (p.dim() - 1), device=p.device)
    between = (epsilon * p + (1 - epsilon) * q).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).mean(), between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


@wrong("Q2.3", "ogp")
def ogp_without_the_square(p, cp, q, cq, critic):
    """The square is missing: this is the mean of ||g|| - 1, not of its square."""
    epsilon = torch.rand(len(p), *[1] * (p.dim() - 1), device=p.device)
    between = (epsilon * p + (1 - epsilon) * q).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).mean()


@wrong("Q2.3", "ogp")
def ogp_squares_the_norm_first(p, cp, q, cq, critic):
    """This is (||g||^2 - 1)^2: the norm itself is asked for, a square root is missing."""
    epsilon = torch.rand(len(p), *[1] * (p.dim() - 1), device=p.device)
    between = (epsilon * p + (1 - epsilon) * q).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (gradient.flatten(1).square().sum(dim=1) - 1).square().mean()


@wrong("Q2.3", "ogp")
def ogp_one_sided(p, cp, q, cq, critic):
    """This penalizes norms above 1 only: the original penalty also pulls up smaller norms."""
    epsilon = torch.rand(len(p), *[1] * (p.dim() - 1), device=p.device)
    between = (epsilon * p + (1 - epsilon) * q).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).clamp(min=0).square().mean()


@wrong("Q2.3", "ogp")
def ogp_sum_over_the_batch(p, cp, q, cq, critic):
    """The penalty is the mean over the batch, not the sum."""
    epsilon = torch.rand(len(p), *[1] * (p.dim() - 1), device=p.device)
    between = (epsilon * p + (1 - epsilon) * q).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().sum()


@wrong("Q2.3", "ogp")
def ogp_mean_of_the_norms_first(p, cp, q, cq, critic):
    """The mean comes last: each sample's norm is compared with 1, not the mean norm."""
    epsilon = torch.rand(len(p), *[1] * (p.dim() - 1), device=p.device)
    between = (epsilon * p + (1 - epsilon) * q).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1).mean() - 1).square()


@wrong("Q2.3", "ogp")
def ogp_epsilon_of_two_dimensions(p, cp, q, cq, critic):
    """e has the shape (B, 1), which fits samples (B, D) but not images: give it as many dimensions as the samples."""
    epsilon = torch.rand(len(p), 1, device=p.device)
    between = (epsilon * p + (1 - epsilon) * q).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


@wrong("Q2.3", "ogp")
def ogp_epsilon_for_each_entry(p, cp, q, cq, critic):
    """e is another number for each entry of a sample, so that the points leave the line between p and q."""
    epsilon = torch.rand_like(p)
    between = (epsilon * p + (1 - epsilon) * q).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


@wrong("Q2.3", "ogp")
def ogp_one_epsilon_for_all(p, cp, q, cq, critic):
    """e is the same for the whole batch: draw one for each sample."""
    epsilon = torch.rand((), device=p.device)
    between = (epsilon * p + (1 - epsilon) * q).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


@wrong("Q2.3", "ogp")
def ogp_normal_epsilon(p, cp, q, cq, critic):
    """e is normal here, so that points lie beyond p and q: it is uniform in [0, 1]."""
    epsilon = torch.randn(len(p), *[1] * (p.dim() - 1), device=p.device)
    between = (epsilon * p + (1 - epsilon) * q).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


@wrong("Q2.3", "ogp")
def ogp_adds_noise_to_real_samples(p, cp, q, cq, critic):
    """The points are p plus a random multiple of q: they belong on the line between p and q, so p needs its factor."""
    epsilon = torch.rand(len(p), *[1] * (p.dim() - 1), device=p.device)
    between = (p + (1 - epsilon) * q).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


@wrong("Q2.3", "ogp")
def ogp_at_the_middle(p, cp, q, cq, critic):
    """The points are all half-way: draw e at random for each sample."""
    between = (0.5 * (p + q)).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


@wrong("Q2.3", "ogp")
def ogp_at_real_samples(p, cp, q, cq, critic):
    """The gradient is taken at p: it belongs to random points between p and q."""
    real = p.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(real).sum(), real, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


@wrong("Q2.3", "ogp")
def ogp_points_without_gradients(p, cp, q, cq, critic):
    """p and q need not require gradients, so the points between them do not either, until you say so."""
    epsilon = torch.rand(len(p), *[1] * (p.dim() - 1), device=p.device)
    between = epsilon * p + (1 - epsilon) * q
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


@wrong("Q2.3", "ogp")
def ogp_without_create_graph(p, cp, q, cq, critic):
    """The gradient is a constant here: with create_graph=True the penalty's own gradient reaches the critic."""
    epsilon = torch.rand(len(p), *[1] * (p.dim() - 1), device=p.device)
    between = (epsilon * p + (1 - epsilon) * q).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


@wrong("Q2.3", "ogp")
def ogp_half(p, cp, q, cq, critic):
    """A factor 1/2 stands in front: the penalty has none, its weight is the coefficient reg_cf of make_losses."""
    epsilon = torch.rand(len(p), *[1] * (p.dim() - 1), device=p.device)
    between = (epsilon * p + (1 - epsilon) * q).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return 0.5 * (gradient.flatten(1).norm(dim=1) - 1).square().mean()


@wrong("Q2.3", "ogp")
def ogp_ten(p, cp, q, cq, critic):
    """The penalty is multiplied by 10: its weight is the coefficient reg_cf of make_losses."""
    epsilon = torch.rand(len(p), *[1] * (p.dim() - 1), device=p.device)
    between = (epsilon * p + (1 - epsilon) * q).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return 10 * (gradient.flatten(1).norm(dim=1) - 1).square().mean()


@wrong("Q2.3", "ogp")
def ogp_at_generated_samples(p, cp, q, cq, critic):
    """The gradient is taken at q: it belongs to random points between p and q."""
    fake = q.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(fake).sum(), fake, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


@wrong("Q2.3", "ogp")
def ogp_sum_of_absolute_values(p, cp, q, cq, critic):
    """The norm is the sum of absolute values (L1): the Euclidean norm is asked for."""
    epsilon = torch.rand(len(p), *[1] * (p.dim() - 1), device=p.device)
    between = (epsilon * p + (1 - epsilon) * q).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (gradient.flatten(1).norm(p=1, dim=1) - 1).square().mean()


@wrong("Q2.3", "ogp")
def ogp_subtracts_one_from_the_square(p, cp, q, cq, critic):
    """1 is subtracted from the squared norm: it is subtracted from the norm, and the difference is squared."""
    epsilon = torch.rand(len(p), *[1] * (p.dim() - 1), device=p.device)
    between = (epsilon * p + (1 - epsilon) * q).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (gradient.flatten(1).square().sum(dim=1) - 1).mean()


# ---------------------------------------------------------------- Q2.4


@wrong("Q2.4", "r1gp")
def r1_one_centred(p, cp, q, cq, critic):
    """This pulls the norm to 1: R1 is centred at 0, no 1 is subtracted."""
    real = p.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(real).sum(), real, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


@wrong("Q2.4", "r1gp")
def r1_at_generated_samples(p, cp, q, cq, critic):
    """The gradient is taken at the generated samples q (that is R2): R1 takes the real ones."""
    fake = q.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(fake).sum(), fake, create_graph=True)
    return gradient.flatten(1).square().sum(dim=1).mean()


@wrong("Q2.4", "r1gp")
def r1_at_points_between(p, cp, q, cq, critic):
    """The gradient is taken between p and q, as in the other penalty: R1 takes the real samples alone."""
    epsilon = torch.rand(len(p), *[1] * (p.dim() - 1), device=p.device)
    between = (epsilon * p + (1 - epsilon) * q).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return gradient.flatten(1).square().sum(dim=1).mean()


@wrong("Q2.4", "r1gp")
def r1_without_the_square(p, cp, q, cq, critic):
    """This is the norm: its square is asked for."""
    real = p.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(real).sum(), real, create_graph=True)
    return gradient.flatten(1).norm(dim=1).mean()


@wrong("Q2.4", "r1gp")
def r1_half(p, cp, q, cq, critic):
    """A factor 1/2 stands in front: r1gp has none, since the paper's gamma / 2 is the coefficient reg_cf of
    make_losses."""
    real = p.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(real).sum(), real, create_graph=True)
    return 0.5 * gradient.flatten(1).square().sum(dim=1).mean()


@wrong("Q2.4", "r1gp")
def r1_mean_over_entries(p, cp, q, cq, critic):
    """The squared norm is the sum of the squares over a sample's entries; this is their mean."""
    real = p.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(real).sum(), real, create_graph=True)
    return gradient.square().mean()


@wrong("Q2.4", "r1gp")
def r1_sum_over_the_batch(p, cp, q, cq, critic):
    """The penalty is the mean over the batch, not the sum."""
    real = p.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(real).sum(), real, create_graph=True)
    return gradient.square().sum()


@wrong("Q2.4", "r1gp")
def r1_over_the_last_dimension(p, cp, q, cq, critic):
    """The squared norm is taken over the last dimension only: for images it is over all dimensions of a sample."""
    real = p.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(real).sum(), real, create_graph=True)
    return gradient.square().sum(dim=-1).mean()


@wrong("Q2.4", "r1gp")
def r1_gradient_of_the_mean(p, cp, q, cq, critic):
    """The gradient of the critic's mean is 1/B of each sample's gradient: take the gradient of the sum."""
    real = p.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(real).mean(), real, create_graph=True)
    return gradient.flatten(1).square().sum(dim=1).mean()


@wrong("Q2.4", "r1gp")
def r1_through_cp(p, cp, q, cq, critic):
    """p need not require gradients, so cp knows none: let a copy of p require them and ask the critic again."""
    (gradient,) = torch.autograd.grad(cp.sum(), p, create_graph=True)
    return gradient.flatten(1).square().sum(dim=1).mean()


@wrong("Q2.4", "r1gp")
def r1_without_create_graph(p, cp, q, cq, critic):
    """The gradient is a constant here: with create_graph=True the penalty's own gradient reaches the critic."""
    real = p.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(real).sum(), real)
    return gradient.flatten(1).square().sum(dim=1).mean()


@wrong("Q2.4", "r1gp")
def r1_without_mean(p, cp, q, cq, critic):
    """The mean over the batch is missing: the penalty is one number."""
    real = p.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(real).sum(), real, create_graph=True)
    return gradient.flatten(1).square().sum(dim=1)


@wrong("Q2.4", "r1gp")
def r1_penalizes_parameters(p, cp, q, cq, critic):
    """The gradient is taken by the critic's parameters: R1 takes it by the samples."""
    gradients = torch.autograd.grad(critic(p).sum(), list(critic.parameters()), create_graph=True)
    return sum(gradient.square().sum() for gradient in gradients)


@wrong("Q2.4", "r1gp")
def r1_square_of_the_mean_norm(p, cp, q, cq, critic):
    """The mean norm is squared: each sample's norm is squared first."""
    real = p.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(real).sum(), real, create_graph=True)
    return gradient.flatten(1).norm(dim=1).mean().square()


@wrong("Q2.4", "r1gp")
def r1_of_the_output(p, cp, q, cq, critic):
    """This is the square of the critic's output: the penalty takes its gradient by the samples."""
    return critic(p).square().mean()


# ---------------------------------------------------------------- Q2.5


@wrong("Q2.5", "make_losses")
def losses_critic_minimizes_the_metric(loss_type, reg_type=None, reg_cf=1.0):
    """The critic's loss has the wrong sign: the critic makes the metric large, so its loss is -metric."""
    if loss_type not in ("JSD", "W1") or reg_type not in ("GP", "R1", None):
        raise NotImplementedError

    def metric(p, q, critic):
        return {"JSD": jsd, "W1": w1}[loss_type](critic(p), critic(q))

    def critic_loss(p, q, critic):
        loss = metric(p, q, critic)
        if reg_type:
            loss = loss + reg_cf * {"GP": ogp, "R1": r1gp}[reg_type](p, critic(p), q, critic(q), critic)
        return loss

    return metric, critic_loss


@wrong("Q2.5", "make_losses")
def losses_subtract_the_penalty(loss_type, reg_type=None, reg_cf=1.0):
    """The penalty is subtracted: minimizing the loss would then make it large."""
    if loss_type not in ("JSD", "W1") or reg_type not in ("GP", "R1", None):
        raise NotImplementedError

    def metric(p, q, critic):
        return {"JSD": jsd, "W1": w1}[loss_type](critic(p), critic(q))

    def critic_loss(p, q, critic):
        loss = -metric(p, q, critic)
        if reg_type:
            loss = loss - reg_cf * {"GP": ogp, "R1": r1gp}[reg_type](p, critic(p), q, critic(q), critic)
        return loss

    return metric, critic_loss


@wrong("Q2.5", "make_losses")
def losses_forget_the_coefficient(loss_type, reg_type=None, reg_cf=1.0):
    """The penalty's coefficient reg_cf is missing."""
    if loss_type not in ("JSD", "W1") or reg_type not in ("GP", "R1", None):
        raise NotImplementedError

    def metric(p, q, critic):
        return {"JSD": jsd, "W1": w1}[loss_type](critic(p), critic(q))

    def critic_loss(p, q, critic):
        loss = -metric(p, q, critic)
        if reg_type:
            loss = loss + {"GP": ogp, "R1": r1gp}[reg_type](p, critic(p), q, critic(q), critic)
        return loss

    return metric, critic_loss


@wrong("Q2.5", "make_losses")
def losses_half_the_coefficient(loss_type, reg_type=None, reg_cf=1.0):
    """The penalty is multiplied by half of reg_cf: its coefficient is reg_cf."""
    if loss_type not in ("JSD", "W1") or reg_type not in ("GP", "R1", None):
        raise NotImplementedError

    def metric(p, q, critic):
        return {"JSD": jsd, "W1": w1}[loss_type](critic(p), critic(q))

    def critic_loss(p, q, critic):
        loss = -metric(p, q, critic)
        if reg_type:
            loss = loss + 0.5 * reg_cf * {"GP": ogp, "R1": r1gp}[reg_type](p, critic(p), q, critic(q), critic)
        return loss

    return metric, critic_loss


@wrong("Q2.5", "make_losses")
def losses_swap_the_penalties(loss_type, reg_type=None, reg_cf=1.0):
    """The penalties are swapped: GP is ogp, R1 is r1gp."""
    if loss_type not in ("JSD", "W1") or reg_type not in ("GP", "R1", None):
        raise NotImplementedError

    def metric(p, q, critic):
        return {"JSD": jsd, "W1": w1}[loss_type](critic(p), critic(q))

    def critic_loss(p, q, critic):
        loss = -metric(p, q, critic)
        if reg_type:
            loss = loss + reg_cf * {"GP": r1gp, "R1": ogp}[reg_type](p, critic(p), q, critic(q), critic)
        return loss

    return metric, critic_loss


@wrong("Q2.5", "make_losses")
def losses_swap_p_and_q(loss_type, reg_type=None, reg_cf=1.0):
    """The data and the generator's samples are swapped when the metric is called."""
    if loss_type not in ("JSD", "W1") or reg_type not in ("GP", "R1", None):
        raise NotImplementedError

    def metric(p, q, critic):
        return {"JSD": jsd, "W1": w1}[loss_type](critic(q), critic(p))

    def critic_loss(p, q, critic):
        loss = -metric(p, q, critic)
        if reg_type:
            loss = loss + reg_cf * {"GP": ogp, "R1": r1gp}[reg_type](p, critic(p), q, critic(q), critic)
        return loss

    return metric, critic_loss


@wrong("Q2.5", "make_losses")
def losses_penalize_the_generator(loss_type, reg_type=None, reg_cf=1.0):
    """The penalty is in the metric too: only the critic is regularized."""
    if loss_type not in ("JSD", "W1") or reg_type not in ("GP", "R1", None):
        raise NotImplementedError

    def penalty(p, q, critic):
        if reg_type is None:
            return 0.0
        return reg_cf * {"GP": ogp, "R1": r1gp}[reg_type](p, critic(p), q, critic(q), critic)

    def metric(p, q, critic):
        return {"JSD": jsd, "W1": w1}[loss_type](critic(p), critic(q)) + penalty(p, q, critic)

    def critic_loss(p, q, critic):
        return -metric(p, q, critic) + 2 * penalty(p, q, critic)

    return metric, critic_loss


@wrong("Q2.5", "make_losses")
def losses_always_jsd(loss_type, reg_type=None, reg_cf=1.0):
    """loss_type is not looked at: "W1" asks for w1."""
    if loss_type not in ("JSD", "W1") or reg_type not in ("GP", "R1", None):
        raise NotImplementedError

    def metric(p, q, critic):
        return jsd(critic(p), critic(q))

    def critic_loss(p, q, critic):
        loss = -metric(p, q, critic)
        if reg_type:
            loss = loss + reg_cf * {"GP": ogp, "R1": r1gp}[reg_type](p, critic(p), q, critic(q), critic)
        return loss

    return metric, critic_loss


@wrong("Q2.5", "make_losses")
def losses_detach_the_samples(loss_type, reg_type=None, reg_cf=1.0):
    """The samples are detached inside the metric: the generator learns through them, so detach in the train step."""
    if loss_type not in ("JSD", "W1") or reg_type not in ("GP", "R1", None):
        raise NotImplementedError

    def metric(p, q, critic):
        return {"JSD": jsd, "W1": w1}[loss_type](critic(p), critic(q.detach()))

    def critic_loss(p, q, critic):
        loss = -metric(p, q, critic)
        if reg_type:
            loss = loss + reg_cf * {"GP": ogp, "R1": r1gp}[reg_type](p, critic(p), q, critic(q), critic)
        return loss

    return metric, critic_loss


@wrong("Q2.5", "make_losses")
def losses_accept_every_penalty(loss_type, reg_type=None, reg_cf=1.0):
    """An unknown reg_type trains without a penalty, and nobody notices: raise NotImplementedError."""
    if loss_type not in ("JSD", "W1"):
        raise NotImplementedError

    def metric(p, q, critic):
        return {"JSD": jsd, "W1": w1}[loss_type](critic(p), critic(q))

    def critic_loss(p, q, critic):
        loss = -metric(p, q, critic)
        if reg_type in ("GP", "R1"):
            loss = loss + reg_cf * {"GP": ogp, "R1": r1gp}[reg_type](p, critic(p), q, critic(q), critic)
        return loss

    return metric, critic_loss


@wrong("Q2.5", "make_losses")
def losses_raise_another_error(loss_type, reg_type=None, reg_cf=1.0):
    """An unknown name raises another error than NotImplementedError."""
    divergence = {"JSD": jsd, "W1": w1}[loss_type]
    penalty = {"GP": ogp, "R1": r1gp, None: None}[reg_type]

    def metric(p, q, critic):
        return divergence(critic(p), critic(q))

    def critic_loss(p, q, critic):
        loss = -metric(p, q, critic)
        if penalty:
            loss = loss + reg_cf * penalty(p, critic(p), q, critic(q), critic)
        return loss

    return metric, critic_loss


@wrong("Q2.5", "make_losses")
def losses_swap_the_types(loss_type, reg_type=None, reg_cf=1.0):
    """The two types are exchanged: "JSD" asks for jsd, "W1" for w1."""
    if loss_type not in ("JSD", "W1") or reg_type not in ("GP", "R1", None):
        raise NotImplementedError

    def metric(p, q, critic):
        return {"JSD": w1, "W1": jsd}[loss_type](critic(p), critic(q))

    def critic_loss(p, q, critic):
        loss = -metric(p, q, critic)
        if reg_type:
            loss = loss + reg_cf * {"GP": ogp, "R1": r1gp}[reg_type](p, critic(p), q, critic(q), critic)
        return loss

    return metric, critic_loss


@wrong("Q2.5", "make_losses")
def losses_forget_the_penalty(loss_type, reg_type=None, reg_cf=1.0):
    """The penalty is missing in the critic's loss."""
    if loss_type not in ("JSD", "W1") or reg_type not in ("GP", "R1", None):
        raise NotImplementedError

    def metric(p, q, critic):
        return {"JSD": jsd, "W1": w1}[loss_type](critic(p), critic(q))

    def critic_loss(p, q, critic):
        return -metric(p, q, critic)

    return metric, critic_loss


@wrong("Q2.5", "make_losses")
def losses_in_the_other_order(loss_type, reg_type=None, reg_cf=1.0):
    """The two functions are returned in the wrong order: the metric comes first."""
    if loss_type not in ("JSD", "W1") or reg_type not in ("GP", "R1", None):
        raise NotImplementedError

    def metric(p, q, critic):
        return {"JSD": jsd, "W1": w1}[loss_type](critic(p), critic(q))

    def critic_loss(p, q, critic):
        loss = -metric(p, q, critic)
        if reg_type:
            loss = loss + reg_cf * {"GP": ogp, "R1": r1gp}[reg_type](p, critic(p), q, critic(q), critic)
        return loss

    return critic_loss, metric


@wrong("Q2.5", "make_losses")
def losses_swap_p_and_q_in_the_penalty(loss_type, reg_type=None, reg_cf=1.0):
    """The data and the generator's samples are swapped when the penalty is called: p, cp come before q, cq."""
    if loss_type not in ("JSD", "W1") or reg_type not in ("GP", "R1", None):
        raise NotImplementedError

    def metric(p, q, critic):
        return {"JSD": jsd, "W1": w1}[loss_type](critic(p), critic(q))

    def critic_loss(p, q, critic):
        loss = -metric(p, q, critic)
        if reg_type:
            loss = loss + reg_cf * {"GP": ogp, "R1": r1gp}[reg_type](q, critic(q), p, critic(p), critic)
        return loss

    return metric, critic_loss


@wrong("Q2.5", "make_losses")
def losses_detach_the_critic_on_q(loss_type, reg_type=None, reg_cf=1.0):
    """The critic's outputs on q are detached: neither the generator nor the critic learns anything from q."""
    if loss_type not in ("JSD", "W1") or reg_type not in ("GP", "R1", None):
        raise NotImplementedError(loss_type, reg_type)
    divergence = {"JSD": jsd, "W1": w1}[loss_type]
    penalty = {"GP": ogp, "R1": r1gp, None: None}[reg_type]

    def metric(p, q, critic):
        return divergence(critic(p), critic(q).detach())

    def critic_loss(p, q, critic):
        loss = -metric(p, q, critic)
        return loss if penalty is None else loss + reg_cf * penalty(p, critic(p), q, critic(q), critic)

    return metric, critic_loss


# ---------------------------------------------------------------- Q2.6


@wrong("Q2.6", "apply_exponential_moving_average")
def ema_weights_swapped(source, target, alpha=0.998):
    """The weights are swapped: alpha is that of the past, 1 - alpha that of the source."""
    with torch.no_grad():
        for new, old in zip(source.parameters(), target.parameters(), strict=True):
            old.copy_((1 - alpha) * old + alpha * new)


@wrong("Q2.6", "apply_exponential_moving_average")
def ema_only_rebinds(source, target, alpha=0.998):
    """This gives a new value to a name of the loop: target itself does not change. Write into its parameters."""
    for new, old in zip(source.parameters(), target.parameters(), strict=True):
        old = alpha * old + (1 - alpha) * new


@wrong("Q2.6", "apply_exponential_moving_average")
def ema_new_parameters(source, target, alpha=0.998):
    """target gets new nn.Parameter objects: whoever holds the old ones never sees the average. Change them in place."""
    for name, new in list(source.named_parameters()):
        owner, _, attribute = name.rpartition(".")
        module = target.get_submodule(owner)
        old = getattr(module, attribute)
        setattr(module, attribute, nn.Parameter((alpha * old + (1 - alpha) * new).detach()))


@wrong("Q2.6", "apply_exponential_moving_average")
def ema_into_the_source(source, target, alpha=0.998):
    """This writes the average into source: the generator in training stays as it is, target changes."""
    with torch.no_grad():
        for new, old in zip(source.parameters(), target.parameters(), strict=True):
            new.copy_(alpha * old + (1 - alpha) * new)


@wrong("Q2.6", "apply_exponential_moving_average")
def ema_shares_memory(source, target, alpha=0.998):
    """target's parameters become source's own memory: they must stay apart."""
    for new, old in zip(source.parameters(), target.parameters(), strict=True):
        new.data.mul_(1 - alpha).add_(old.data, alpha=alpha)
        old.data = new.data


@wrong("Q2.6", "apply_exponential_moving_average")
def ema_copies(source, target, alpha=0.998):
    """This is a copy of source, not an average with the past."""
    target.load_state_dict(source.state_dict())


@wrong("Q2.6", "apply_exponential_moving_average")
def ema_adds_without_decay(source, target, alpha=0.998):
    """The past is not multiplied by alpha: target grows from step to step."""
    with torch.no_grad():
        for new, old in zip(source.parameters(), target.parameters(), strict=True):
            old.add_((1 - alpha) * new)


@wrong("Q2.6", "apply_exponential_moving_average")
def ema_weights_only(source, target, alpha=0.998):
    """Only matrices are averaged: biases and other vectors are parameters too."""
    with torch.no_grad():
        for new, old in zip(source.parameters(), target.parameters(), strict=True):
            if old.dim() > 1:
                old.mul_(alpha).add_((1 - alpha) * new)


@wrong("Q2.6", "apply_exponential_moving_average")
def ema_with_gradients(source, target, alpha=0.998):
    """Parameters cannot be changed in place while gradients are recorded: use torch.no_grad()."""
    for new, old in zip(source.parameters(), target.parameters(), strict=True):
        old.mul_(alpha).add_((1 - alpha) * new)


@wrong("Q2.6", "apply_exponential_moving_average")
def ema_adds_both(source, target, alpha=0.998):
    """Source is added without its weight: target becomes alpha * target + (1 - alpha) * source."""
    with torch.no_grad():
        for new, old in zip(source.parameters(), target.parameters(), strict=True):
            old.mul_(alpha).add_(new)


@wrong("Q2.6", "apply_exponential_moving_average")
def ema_averages_in_equal_parts(source, target, alpha=0.998):
    """alpha is not used: this is the mean of both."""
    with torch.no_grad():
        for new, old in zip(source.parameters(), target.parameters(), strict=True):
            old.copy_(0.5 * old + 0.5 * new)


@wrong("Q2.6", "apply_exponential_moving_average")
def ema_ignores_alpha(source, target, alpha=0.998):
    """The weight is always 0.998, whatever alpha is."""
    with torch.no_grad():
        for new, old in zip(source.parameters(), target.parameters(), strict=True):
            old.copy_(0.998 * old + 0.002 * new)


# ---------------------------------------------------------------- Q2.7


@wrong("Q2.7", "make_train_step")
def step_one_batch_for_all_critic_steps(loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None):
    """All steps of the critic use one batch of data: call next(train_data_iter) inside of the loop."""
    metric, critic_loss = make_losses(loss_type, reg_type=reg_type, reg_cf=reg_cf)

    def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
        p = next(train_data_iter)
        for _ in range(critic_inner_iters):
            critic_optim.zero_grad()
            critic_loss(p, generator().detach(), critic).backward()
            critic_optim.step()
        generator_optim.zero_grad()
        value = metric(p, generator(), critic)
        value.backward()
        generator_optim.step()
        if alpha_ema is not None:
            apply_exponential_moving_average(generator, test_generator, alpha_ema)
        return value.detach()

    return train_step


@wrong("Q2.7", "make_train_step")
def step_same_fakes_for_all_critic_steps(loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None):
    """All steps of the critic use the same generated samples: call generator() inside of the loop."""
    metric, critic_loss = make_losses(loss_type, reg_type=reg_type, reg_cf=reg_cf)

    def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
        q = generator().detach()
        for _ in range(critic_inner_iters):
            p = next(train_data_iter)
            critic_optim.zero_grad()
            critic_loss(p, q, critic).backward()
            critic_optim.step()
        generator_optim.zero_grad()
        value = metric(p, generator(), critic)
        value.backward()
        generator_optim.step()
        if alpha_ema is not None:
            apply_exponential_moving_average(generator, test_generator, alpha_ema)
        return value.detach()

    return train_step


@wrong("Q2.7", "make_train_step")
def step_detached_generator(loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None):
    """The generator's step goes through detached samples, so that it never learns: there it needs the graph."""
    metric, critic_loss = make_losses(loss_type, reg_type=reg_type, reg_cf=reg_cf)

    def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
        for _ in range(critic_inner_iters):
            p, q = next(train_data_iter), generator().detach()
            critic_optim.zero_grad()
            critic_loss(p, q, critic).backward()
            critic_optim.step()
        generator_optim.zero_grad()
        value = metric(p, q, critic)
        value.backward()
        generator_optim.step()
        if alpha_ema is not None:
            apply_exponential_moving_average(generator, test_generator, alpha_ema)
        return value.detach()

    return train_step


@wrong("Q2.7", "make_train_step")
def step_attached_fakes(loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None):
    """The critic's loss is backpropagated into the generator: detach the samples in the critic's steps."""
    metric, critic_loss = make_losses(loss_type, reg_type=reg_type, reg_cf=reg_cf)

    def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
        for _ in range(critic_inner_iters):
            p = next(train_data_iter)
            critic_optim.zero_grad()
            critic_loss(p, generator(), critic).backward()
            critic_optim.step()
        generator_optim.zero_grad()
        value = metric(p, generator(), critic)
        value.backward()
        generator_optim.step()
        if alpha_ema is not None:
            apply_exponential_moving_average(generator, test_generator, alpha_ema)
        return value.detach()

    return train_step


@wrong("Q2.7", "make_train_step")
def step_critic_gradients_pile_up(loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None):
    """The critic's gradients are not cleared before each of its steps: those of earlier passes are still there."""
    metric, critic_loss = make_losses(loss_type, reg_type=reg_type, reg_cf=reg_cf)

    def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
        for _ in range(critic_inner_iters):
            p = next(train_data_iter)
            critic_loss(p, generator().detach(), critic).backward()
            critic_optim.step()
        generator_optim.zero_grad()
        value = metric(p, generator(), critic)
        value.backward()
        generator_optim.step()
        if alpha_ema is not None:
            apply_exponential_moving_average(generator, test_generator, alpha_ema)
        return value.detach()

    return train_step


@wrong("Q2.7", "make_train_step")
def step_generator_gradients_pile_up(loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None):
    """The generator's gradients are not cleared before its step: those of earlier steps are still there."""
    metric, critic_loss = make_losses(loss_type, reg_type=reg_type, reg_cf=reg_cf)

    def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
        for _ in range(critic_inner_iters):
            p = next(train_data_iter)
            critic_optim.zero_grad()
            critic_loss(p, generator().detach(), critic).backward()
            critic_optim.step()
        value = metric(p, generator(), critic)
        value.backward()
        generator_optim.step()
        if alpha_ema is not None:
            apply_exponential_moving_average(generator, test_generator, alpha_ema)
        return value.detach()

    return train_step


@wrong("Q2.7", "make_train_step")
def step_critic_clears_too_early(loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None):
    """The critic's gradients are cleared after its step, and those of the generator's step stay: clear them before."""
    metric, critic_loss = make_losses(loss_type, reg_type=reg_type, reg_cf=reg_cf)

    def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
        for _ in range(critic_inner_iters):
            p = next(train_data_iter)
            critic_loss(p, generator().detach(), critic).backward()
            critic_optim.step()
            critic_optim.zero_grad()
        generator_optim.zero_grad()
        value = metric(p, generator(), critic)
        value.backward()
        generator_optim.step()
        if alpha_ema is not None:
            apply_exponential_moving_average(generator, test_generator, alpha_ema)
        return value.detach()

    return train_step


@wrong("Q2.7", "make_train_step")
def step_generator_maximizes(loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None):
    """The generator makes the metric larger, as the critic does: its loss is the metric itself."""
    metric, critic_loss = make_losses(loss_type, reg_type=reg_type, reg_cf=reg_cf)

    def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
        for _ in range(critic_inner_iters):
            p = next(train_data_iter)
            critic_optim.zero_grad()
            critic_loss(p, generator().detach(), critic).backward()
            critic_optim.step()
        generator_optim.zero_grad()
        q = generator()
        critic_loss(p, q, critic).backward()
        generator_optim.step()
        if alpha_ema is not None:
            apply_exponential_moving_average(generator, test_generator, alpha_ema)
        return metric(p, q, critic).detach()

    return train_step


@wrong("Q2.7", "make_train_step")
def step_one_critic_step_only(loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None):
    """critic_inner_iters is not used: the critic makes that many steps for one of the generator."""
    metric, critic_loss = make_losses(loss_type, reg_type=reg_type, reg_cf=reg_cf)

    def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
        p = next(train_data_iter)
        critic_optim.zero_grad()
        critic_loss(p, generator().detach(), critic).backward()
        critic_optim.step()
        generator_optim.zero_grad()
        value = metric(p, generator(), critic)
        value.backward()
        generator_optim.step()
        if alpha_ema is not None:
            apply_exponential_moving_average(generator, test_generator, alpha_ema)
        return value.detach()

    return train_step


@wrong("Q2.7", "make_train_step")
def step_generator_in_the_loop(loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None):
    """The generator's step is inside of the critic's loop: it comes once, behind it."""
    metric, critic_loss = make_losses(loss_type, reg_type=reg_type, reg_cf=reg_cf)

    def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
        for _ in range(critic_inner_iters):
            p = next(train_data_iter)
            critic_optim.zero_grad()
            critic_loss(p, generator().detach(), critic).backward()
            critic_optim.step()
            generator_optim.zero_grad()
            value = metric(p, generator(), critic)
            value.backward()
            generator_optim.step()
        if alpha_ema is not None:
            apply_exponential_moving_average(generator, test_generator, alpha_ema)
        return value.detach()

    return train_step


@wrong("Q2.7", "make_train_step")
def step_generator_first(loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None):
    """The generator makes its step before the critic: the critic comes first."""
    metric, critic_loss = make_losses(loss_type, reg_type=reg_type, reg_cf=reg_cf)

    def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
        generator_optim.zero_grad()
        value = metric(next(train_data_iter), generator(), critic)
        value.backward()
        generator_optim.step()
        for _ in range(critic_inner_iters):
            p = next(train_data_iter)
            critic_optim.zero_grad()
            critic_loss(p, generator().detach(), critic).backward()
            critic_optim.step()
        if alpha_ema is not None:
            apply_exponential_moving_average(generator, test_generator, alpha_ema)
        return value.detach()

    return train_step


@wrong("Q2.7", "make_train_step")
def step_average_before_the_generator(loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None):
    """The moving average is updated before the generator's step: it comes after it."""
    metric, critic_loss = make_losses(loss_type, reg_type=reg_type, reg_cf=reg_cf)

    def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
        for _ in range(critic_inner_iters):
            p = next(train_data_iter)
            critic_optim.zero_grad()
            critic_loss(p, generator().detach(), critic).backward()
            critic_optim.step()
        if alpha_ema is not None:
            apply_exponential_moving_average(generator, test_generator, alpha_ema)
        generator_optim.zero_grad()
        value = metric(p, generator(), critic)
        value.backward()
        generator_optim.step()
        return value.detach()

    return train_step


@wrong("Q2.7", "make_train_step")
def step_average_into_the_generator(loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None):
    """test_generator never changes: either the moving average is not updated, or its source and target are swapped."""
    metric, critic_loss = make_losses(loss_type, reg_type=reg_type, reg_cf=reg_cf)

    def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
        for _ in range(critic_inner_iters):
            p = next(train_data_iter)
            critic_optim.zero_grad()
            critic_loss(p, generator().detach(), critic).backward()
            critic_optim.step()
        generator_optim.zero_grad()
        value = metric(p, generator(), critic)
        value.backward()
        generator_optim.step()
        if alpha_ema is not None:
            apply_exponential_moving_average(test_generator, generator, alpha_ema)
        return value.detach()

    return train_step


@wrong("Q2.7", "make_train_step")
def step_ignores_alpha(loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None):
    """alpha_ema is not handed on to the moving average, which then uses its default."""
    metric, critic_loss = make_losses(loss_type, reg_type=reg_type, reg_cf=reg_cf)

    def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
        for _ in range(critic_inner_iters):
            p = next(train_data_iter)
            critic_optim.zero_grad()
            critic_loss(p, generator().detach(), critic).backward()
            critic_optim.step()
        generator_optim.zero_grad()
        value = metric(p, generator(), critic)
        value.backward()
        generator_optim.step()
        if alpha_ema is not None:
            apply_exponential_moving_average(generator, test_generator)
        return value.detach()

    return train_step


@wrong("Q2.7", "make_train_step")
def step_without_regularization(loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None):
    """reg_type and reg_cf are not handed on to make_losses: the critic trains without its penalty."""
    metric, critic_loss = make_losses(loss_type)

    def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
        for _ in range(critic_inner_iters):
            p = next(train_data_iter)
            critic_optim.zero_grad()
            critic_loss(p, generator().detach(), critic).backward()
            critic_optim.step()
        generator_optim.zero_grad()
        value = metric(p, generator(), critic)
        value.backward()
        generator_optim.step()
        if alpha_ema is not None:
            apply_exponential_moving_average(generator, test_generator, alpha_ema)
        return value.detach()

    return train_step


@wrong("Q2.7", "make_train_step")
def step_keeps_the_default_coefficient(loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None):
    """reg_cf is not handed on to make_losses: the penalty keeps its default coefficient."""
    metric, critic_loss = make_losses(loss_type, reg_type=reg_type)

    def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
        for _ in range(critic_inner_iters):
            p = next(train_data_iter)
            critic_optim.zero_grad()
            critic_loss(p, generator().detach(), critic).backward()
            critic_optim.step()
        generator_optim.zero_grad()
        value = metric(p, generator(), critic)
        value.backward()
        generator_optim.step()
        if alpha_ema is not None:
            apply_exponential_moving_average(generator, test_generator, alpha_ema)
        return value.detach()

    return train_step


@wrong("Q2.7", "make_train_step")
def step_returns_the_critics_loss(loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None):
    """It returns the critic's loss: the metric is asked for."""
    metric, critic_loss = make_losses(loss_type, reg_type=reg_type, reg_cf=reg_cf)

    def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
        for _ in range(critic_inner_iters):
            p = next(train_data_iter)
            critic_optim.zero_grad()
            loss = critic_loss(p, generator().detach(), critic)
            loss.backward()
            critic_optim.step()
        generator_optim.zero_grad()
        metric(p, generator(), critic).backward()
        generator_optim.step()
        if alpha_ema is not None:
            apply_exponential_moving_average(generator, test_generator, alpha_ema)
        return loss.detach()

    return train_step


@wrong("Q2.7", "make_train_step")
def step_returns_a_graph(loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None):
    """The returned metric still holds its graph, which fills the memory of whoever collects it: detach it."""
    metric, critic_loss = make_losses(loss_type, reg_type=reg_type, reg_cf=reg_cf)

    def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
        for _ in range(critic_inner_iters):
            p = next(train_data_iter)
            critic_optim.zero_grad()
            critic_loss(p, generator().detach(), critic).backward()
            critic_optim.step()
        generator_optim.zero_grad()
        value = metric(p, generator(), critic)
        value.backward()
        generator_optim.step()
        if alpha_ema is not None:
            apply_exponential_moving_average(generator, test_generator, alpha_ema)
        return value

    return train_step


@wrong("Q2.7", "make_train_step")
def step_takes_zero_for_none(loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None):
    """`if alpha_ema:` is also false for alpha_ema = 0, which copies the generator: only None leaves out the average."""
    metric, critic_loss = make_losses(loss_type, reg_type=reg_type, reg_cf=reg_cf)

    def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
        for _ in range(critic_inner_iters):
            p = next(train_data_iter)
            critic_optim.zero_grad()
            critic_loss(p, generator().detach(), critic).backward()
            critic_optim.step()
        generator_optim.zero_grad()
        value = metric(p, generator(), critic)
        value.backward()
        generator_optim.step()
        if alpha_ema:
            apply_exponential_moving_average(generator, test_generator, alpha_ema)
        return value.detach()

    return train_step


@wrong("Q2.7", "make_train_step")
def step_critic_gradients_cleared_once(loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None):
    """The critic's gradients are cleared once, before its steps: from the second step on, those of the steps before are
    still there."""
    metric, critic_loss = make_losses(loss_type, reg_type=reg_type, reg_cf=reg_cf)

    def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
        critic_optim.zero_grad()
        for _ in range(critic_inner_iters):
            p = next(train_data_iter)
            critic_loss(p, generator().detach(), critic).backward()
            critic_optim.step()
        generator_optim.zero_grad()
        value = metric(p, generator(), critic)
        value.backward()
        generator_optim.step()
        if alpha_ema is not None:
            apply_exponential_moving_average(generator, test_generator, alpha_ema)
        return value.detach()

    return train_step


@wrong("Q2.7", "make_train_step")
def step_averages_always(loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None):
    """alpha_ema may be None, and then there is no moving average."""
    metric, critic_loss = make_losses(loss_type, reg_type=reg_type, reg_cf=reg_cf)

    def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
        for _ in range(critic_inner_iters):
            p = next(train_data_iter)
            critic_optim.zero_grad()
            critic_loss(p, generator().detach(), critic).backward()
            critic_optim.step()
        generator_optim.zero_grad()
        value = metric(p, generator(), critic)
        value.backward()
        generator_optim.step()
        apply_exponential_moving_average(generator, test_generator, alpha_ema)
        return value.detach()

    return train_step


@wrong("Q2.7", "make_train_step")
def step_through_the_test_generator(loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None):
    """The generator's step takes samples of test_generator, so that the generator never learns: it takes its own."""
    metric, critic_loss = make_losses(loss_type, reg_type=reg_type, reg_cf=reg_cf)

    def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
        for _ in range(critic_inner_iters):
            p = next(train_data_iter)
            critic_optim.zero_grad()
            critic_loss(p, generator().detach(), critic).backward()
            critic_optim.step()
        generator_optim.zero_grad()
        value = metric(p, test_generator(), critic)
        value.backward()
        generator_optim.step()
        if alpha_ema is not None:
            apply_exponential_moving_average(generator, test_generator, alpha_ema)
        return value.detach()

    return train_step


@wrong("Q2.7", "make_train_step")
def step_one_critic_step_too_many(loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None):
    """The critic makes critic_inner_iters + 1 steps: critic_inner_iters are asked for."""
    metric, critic_loss = make_losses(loss_type, reg_type=reg_type, reg_cf=reg_cf)

    def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
        for _ in range(critic_inner_iters + 1):
            p = next(train_data_iter)
            critic_optim.zero_grad()
            critic_loss(p, generator().detach(), critic).backward()
            critic_optim.step()
        generator_optim.zero_grad()
        value = metric(p, generator(), critic)
        value.backward()
        generator_optim.step()
        if alpha_ema is not None:
            apply_exponential_moving_average(generator, test_generator, alpha_ema)
        return value.detach()

    return train_step


@wrong("Q2.7", "make_train_step")
def step_critic_minimizes_the_metric(loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None):
    """The critic minimizes the metric: its own loss is critic_loss, with the other sign and the penalty."""
    metric, critic_loss = make_losses(loss_type, reg_type=reg_type, reg_cf=reg_cf)

    def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
        for _ in range(critic_inner_iters):
            p = next(train_data_iter)
            critic_optim.zero_grad()
            metric(p, generator().detach(), critic).backward()
            critic_optim.step()
        generator_optim.zero_grad()
        value = metric(p, generator(), critic)
        value.backward()
        generator_optim.step()
        if alpha_ema is not None:
            apply_exponential_moving_average(generator, test_generator, alpha_ema)
        return value.detach()

    return train_step


@wrong("Q2.7", "make_train_step")
def step_average_in_the_loop(loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None):
    """The moving average is taken after each step of the critic: once, after the generator's step, is asked for."""
    metric, critic_loss = make_losses(loss_type, reg_type=reg_type, reg_cf=reg_cf)

    def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
        for _ in range(critic_inner_iters):
            p = next(train_data_iter)
            critic_optim.zero_grad()
            critic_loss(p, generator().detach(), critic).backward()
            critic_optim.step()
            if alpha_ema is not None:
                apply_exponential_moving_average(generator, test_generator, alpha_ema)
        generator_optim.zero_grad()
        value = metric(p, generator(), critic)
        value.backward()
        generator_optim.step()
        return value.detach()

    return train_step


@wrong("Q2.7", "make_train_step")
def step_returns_nothing(loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None):
    """make_train_step returns None: train_step has to be handed back with `return`."""
    metric, critic_loss = make_losses(loss_type, reg_type=reg_type, reg_cf=reg_cf)

    def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
        for _ in range(critic_inner_iters):
            p = next(train_data_iter)
            critic_optim.zero_grad()
            critic_loss(p, generator().detach(), critic).backward()
            critic_optim.step()
        generator_optim.zero_grad()
        value = metric(p, generator(), critic)
        value.backward()
        generator_optim.step()
        if alpha_ema is not None:
            apply_exponential_moving_average(generator, test_generator, alpha_ema)
        return value.detach()

    return None


@wrong("Q2.7", "make_train_step")
def step_returns_no_metric(loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None):
    """train_step returns None: the metric has to be handed back with `return`."""
    metric, critic_loss = make_losses(loss_type, reg_type=reg_type, reg_cf=reg_cf)

    def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
        for _ in range(critic_inner_iters):
            p = next(train_data_iter)
            critic_optim.zero_grad()
            critic_loss(p, generator().detach(), critic).backward()
            critic_optim.step()
        generator_optim.zero_grad()
        value = metric(p, generator(), critic)
        value.backward()
        generator_optim.step()
        if alpha_ema is not None:
            apply_exponential_moving_average(generator, test_generator, alpha_ema)
        return None

    return train_step


@wrong("Q2.7", "make_train_step")
def step_draws_one_batch_before(loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None):
    """A batch is drawn before the loop, where none belongs: each step of the critic takes the next one."""
    metric, critic_loss = make_losses(loss_type, reg_type=reg_type, reg_cf=reg_cf)

    def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
        next(train_data_iter)
        for _ in range(critic_inner_iters):
            p = next(train_data_iter)
            critic_optim.zero_grad()
            critic_loss(p, generator().detach(), critic).backward()
            critic_optim.step()
        generator_optim.zero_grad()
        value = metric(p, generator(), critic)
        value.backward()
        generator_optim.step()
        if alpha_ema is not None:
            apply_exponential_moving_average(generator, test_generator, alpha_ema)
        return value.detach()

    return train_step


@wrong("Q2.7", "make_train_step")
def step_average_in_the_loop_too(loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None):
    """The moving average is taken after each step of the critic, too: it belongs after the generator's step alone."""
    metric, critic_loss = make_losses(loss_type, reg_type=reg_type, reg_cf=reg_cf)

    def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
        for _ in range(critic_inner_iters):
            p = next(train_data_iter)
            critic_optim.zero_grad()
            critic_loss(p, generator().detach(), critic).backward()
            critic_optim.step()
            if alpha_ema is not None:
                apply_exponential_moving_average(generator, test_generator, alpha_ema)
        generator_optim.zero_grad()
        value = metric(p, generator(), critic)
        value.backward()
        generator_optim.step()
        if alpha_ema is not None:
            apply_exponential_moving_average(generator, test_generator, alpha_ema)
        return value.detach()

    return train_step


@wrong("Q2.7", "make_train_step")
def step_returns_the_metric_of_before(loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None):
    """The metric that is returned is that of a batch before the critic's steps: the generator's step has its own."""
    metric, critic_loss = make_losses(loss_type, reg_type=reg_type, reg_cf=reg_cf)

    def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
        first = metric(next(train_data_iter), generator(), critic).detach()
        for _ in range(critic_inner_iters):
            p = next(train_data_iter)
            critic_optim.zero_grad()
            critic_loss(p, generator().detach(), critic).backward()
            critic_optim.step()
        generator_optim.zero_grad()
        value = metric(p, generator(), critic)
        value.backward()
        generator_optim.step()
        if alpha_ema is not None:
            apply_exponential_moving_average(generator, test_generator, alpha_ema)
        return first

    return train_step
