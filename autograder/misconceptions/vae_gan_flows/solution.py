"""What students get wrong in solution.py."""

from autograder.grading.variants import wrong

# ---------------------------------------------------------------- Q3.1


@wrong("Q3.1", "planar_transformation")
def planar_forgets_z(z, u, w, b):
    """This is only the displacement u tanh(w.z + b): the point z itself is missing."""
    return u.reshape(1, -1) * torch.tanh(z @ w.reshape(-1) + b).unsqueeze(1)


@wrong("Q3.1", "planar_transformation")
def planar_swaps_u_and_w(z, u, w, b):
    """u and w are swapped: w looks at the point, u says where it moves."""
    return z + w.reshape(1, -1) * torch.tanh(z @ u.reshape(-1) + b).unsqueeze(1)


@wrong("Q3.1", "planar_transformation")
def planar_multiplies_entries(z, u, w, b):
    """w * z multiplies entry by entry: the argument of tanh is one number for each point, w.z + b."""
    return z + u.reshape(1, -1) * torch.tanh(z * w.reshape(1, -1) + b)


@wrong("Q3.1", "planar_transformation")
def planar_forgets_b(z, u, w, b):
    """b is missing inside of tanh."""
    return z + u.reshape(1, -1) * torch.tanh(z @ w.reshape(-1)).unsqueeze(1)


@wrong("Q3.1", "planar_transformation")
def planar_b_outside(z, u, w, b):
    """b belongs inside of tanh, with w.z, not behind it."""
    return z + u.reshape(1, -1) * (torch.tanh(z @ w.reshape(-1)) + b).unsqueeze(1)


@wrong("Q3.1", "planar_transformation")
def planar_sigmoid(z, u, w, b):
    """The sigmoid stands where h = tanh belongs."""
    return z + u.reshape(1, -1) * torch.sigmoid(z @ w.reshape(-1) + b).unsqueeze(1)


@wrong("Q3.1", "planar_transformation")
def planar_without_h(z, u, w, b):
    """Without the non-linear h = tanh the transformation is only linear."""
    return z + u.reshape(1, -1) * (z @ w.reshape(-1) + b).unsqueeze(1)


@wrong("Q3.1", "planar_transformation")
def planar_minus(z, u, w, b):
    """The sign is wrong: the point moves along +u."""
    return z - u.reshape(1, -1) * torch.tanh(z @ w.reshape(-1) + b).unsqueeze(1)


@wrong("Q3.1", "planar_transformation")
def planar_adds_u(z, u, w, b):
    """u is added, not multiplied by tanh(w.z + b): the point moves along u, as far as tanh says."""
    return z + u.reshape(1, -1) + torch.tanh(z @ w.reshape(-1) + b).unsqueeze(1)


@wrong("Q3.1", "planar_transformation")
def planar_without_u(z, u, w, b):
    """u is not used: the point moves along u, z + u tanh(w.z + b)."""
    return z + torch.tanh(z @ w.reshape(-1) + b).unsqueeze(1) + 0 * u.reshape(1, -1)


@wrong("Q3.1", "planar_transformation")
def planar_moves_along_w(z, u, w, b):
    """The point moves along w: it moves along u."""
    return z + w.reshape(1, -1) * torch.tanh(z @ w.reshape(-1) + b).unsqueeze(1)


@wrong("Q3.1", "planar_transformation")
def planar_multiplies_z(z, u, w, b):
    """z is multiplied by the displacement: it is added to it."""
    return z * u.reshape(1, -1) * torch.tanh(z @ w.reshape(-1) + b).unsqueeze(1)


@wrong("Q3.1", "planar_transformation")
def planar_subtracts_b(z, u, w, b):
    """b is subtracted inside of tanh: its argument is w.z + b."""
    return z + u.reshape(1, -1) * torch.tanh(z @ w.reshape(-1) - b).unsqueeze(1)


@wrong("Q3.1", "planar_transformation")
def planar_without_gradient(z, u, w, b):
    """The value has lost its gradient (detach(), item() or no_grad()): nothing can be learned through it."""
    return (z + u.reshape(1, -1) * torch.tanh(z @ w.reshape(-1) + b).unsqueeze(1)).detach()


@wrong("Q3.1", "planar_transformation")
def planar_with_relu(z, u, w, b):
    """relu stands where tanh belongs."""
    return z + u.reshape(1, -1) * torch.relu(z @ w.reshape(-1) + b).unsqueeze(1)


# ---------------------------------------------------------------- Q3.2


