"""Right answers to solution.py that look different from the reference."""

from autograder.grading.variants import right


@right("Q3.1", "planar_transformation")
def planar_by_einsum(z, u, w, b):
    """einsum over both."""
    inner = torch.einsum("bd,d->b", z, w.flatten()) + b
    return z + torch.einsum("b,d->bd", torch.tanh(inner), u.flatten())


@right("Q3.1", "planar_transformation")
def planar_by_entries_and_a_sum(z, u, w, b):
    """Broadcast, then sum over the last dimension."""
    return z + u * torch.tanh((w * z).sum(dim=1, keepdim=True) + b)


@right("Q3.2", "get_logdet")
def logdet_by_whole_jacobians(z, u, w, b):
    """The D x D Jacobian of the student's own transformation, by autograd."""
    point = lambda one: planar_transformation(one.unsqueeze(0), u, w, b).squeeze(0)  # noqa: E731
    return torch.linalg.slogdet(torch.func.vmap(torch.func.jacrev(point))(z)).logabsdet


@right("Q3.2", "get_logdet")
def logdet_by_psi(z, u, w, b):
    """psi(z) first, as in the paper, with cosh for the derivative and a small epsilon in the logarithm."""
    psi = w.reshape(1, -1) / torch.cosh((z * w).sum(dim=1, keepdim=True) + b) ** 2
    return torch.log(torch.abs(1 + (psi * u).sum(dim=1)) + 1e-8)


@right("Q3.3", "loss1")
def nll_by_distributions(x, logdet):
    """torch.distributions."""
    normal = torch.distributions.Normal(torch.zeros_like(x), torch.ones_like(x))
    return -normal.log_prob(x).sum(dim=-1) - logdet


@right("Q3.3", "loss1")
def nll_by_a_loop(x, logdet):
    """One dimension after the other."""
    loss = -logdet
    for column in x.unbind(dim=1):
        loss = loss + 0.5 * column**2 + math.log(math.sqrt(2 * math.pi))
    return loss


@right("Q3.4", "loss2")
def reverse_by_loss1(density, z0, logdet):
    """By means of loss1, at z0."""
    return -loss1(x=z0, logdet=logdet) - 2 * logdet - torch.log(density)


@right("Q3.4", "loss2")
def reverse_by_distributions(density, z0, logdet):
    """MultivariateNormal, and a small epsilon in the logarithm."""
    size = z0.shape[1]
    normal = torch.distributions.MultivariateNormal(torch.zeros(size).to(z0), torch.eye(size).to(z0))
    return normal.log_prob(z0) - logdet - (density + 1e-8).log()


@right("Q3.1", "planar_transformation")
def planar_by_addmm(z, u, w, b):
    """addmm with column vectors."""
    hidden = torch.tanh(torch.addmm(b.reshape(1, 1), z, w.reshape(-1, 1)))
    return torch.addmm(z, hidden, u.reshape(1, -1))


@right("Q3.2", "get_logdet")
def logdet_by_jacrev(z, u, w, b):
    """The whole Jacobian by torch.func, its determinant by slogdet."""
    u, w = u.reshape(-1), w.reshape(-1)
    jacobian = torch.func.vmap(torch.func.jacrev(lambda x: x + u * torch.tanh(x @ w + b.reshape(()))))(z)
    return torch.linalg.slogdet(jacobian).logabsdet


@right("Q3.3", "loss1")
def nll_by_gaussian_nll_loss(x, logdet):
    """nn.functional's loss with mean 0 and variance 1, and its constant."""
    zeros, ones = torch.zeros_like(x), torch.ones_like(x)
    return torch.nn.functional.gaussian_nll_loss(zeros, x, ones, full=True, reduction="none").sum(-1) - logdet


@right("Q3.4", "loss2")
def reverse_by_norms(density, z0, logdet):
    """The squared norm, and the constant for all dimensions at once."""
    constant = z0.shape[1] * math.log(2 * math.pi)
    return -0.5 * (torch.linalg.vector_norm(z0, dim=1) ** 2 + constant) - torch.log(density) - logdet