@wrong("Q3.2", "get_logdet")
def logdet_without_abs(z, u, w, b):
    """Without the absolute value, the logarithm of a negative determinant is NaN."""
    slope = 1 - torch.tanh(z @ w.reshape(-1) + b).square()
    return (1 + slope * (u.reshape(-1) @ w.reshape(-1))).log()


@wrong("Q3.2", "get_logdet")
def logdet_abs_outside(z, u, w, b):
    """The absolute value belongs to the determinant, inside the logarithm: a log-determinant may be negative."""
    slope = 1 - torch.tanh(z @ w.reshape(-1) + b).square()
    return (1 + slope * (u.reshape(-1) @ w.reshape(-1))).log().abs()


@wrong("Q3.2", "get_logdet")
def logdet_abs_of_the_product(z, u, w, b):
    """The absolute value is that of the whole determinant 1 + ..., not of the product behind the 1."""
    slope = 1 - torch.tanh(z @ w.reshape(-1) + b).square()
    return (1 + (slope * (u.reshape(-1) @ w.reshape(-1))).abs()).log()


@wrong("Q3.2", "get_logdet")
def logdet_clamps(z, u, w, b):
    """A negative determinant is cut off here; its absolute value counts."""
    slope = 1 - torch.tanh(z @ w.reshape(-1) + b).square()
    return (1 + slope * (u.reshape(-1) @ w.reshape(-1))).clamp(min=1e-6).log()


@wrong("Q3.2", "get_logdet")
def logdet_without_derivative(z, u, w, b):
    """The Jacobian holds the derivative h'(w.z + b); without it the determinant would be the same everywhere."""
    return (1 + u.reshape(-1) @ w.reshape(-1)).abs().log().expand(len(z))


@wrong("Q3.2", "get_logdet")
def logdet_tanh_for_its_derivative(z, u, w, b):
    """This has tanh where its derivative belongs."""
    return (1 + torch.tanh(z @ w.reshape(-1) + b) * (u.reshape(-1) @ w.reshape(-1))).abs().log()


@wrong("Q3.2", "get_logdet")
def logdet_one_minus_tanh(z, u, w, b):
    """The derivative of tanh(a) is 1 - tanh(a)^2: the square is missing."""
    return (1 + (1 - torch.tanh(z @ w.reshape(-1) + b)) * (u.reshape(-1) @ w.reshape(-1))).abs().log()


@wrong("Q3.2", "get_logdet")
def logdet_forgets_b(z, u, w, b):
    """b is missing in the argument of the derivative h'(w.z + b)."""
    slope = 1 - torch.tanh(z @ w.reshape(-1)).square()
    return (1 + slope * (u.reshape(-1) @ w.reshape(-1))).abs().log()


@wrong("Q3.2", "get_logdet")
def logdet_slope_along_u(z, u, w, b):
    """The argument of h' is w.z + b, with w and not with u: u and w are swapped."""
    slope = 1 - torch.tanh(z @ u.reshape(-1) + b).square()
    return (1 + slope * (u.reshape(-1) @ w.reshape(-1))).abs().log()


@wrong("Q3.2", "get_logdet")
def logdet_at_the_transformed_point(z, u, w, b):
    """The derivative is taken at the transformed point: the Jacobian is that at z, before the transformation."""
    z = planar_transformation(z, u, w, b)
    slope = 1 - torch.tanh(z @ w.reshape(-1) + b).square()
    return (1 + slope * (u.reshape(-1) @ w.reshape(-1))).abs().log()


@wrong("Q3.2", "get_logdet")
def logdet_without_log(z, u, w, b):
    """This is |1 + h'(w.z + b) u.w|, the determinant itself: its logarithm is asked for."""
    slope = 1 - torch.tanh(z @ w.reshape(-1) + b).square()
    return (1 + slope * (u.reshape(-1) @ w.reshape(-1))).abs()


@wrong("Q3.2", "get_logdet")
def logdet_of_the_inverse(z, u, w, b):
    """The sign is wrong: this is the log-determinant of the inverse transformation."""
    slope = 1 - torch.tanh(z @ w.reshape(-1) + b).square()
    return -(1 + slope * (u.reshape(-1) @ w.reshape(-1))).abs().log()


@wrong("Q3.2", "get_logdet")
def logdet_forgets_the_identity(z, u, w, b):
    """The 1 of the lemma is missing: z itself contributes the identity to the Jacobian."""
    slope = 1 - torch.tanh(z @ w.reshape(-1) + b).square()
    return (slope * (u.reshape(-1) @ w.reshape(-1))).abs().log()


@wrong("Q3.2", "get_logdet")
def logdet_of_the_diagonal(z, u, w, b):
    """This multiplies the diagonal of the Jacobian only: the other entries count too, and the lemma takes them in."""
    slope = 1 - torch.tanh(z @ w.reshape(-1) + b).square()
    return (1 + slope.unsqueeze(1) * (u.reshape(-1) * w.reshape(-1))).abs().log().sum(dim=1)


@wrong("Q3.2", "get_logdet")
def logdet_summed_over_the_batch(z, u, w, b):
    """You sum over the batch: each point has its own determinant."""
    slope = 1 - torch.tanh(z @ w.reshape(-1) + b).square()
    return (1 + slope * (u.reshape(-1) @ w.reshape(-1))).abs().log().sum()


@wrong("Q3.2", "get_logdet")
def logdet_as_a_column(z, u, w, b):
    """The shape is (B, 1) instead of (B,): later, (B,) plus (B, 1) becomes (B, B)."""
    slope = 1 - torch.tanh(z @ w.reshape(-1) + b).square()
    return (1 + slope * (u.reshape(-1) @ w.reshape(-1))).abs().log().unsqueeze(1)


@wrong("Q3.2", "get_logdet")
def logdet_product_of_u_and_w_alone(z, u, w, b):
    """This is h'(w.z + b) u.w: the determinant is 1 plus that, and its logarithm is asked for."""
    slope = 1 - torch.tanh(z @ w.reshape(-1) + b).square()
    return slope * (u.reshape(-1) @ w.reshape(-1))


@wrong("Q3.2", "get_logdet")
def logdet_is_u_dot_w(z, u, w, b):
    """This is u.w, the same for all points: the determinant is 1 + h'(w.z + b) u.w, and its logarithm is asked for."""
    return (u.reshape(-1) @ w.reshape(-1)).expand(len(z))


@wrong("Q3.2", "get_logdet")
def logdet_norm_of_w(z, u, w, b):
    """The product is that of w with itself: it is u.w."""
    slope = 1 - torch.tanh(z @ w.reshape(-1) + b).square()
    return (1 + slope * w.square().sum()).abs().log()


@wrong("Q3.2", "get_logdet")
def logdet_without_log_and_abs(z, u, w, b):
    """This is the determinant, 1 + h'(w.z + b) u.w: the logarithm of its absolute value is asked for."""
    slope = 1 - torch.tanh(z @ w.reshape(-1) + b).square()
    return 1 + slope * (u.reshape(-1) @ w.reshape(-1))


@wrong("Q3.2", "get_logdet")
def logdet_one_minus(z, u, w, b):
    """h'(w.z + b) u.w is subtracted from 1: it is added."""
    slope = 1 - torch.tanh(z @ w.reshape(-1) + b).square()
    return (1 - slope * (u.reshape(-1) @ w.reshape(-1))).abs().log()


@wrong("Q3.2", "get_logdet")
def logdet_derivative_of_the_sigmoid(z, u, w, b):
    """h' is the derivative of the sigmoid: that of tanh is 1 - tanh(a)^2."""
    s = torch.sigmoid(z @ w.reshape(-1) + b)
    return (1 + s * (1 - s) * (u.reshape(-1) @ w.reshape(-1))).abs().log()


@wrong("Q3.2", "get_logdet")
def logdet_log_to_base_two(z, u, w, b):
    """The logarithm is to base 2: the natural one is asked for."""
    slope = 1 - torch.tanh(z @ w.reshape(-1) + b).square()
    return (1 + slope * (u.reshape(-1) @ w.reshape(-1))).abs().log2()


@wrong("Q3.2", "get_logdet")
def logdet_without_gradient(z, u, w, b):
    """The value has lost its gradient (detach(), item() or no_grad()): nothing can be learned through it."""
    slope = 1 - torch.tanh(z @ w.reshape(-1) + b).square()
    return (1 + slope * (u.reshape(-1) @ w.reshape(-1))).abs().log().detach()


@wrong("Q3.2", "get_logdet")
def logdet_sums_u(z, u, w, b):
    """The entries of u are added up: their scalar product with w, u.w, belongs there."""
    slope = 1 - torch.tanh(z @ w.reshape(-1) + b).square()
    return (1 + slope * u.sum()).abs().log()


# ---------------------------------------------------------------- Q3.3


@wrong("Q3.3", "loss1")
def nll_subtracts_logdet_from_likelihood(x, logdet):
    """logdet has the wrong sign: g maps the data to the base, so where it stretches space the data are denser."""
    return 0.5 * (x.square() + math.log(2 * math.pi)).sum(dim=1) + logdet


@wrong("Q3.3", "loss1")
def nll_forgets_logdet(x, logdet):
    """The change of volume, logdet, is missing: without it the flow may shrink everything to 0."""
    return 0.5 * (x.square() + math.log(2 * math.pi)).sum(dim=1)


@wrong("Q3.3", "loss1")
def nll_is_the_likelihood(x, logdet):
    """This is the log-likelihood; the loss is its negative."""
    return logdet - 0.5 * (x.square() + math.log(2 * math.pi)).sum(dim=1)


@wrong("Q3.3", "loss1")
def nll_forgets_the_constant(x, logdet):
    """The normalizing constant of N(0, I) is missing: a likelihood that is reported needs all of its terms."""
    return 0.5 * x.square().sum(dim=1) - logdet


@wrong("Q3.3", "loss1")
def nll_one_constant_for_all_dimensions(x, logdet):
    """The constant 1/2 ln(2 pi) belongs to each of the D dimensions, not once to the point."""
    return 0.5 * (x.square().sum(dim=1) + math.log(2 * math.pi)) - logdet


@wrong("Q3.3", "loss1")
def nll_forgets_the_half(x, logdet):
    """The 1/2 before the squared norm is missing."""
    return (x.square() + 0.5 * math.log(2 * math.pi)).sum(dim=1) - logdet


@wrong("Q3.3", "loss1")
def nll_forgets_the_base(x, logdet):
    """The base density at x is missing: this is the change of volume alone, which rewards blowing up space."""
    return -logdet


@wrong("Q3.3", "loss1")
def nll_mean_over_dimensions(x, logdet):
    """ln N(x; 0, I) is the sum over the D dimensions, not their mean."""
    return 0.5 * (x.square() + math.log(2 * math.pi)).mean(dim=1) - logdet


@wrong("Q3.3", "loss1")
def nll_mean_over_the_batch(x, logdet):
    """This is the mean over the batch: one number for each point is asked for."""
    return (0.5 * (x.square() + math.log(2 * math.pi)).sum(dim=1) - logdet).mean()


@wrong("Q3.3", "loss1")
def nll_matrix(x, logdet):
    """(B, 1) minus (B,) is (B, B): the base density needs the shape (B,)."""
    return 0.5 * (x.square() + math.log(2 * math.pi)).sum(dim=1, keepdim=True) - logdet


@wrong("Q3.3", "loss1")
def nll_log_two_pi_in_full(x, logdet):
    """ln(2 pi) is added in full for each dimension: half of it belongs to each."""
    return (0.5 * x.square() + math.log(2 * math.pi)).sum(dim=1) - logdet


@wrong("Q3.3", "loss1")
def nll_flips_the_base(x, logdet):
    """The base density has the wrong sign: the loss is -ln N(x; 0, I) - logdet."""
    return -0.5 * (x.square() + math.log(2 * math.pi)).sum(dim=1) - logdet


@wrong("Q3.3", "loss1")
def nll_sums_over_the_batch(x, logdet):
    """This is the sum over the batch: one number for each point is asked for."""
    return (0.5 * (x.square() + math.log(2 * math.pi)).sum(dim=1) - logdet).sum()


@wrong("Q3.3", "loss1")
def nll_norm_not_squared(x, logdet):
    """The norm of x is not squared: ln N(x; 0, I) has -|x|^2 / 2 in it."""
    return 0.5 * (x.norm(dim=1) + x.shape[1] * math.log(2 * math.pi)) - logdet


@wrong("Q3.3", "loss1")
def nll_exponentiates_logdet(x, logdet):
    """The determinant is subtracted: logdet is a logarithm already, and goes into the loss as it is."""
    return 0.5 * (x.square() + math.log(2 * math.pi)).sum(dim=1) - logdet.exp()


@wrong("Q3.3", "loss1")
def nll_takes_the_logarithm_of_logdet(x, logdet):
    """The logarithm of logdet is taken: it is a logarithm already."""
    return 0.5 * (x.square() + math.log(2 * math.pi)).sum(dim=1) - logdet.abs().log()


@wrong("Q3.3", "loss1")
def nll_without_gradient(x, logdet):
    """The value has lost its gradient (detach(), item() or no_grad()): nothing can be learned from it."""
    return (0.5 * (x.square() + math.log(2 * math.pi)).sum(dim=1) - logdet).detach()


# ---------------------------------------------------------------- Q3.4


@wrong("Q3.4", "loss2")
def reverse_density_for_its_logarithm(density, z0, logdet):
    """`density` is p(z), not its logarithm: the loss needs ln p(z)."""
    return -0.5 * (z0.square() + math.log(2 * math.pi)).sum(dim=1) - logdet - density


@wrong("Q3.4", "loss2")
def reverse_adds_logdet(density, z0, logdet):
    """logdet has the wrong sign: where f stretches space, the density q of its outputs gets smaller."""
    return -0.5 * (z0.square() + math.log(2 * math.pi)).sum(dim=1) + logdet - density.log()


@wrong("Q3.4", "loss2")
def reverse_forgets_logdet(density, z0, logdet):
    """logdet is missing: without it all samples may fall on the target's highest point."""
    return -0.5 * (z0.square() + math.log(2 * math.pi)).sum(dim=1) - density.log()


@wrong("Q3.4", "loss2")
def reverse_forgets_the_base(density, z0, logdet):
    """The base density of z0 is missing in ln q(z). Its gradient is 0, but without it the loss is no divergence."""
    return -logdet - density.log()


@wrong("Q3.4", "loss2")
def reverse_subtracts_the_base(density, z0, logdet):
    """The base density has the wrong sign: ln q(z) = ln N(z0; 0, I) - logdet."""
    return 0.5 * (z0.square() + math.log(2 * math.pi)).sum(dim=1) - logdet - density.log()


@wrong("Q3.4", "loss2")
def reverse_forgets_the_target(density, z0, logdet):
    """The target's density is missing: nothing pulls the samples to where p is large."""
    return -0.5 * (z0.square() + math.log(2 * math.pi)).sum(dim=1) - logdet


@wrong("Q3.4", "loss2")
def reverse_is_maximized(density, z0, logdet):
    """This is ln p - ln q, which would have to be maximized: a loss has the other sign."""
    return density.log() + logdet + 0.5 * (z0.square() + math.log(2 * math.pi)).sum(dim=1)


@wrong("Q3.4", "loss2")
def reverse_forgets_the_constant(density, z0, logdet):
    """The normalizing constant of N(z0; 0, I) is missing."""
    return -0.5 * z0.square().sum(dim=1) - logdet - density.log()


@wrong("Q3.4", "loss2")
def reverse_mean_over_the_batch(density, z0, logdet):
    """This is the mean over the batch: one number for each sample is asked for."""
    return (-0.5 * (z0.square() + math.log(2 * math.pi)).sum(dim=1) - logdet - density.log()).mean()


@wrong("Q3.4", "loss2")
def reverse_weighs_with_the_target(density, z0, logdet):
    """The samples come from q already: p(z) is no weight. This mixes up the two directions of KL."""
    return density * (density.log() - (-0.5 * (z0.square() + math.log(2 * math.pi)).sum(dim=1) - logdet))


@wrong("Q3.4", "loss2")
def reverse_density_added(density, z0, logdet):
    """ln p(z) has the wrong sign: the loss is ln q(z) - ln p(z)."""
    return -0.5 * (z0.square() + math.log(2 * math.pi)).sum(dim=1) - logdet + density.log()


@wrong("Q3.4", "loss2")
def reverse_base_log_two_pi_in_full(density, z0, logdet):
    """ln(2 pi) is subtracted in full for each dimension: half of it belongs to each."""
    return -(0.5 * z0.square() + math.log(2 * math.pi)).sum(dim=1) - logdet - density.log()


@wrong("Q3.4", "loss2")
def reverse_base_and_target_only_target(density, z0, logdet):
    """This is -ln p(z) alone: ln q(z), the base density minus logdet, is missing."""
    return -density.log() + 0 * logdet


@wrong("Q3.4", "loss2")
def reverse_one_constant_for_all_dimensions(density, z0, logdet):
    """The constant 1/2 ln(2 pi) belongs to each of the D dimensions, not once to the point."""
    return -0.5 * (z0.square().sum(dim=1) + math.log(2 * math.pi)) - logdet - density.log()


@wrong("Q3.4", "loss2")
def reverse_sums_over_the_batch(density, z0, logdet):
    """This is the sum over the batch: one number for each sample is asked for."""
    return (-0.5 * (z0.square() + math.log(2 * math.pi)).sum(dim=1) - logdet - density.log()).sum()


@wrong("Q3.4", "loss2")
def reverse_without_gradient(density, z0, logdet):
    """The value has lost its gradient (detach(), item() or no_grad()): nothing can be learned from it."""
    return (-0.5 * (z0.square() + math.log(2 * math.pi)).sum(dim=1) - logdet - density.log()).detach()
