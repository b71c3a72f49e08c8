"""What students get wrong in answers.py."""

from autograder.grading.variants import wrong

# ---------------------------------------------------------------- Question 1


@wrong("Q1a", "kl_q_p")
def swaps_p_and_q(mu_1, sigma_1, mu_2, sigma_2):
    """This is KL[p || q]: the expectation is under q = N(mu_2, sigma_2^2), and p stands in the denominator."""
    return math.log(sigma_2 / sigma_1) + (sigma_1**2 + (mu_1 - mu_2) ** 2) / (2 * sigma_2**2) - 0.5


@wrong("Q1a", "kl_q_p")
def loses_the_one_half(mu_1, sigma_1, mu_2, sigma_2):
    """The constant -1/2 is lost, E_q of -(x - mu_2)^2 / (2 sigma_2^2): the divergence must be 0 where p = q."""
    return math.log(sigma_1 / sigma_2) + (sigma_2**2 + (mu_2 - mu_1) ** 2) / (2 * sigma_1**2)


@wrong("Q1a", "kl_q_p")
def flips_the_logarithm(mu_1, sigma_1, mu_2, sigma_2):
    """The logarithm's sign is wrong: the normalizing constant of a density is 1 / sigma, not sigma."""
    return math.log(sigma_2 / sigma_1) + (sigma_2**2 + (mu_2 - mu_1) ** 2) / (2 * sigma_1**2) - 0.5


@wrong("Q1a", "kl_q_p")
def forgets_variance_of_q(mu_1, sigma_1, mu_2, sigma_2):
    """E_q[(x - mu_1)^2] is not only (mu_2 - mu_1)^2: the variance of x under q comes on top."""
    return math.log(sigma_1 / sigma_2) + (mu_2 - mu_1) ** 2 / (2 * sigma_1**2) - 0.5


@wrong("Q1a", "kl_q_p")
def takes_sigma_for_a_variance(mu_1, sigma_1, mu_2, sigma_2):
    """sigma_1 and sigma_2 are standard deviations; the formula was used as if they were variances."""
    return 0.5 * math.log(sigma_1 / sigma_2) + (sigma_2 + (mu_2 - mu_1) ** 2) / (2 * sigma_1) - 0.5


@wrong("Q1a", "kl_q_p")
def forgets_to_square_the_distance(mu_1, sigma_1, mu_2, sigma_2):
    """The distance of the means, mu_2 - mu_1, is not squared."""
    return math.log(sigma_1 / sigma_2) + (sigma_2**2 + mu_2 - mu_1) / (2 * sigma_1**2) - 0.5


@wrong("Q1a", "kl_q_p")
def loses_the_two_of_the_variance(mu_1, sigma_1, mu_2, sigma_2):
    """(sigma_2^2 + (mu_2 - mu_1)^2) / sigma_1^2 has a factor 1/2, which is lost: a density has it in its exponent."""
    return math.log(sigma_1 / sigma_2) + (sigma_2**2 + (mu_2 - mu_1) ** 2) / sigma_1**2 - 0.5


@wrong("Q1a", "kl_q_p")
def halves_the_logarithm(mu_1, sigma_1, mu_2, sigma_2):
    """The logarithm is log(sigma_1 / sigma_2), which is half of log(sigma_1^2 / sigma_2^2): it is halved once more."""
    return 0.5 * (math.log(sigma_1 / sigma_2) + (sigma_2**2 + (mu_2 - mu_1) ** 2) / sigma_1**2 - 1)


@wrong("Q1a", "kl_q_p")
def doubles_the_logarithm(mu_1, sigma_1, mu_2, sigma_2):
    """The logarithm is twice what it should be: log(sigma_1^2 / sigma_2^2) comes with a factor 1/2."""
    return math.log(sigma_1**2 / sigma_2**2) + (sigma_2**2 + (mu_2 - mu_1) ** 2) / (2 * sigma_1**2) - 0.5


@wrong("Q1a", "kl_q_p")
def multiplies_by_the_variance(mu_1, sigma_1, mu_2, sigma_2):
    """The fraction is multiplied by sigma_1^2, as `/ 2 * sigma_1**2` does: it is divided by all of 2 sigma_1^2."""
    return math.log(sigma_1 / sigma_2) + (sigma_2**2 + (mu_2 - mu_1) ** 2) / 2 * sigma_1**2 - 0.5


@wrong("Q1a", "kl_q_p")
def divides_the_distance_only(mu_1, sigma_1, mu_2, sigma_2):
    """Only (mu_2 - mu_1)^2 is divided by 2 sigma_1^2: sigma_2^2 stands in the same numerator, so mind the brackets."""
    return math.log(sigma_1 / sigma_2) + sigma_2**2 + (mu_2 - mu_1) ** 2 / (2 * sigma_1**2) - 0.5


@wrong("Q1a", "kl_q_p")
def divides_by_the_variance_of_q(mu_1, sigma_1, mu_2, sigma_2):
    """The fraction is divided by 2 sigma_2^2: the divisor is the variance of p, which stands in log p."""
    return math.log(sigma_1 / sigma_2) + (sigma_2**2 + (mu_2 - mu_1) ** 2) / (2 * sigma_2**2) - 0.5


@wrong("Q1a", "kl_q_p")
def takes_sigma_2_for_its_variance(mu_1, sigma_1, mu_2, sigma_2):
    """sigma_2 is not squared in the fraction: E_q[(x - mu_1)^2] has the variance sigma_2^2 in it."""
    return math.log(sigma_1 / sigma_2) + (sigma_2 + (mu_2 - mu_1) ** 2) / (2 * sigma_1**2) - 0.5


@wrong("Q1a", "kl_q_p")
def takes_sigma_1_for_its_variance(mu_1, sigma_1, mu_2, sigma_2):
    """sigma_1 is not squared in the fraction: the exponent of p is divided by 2 sigma_1^2."""
    return math.log(sigma_1 / sigma_2) + (sigma_2**2 + (mu_2 - mu_1) ** 2) / (2 * sigma_1) - 0.5


@wrong("Q1a", "kl_q_p")
def negates_the_quadratic_terms(mu_1, sigma_1, mu_2, sigma_2):
    """The fraction and the 1/2 have the wrong sign: -log p adds (x - mu_1)^2 / (2 sigma_1^2), log q takes 1/2 away."""
    return math.log(sigma_1 / sigma_2) - (sigma_2**2 + (mu_2 - mu_1) ** 2) / (2 * sigma_1**2) + 0.5


@wrong("Q1a", "kl_q_p")
def forgets_the_logarithm(mu_1, sigma_1, mu_2, sigma_2):
    """The logarithm of the two normalizing constants, log(sigma_1 / sigma_2), is missing."""
    return (sigma_2**2 + (mu_2 - mu_1) ** 2) / (2 * sigma_1**2) - 0.5


@wrong("Q1b", "kl_p_q")
def believes_in_symmetry(mu_1, sigma_1, mu_2, sigma_2):
    """This is KL[q || p] again: the divergence is not symmetric."""
    return math.log(sigma_1 / sigma_2) + (sigma_2**2 + (mu_2 - mu_1) ** 2) / (2 * sigma_1**2) - 0.5


@wrong("Q1b", "kl_p_q")
def changes_the_sign(mu_1, sigma_1, mu_2, sigma_2):
    """The other direction is not -KL[q || p]: a divergence is never negative."""
    return -(math.log(sigma_1 / sigma_2) + (sigma_2**2 + (mu_2 - mu_1) ** 2) / (2 * sigma_1**2) - 0.5)


@wrong("Q1b", "kl_p_q")
def takes_the_deviations_for_variances(mu_1, sigma_1, mu_2, sigma_2):
    """sigma_1 and sigma_2 are standard deviations; the formula was used as if they were variances."""
    return 0.5 * math.log(sigma_2 / sigma_1) + (sigma_1 + (mu_1 - mu_2) ** 2) / (2 * sigma_2) - 0.5


@wrong("Q1b", "kl_p_q")
def does_not_turn_the_logarithm_around(mu_1, sigma_1, mu_2, sigma_2):
    """The logarithm still is that of KL[q || p]: with p and q exchanged it is log(sigma_2 / sigma_1)."""
    return math.log(sigma_1 / sigma_2) + (sigma_1**2 + (mu_1 - mu_2) ** 2) / (2 * sigma_2**2) - 0.5


@wrong("Q1b", "kl_p_q")
def turns_the_logarithm_around_only(mu_1, sigma_1, mu_2, sigma_2):
    """Only the logarithm is turned around: in the fraction, too, sigma_1 and sigma_2 change places."""
    return math.log(sigma_2 / sigma_1) + (sigma_2**2 + (mu_1 - mu_2) ** 2) / (2 * sigma_1**2) - 0.5


@wrong("Q1b", "kl_p_q")
def halves_the_logarithm_again(mu_1, sigma_1, mu_2, sigma_2):
    """The logarithm is log(sigma_2 / sigma_1), which is half of log(sigma_2^2 / sigma_1^2): it is halved once more."""
    return 0.5 * (math.log(sigma_2 / sigma_1) + (sigma_1**2 + (mu_1 - mu_2) ** 2) / sigma_2**2 - 1)


@wrong("Q1b", "kl_p_q")
def divides_by_the_variance_of_p(mu_1, sigma_1, mu_2, sigma_2):
    """The fraction is divided by 2 sigma_1^2: the divisor is the variance of q, which stands in log q."""
    return math.log(sigma_2 / sigma_1) + (sigma_1**2 + (mu_1 - mu_2) ** 2) / (2 * sigma_1**2) - 0.5


@wrong("Q1b", "kl_p_q")
def loses_the_two_of_the_other_variance(mu_1, sigma_1, mu_2, sigma_2):
    """(sigma_1^2 + (mu_1 - mu_2)^2) / sigma_2^2 has a factor 1/2, which is lost: a density has it in its exponent."""
    return math.log(sigma_2 / sigma_1) + (sigma_1**2 + (mu_1 - mu_2) ** 2) / sigma_2**2 - 0.5


@wrong("Q1b", "kl_p_q")
def forgets_the_variance_of_p(mu_1, sigma_1, mu_2, sigma_2):
    """E_p[(x - mu_2)^2] is not only (mu_1 - mu_2)^2: the variance of x under p comes on top."""
    return math.log(sigma_2 / sigma_1) + (mu_1 - mu_2) ** 2 / (2 * sigma_2**2) - 0.5


@wrong("Q1c", "kl_witness")
def moves_the_mean_only():
    """With equal deviations both directions are (mu_1 - mu_2)^2 / (2 sigma^2): change a deviation."""
    return 0.0, 1.0, 3.0, 1.0


# ---------------------------------------------------------------- Question 2


@wrong("Q2.1", "relu_collision")
def takes_the_linear_side(a, b, c):
    """These points lie where b z + c is positive, and there g is one-to-one: go to the other side of the kink."""
    return ((1 - c) / b, (2 - c) / b) if b else (0.0, 1.0)


@wrong("Q2.1", "relu_collision")
def goes_left_always(a, b, c):
    """Left of the kink g is constant only for b > 0. For b < 0 it is the other side."""
    if b == 0:
        return 0.0, 1.0
    return -c / b - 1, -c / b - 2


@wrong("Q2.1", "relu_collision")
def forgets_the_shift(a, b, c):
    """c is not used. The kink is where b z + c = 0: for a large c, these points lie on its other side."""
    return (-100.0 / b, -200.0 / b) if b else (0.0, 1.0)


@wrong("Q2.1", "relu_collision")
def divides_by_b(a, b, c):
    """b = 0 is allowed, and then -c / b does not exist: g is constant, so treat this case apart."""
    return (-c - 1) / b, (-c - 2) / b


@wrong("Q2.1", "relu_collision")
def gives_one_point_twice(a, b, c):
    """The two points must be different."""
    return (0.0, 0.0) if b == 0 else ((-c - 1) / b, (-c - 1) / b)


@wrong("Q2.1", "relu_collision")
def returns_one_point_for_no_slope(a, b, c):
    """For b = 0 the two points are the same: g is constant there, so any two different points do."""
    return (0.0, 0.0) if b == 0 else ((-c - 1) / b, (-c - 2) / b)


@wrong("Q2.1", "relu_collision")
def flips_the_sign_of_the_shift(a, b, c):
    """The kink is where b z + c = 0, at -c / b: here c has the other sign."""
    return ((c - 1) / b, (c - 2) / b) if b else (0.0, 1.0)


@wrong("Q2.1", "relu_collision")
def forgets_to_divide_by_b(a, b, c):
    """These points are left of -c, not of the kink -c / b: the division by b is missing."""
    return (-c - 1, -c - 2) if b else (0.0, 1.0)


@wrong("Q2.2a", "mixture_slope")
def forgets_the_outer_derivative(z, w, a, b):
    """This is the derivative of the inner sum only: the chain rule multiplies it by that of sigma^{-1} at the sum."""
    values = [sigmoid(a_i * z + b_i) for a_i, b_i in zip(a, b, strict=True)]
    return sum(w_i * a_i * v * (1 - v) for w_i, a_i, v in zip(w, a, values, strict=True))


@wrong("Q2.2a", "mixture_slope")
def multiplies_by_s_one_minus_s(z, w, a, b):
    """The derivative of sigma^{-1} at s is 1 / (s (1 - s)); here it is multiplied instead of divided."""
    values = [sigmoid(a_i * z + b_i) for a_i, b_i in zip(a, b, strict=True)]
    s = sum(w_i * v for w_i, v in zip(w, values, strict=True))
    return sum(w_i * a_i * v * (1 - v) for w_i, a_i, v in zip(w, a, values, strict=True)) * s * (1 - s)


@wrong("Q2.2a", "mixture_slope")
def forgets_the_inner_slopes(z, w, a, b):
    """The derivative of sigma(a_i z + b_i) has a factor a_i."""
    values = [sigmoid(a_i * z + b_i) for a_i, b_i in zip(a, b, strict=True)]
    s = sum(w_i * v for w_i, v in zip(w, values, strict=True))
    return sum(w_i * v * (1 - v) for w_i, v in zip(w, values, strict=True)) / (s * (1 - s))


@wrong("Q2.2a", "mixture_slope")
def averages_the_slopes(z, w, a, b):
    """sigma^{-1} of a sum is not the sum of sigma^{-1}: g is not sum_i w_i (a_i z + b_i)."""
    return sum(w_i * a_i for w_i, a_i in zip(w, a, strict=True))


@wrong("Q2.2a", "mixture_slope")
def forgets_one_minus_sigma(z, w, a, b):
    """The derivative of sigma(x) is sigma(x) (1 - sigma(x)): the inner sum has only sigma(x)."""
    values = [sigmoid(a_i * z + b_i) for a_i, b_i in zip(a, b, strict=True)]
    s = sum(w_i * v for w_i, v in zip(w, values, strict=True))
    return sum(w_i * a_i * v for w_i, a_i, v in zip(w, a, values, strict=True)) / (s * (1 - s))


@wrong("Q2.2a", "mixture_slope")
def divides_by_s_alone(z, w, a, b):
    """The derivative of sigma^{-1} at s is 1 / (s (1 - s)); this divides by s alone."""
    values = [sigmoid(a_i * z + b_i) for a_i, b_i in zip(a, b, strict=True)]
    s = sum(w_i * v for w_i, v in zip(w, values, strict=True))
    return sum(w_i * a_i * v * (1 - v) for w_i, a_i, v in zip(w, a, values, strict=True)) / s


@wrong("Q2.2a", "mixture_slope")
def divides_by_s_then_multiplies(z, w, a, b):
    """This divides by s and multiplies by 1 - s, as `/ s * (1 - s)` does: it is divided by all of s (1 - s)."""
    values = [sigmoid(a_i * z + b_i) for a_i, b_i in zip(a, b, strict=True)]
    s = sum(w_i * v for w_i, v in zip(w, values, strict=True))
    return sum(w_i * a_i * v * (1 - v) for w_i, a_i, v in zip(w, a, values, strict=True)) / s * (1 - s)


@wrong("Q2.2a", "mixture_slope")
def forgets_the_weights_of_the_slopes(z, w, a, b):
    """The weights w_i are missing in the derivative of the inner sum."""
    values = [sigmoid(a_i * z + b_i) for a_i, b_i in zip(a, b, strict=True)]
    s = sum(w_i * v for w_i, v in zip(w, values, strict=True))
    return sum(a_i * v * (1 - v) for a_i, v in zip(a, values, strict=True)) / (s * (1 - s))


@wrong("Q2.2a", "mixture_slope")
def forgets_the_shifts(z, w, a, b):
    """The shifts b_i are missing: the sigmoids are taken at a_i z + b_i."""
    values = [sigmoid(a_i * z) for a_i in a]
    s = sum(w_i * v for w_i, v in zip(w, values, strict=True))
    return sum(w_i * a_i * v * (1 - v) for w_i, a_i, v in zip(w, a, values, strict=True)) / (s * (1 - s))


@wrong("Q2.2a", "mixture_slope")
def takes_sigma_of_the_sum(z, w, a, b):
    """The derivative of sigma^{-1} at s is 1 / (s (1 - s)): here s is put through sigma once more."""
    values = [sigmoid(a_i * z + b_i) for a_i, b_i in zip(a, b, strict=True)]
    s = sigmoid(sum(w_i * v for w_i, v in zip(w, values, strict=True)))
    return sum(w_i * a_i * v * (1 - v) for w_i, a_i, v in zip(w, a, values, strict=True)) / (s * (1 - s))


@wrong("Q2.2a", "mixture_slope")
def gives_g_itself(z, w, a, b):
    """This is g(z): its derivative is asked for."""
    return logit(sum(w_i * sigmoid(a_i * z + b_i) for w_i, a_i, b_i in zip(w, a, b, strict=True)))


@wrong("Q2.2a", "mixture_slope")
def forgets_sigma_beside_one_minus_sigma(z, w, a, b):
    """The derivative of sigma(x) is sigma(x) (1 - sigma(x)): the inner sum has only 1 - sigma(x)."""
    values = [sigmoid(a_i * z + b_i) for a_i, b_i in zip(a, b, strict=True)]
    s = sum(w_i * v for w_i, v in zip(w, values, strict=True))
    return sum(w_i * a_i * (1 - v) for w_i, a_i, v in zip(w, a, values, strict=True)) / (s * (1 - s))


@wrong("Q2.2b", "mixture_inverse")
def inverts_each_sigmoid(y, w, a, b):
    """The inverse of a mixture is not the mixture of the inverses."""
    return sum(w_i * (y - b_i) / a_i for w_i, a_i, b_i in zip(w, a, b, strict=True))


@wrong("Q2.2b", "mixture_inverse")
def bisects_a_fixed_interval(y, w, a, b):
    """The root is looked for between -10 and 10 only: widen the interval until it holds the root."""
    low, high = -10.0, 10.0
    for _ in range(100):
        middle = (low + high) / 2
        total = sum(w_i * sigmoid(a_i * middle + b_i) for w_i, a_i, b_i in zip(w, a, b, strict=True))
        low, high = (middle, high) if total < sigmoid(y) else (low, middle)
    return low


@wrong("Q2.2b", "mixture_inverse")
def forgets_the_outer_inverse(y, w, a, b):
    """The inner sum equals sigma(y), not y: g ends with sigma^{-1}."""
    p = min(max(y, 0.01), 0.99)
    return root(lambda z: sum(w_i * sigmoid(a_i * z + b_i) for w_i, a_i, b_i in zip(w, a, b, strict=True)) - p)


@wrong("Q2.2b", "mixture_inverse")
def inverts_the_average_line(y, w, a, b):
    """This inverts the line sum_i w_i (a_i z + b_i), which g is not: sigma^{-1} of a sum is no sum of sigma^{-1}."""
    slope = sum(w_i * a_i for w_i, a_i in zip(w, a, strict=True))
    return (y - sum(w_i * b_i for w_i, b_i in zip(w, b, strict=True))) / slope


@wrong("Q2.2b", "mixture_inverse")
def takes_sigma_of_one(y, w, a, b):
    """Far from 0, sigma is rounded to 0 or 1, where sigma^{-1} does not exist: begin with a small interval and widen
    it, or compare the inner sum with sigma(y)."""
    low, high = -1000.0, 1000.0
    for _ in range(100):
        middle = (low + high) / 2
        g = logit(sum(w_i * sigmoid(a_i * middle + b_i) for w_i, a_i, b_i in zip(w, a, b, strict=True)))
        low, high = (middle, high) if g < y else (low, middle)
    return low


@wrong("Q2.3", "residual_inverse")
def iterates_a_fixed_point(y, f):
    """z <- y - f(z) converges only where |df/dz| < 1: all that is known is df/dz > -1."""
    z = y
    for _ in range(300):
        z = max(min(y - f(z), 1e6), -1e6)
    return z


@wrong("Q2.3", "residual_inverse")
def subtracts_once(y, f):
    """y - f(y) is only the first step of an iteration: f must be taken at z, not at y."""
    return y - f(y)


@wrong("Q2.3", "residual_inverse")
def inverts_f(y, f):
    """This solves f(z) = y or f(z) = -y: the term z of z + f(z) is lost."""
    low, high = -50.0, 50.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if f(middle) < y else (low, middle)
    return low


@wrong("Q2.3", "residual_inverse")
def searches_a_fixed_interval(y, f):
    """The interval that is halved is fixed, but z may lie outside: widen it until z + f(z) - y changes its sign."""
    low, high = -10.0, 10.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if middle + f(middle) < y else (low, middle)
    return (low + high) / 2


@wrong("Q2.3", "residual_inverse")
def adds_once(y, f):
    """This is g(y) = y + f(y), forwards: asked for is the z with g(z) = y."""
    return y + f(y)


@wrong("Q2.4a", "radial_radius")
def takes_the_norm_of_y(y, z_0, alpha, beta):
    """The equation is about |y - z_0|, not |y|: (1) scales z - z_0."""
    half = (math.hypot(*y) - alpha - beta) / 2
    return half + math.sqrt(half**2 + alpha * math.hypot(*y))


@wrong("Q2.4a", "radial_radius")
def stays_at_the_norm(y, z_0, alpha, beta):
    """This is |y - z_0|, not r = |z - z_0|: g stretches the distance by 1 + beta / (alpha + r)."""
    return math.dist(y, z_0)


@wrong("Q2.4a", "radial_radius")
def takes_the_negative_root(y, z_0, alpha, beta):
    """This is the other root of the quadratic equation, which is negative: a radius is not."""
    rho = math.dist(y, z_0)
    half = (rho - alpha - beta) / 2
    return half - math.sqrt(half**2 + alpha * rho)


@wrong("Q2.4a", "radial_radius")
def puts_the_distance_of_y_into_h(y, z_0, alpha, beta):
    """h must be taken at r = |z - z_0|, which is unknown; here it is taken at |y - z_0|."""
    rho = math.dist(y, z_0)
    return rho / (1 + beta / (alpha + rho))


@wrong("Q2.4a", "radial_radius")
def subtracts_the_stretch_at_y(y, z_0, alpha, beta):
    """This subtracts beta / (alpha + |y - z_0|) from the distance: g adds beta r / (alpha + r), at the unknown r."""
    rho = math.dist(y, z_0)
    return rho - beta / (alpha + rho)


@wrong("Q2.4a", "radial_radius")
def forgets_the_four_of_the_discriminant(y, z_0, alpha, beta):
    """Under the square root of the quadratic formula, alpha |y - z_0| has a factor 4, which is lost."""
    half = math.dist(y, z_0) - alpha - beta
    return (half + math.sqrt(half**2 + alpha * math.dist(y, z_0))) / 2


@wrong("Q2.4a", "radial_radius")
def flips_the_linear_coefficient(y, z_0, alpha, beta):
    """In front of the square root, alpha + beta - |y - z_0| has the wrong sign: the quadratic formula begins with
    -b."""
    half = (math.dist(y, z_0) - alpha - beta) / 2
    return -half + math.sqrt(half**2 + alpha * math.dist(y, z_0))


@wrong("Q2.4a", "radial_radius")
def takes_the_squared_distance(y, z_0, alpha, beta):
    """|y - z_0|^2 stands where |y - z_0| belongs: the square root of the sum of squares is missing."""
    rho = math.dist(y, z_0) ** 2
    half = (rho - alpha - beta) / 2
    return half + math.sqrt(half**2 + alpha * rho)


@wrong("Q2.4a", "radial_radius")
def sums_absolute_differences(y, z_0, alpha, beta):
    """The distance of y and z_0 is the sum of absolute differences here: |.| is the Euclidean norm."""
    rho = sum(abs(y_i - z_i) for y_i, z_i in zip(y, z_0, strict=True))
    half = (rho - alpha - beta) / 2
    return half + math.sqrt(half**2 + alpha * rho)


@wrong("Q2.4a", "radial_radius")
def loses_the_distance_in_the_middle(y, z_0, alpha, beta):
    """The quadratic equation is r^2 + (alpha + beta - |y - z_0|) r - alpha |y - z_0| = 0: in its middle, |y - z_0| is
    lost."""
    half = -(alpha + beta) / 2
    return half + math.sqrt(half**2 + alpha * math.dist(y, z_0))


@wrong("Q2.4a", "radial_radius")
def forgets_alpha_under_the_root(y, z_0, alpha, beta):
    """The constant of the quadratic equation is -alpha |y - z_0|: under the square root alpha is missing."""
    rho = math.dist(y, z_0)
    half = (rho - alpha - beta) / 2
    return half + math.sqrt(half**2 + rho)


@wrong("Q2.4b", "radial_direction")
def forgets_the_flow(y, r, z_0, alpha, beta):
    """(y - z_0) / r is no unit vector: y is at another distance from z_0 than z."""
    return [(y_i - z_i) / r for y_i, z_i in zip(y, z_0, strict=True)]


@wrong("Q2.4b", "radial_direction")
def forgets_to_divide_by_r(y, r, z_0, alpha, beta):
    """This is z - z_0 = r z~; divide by r to get the unit vector."""
    return [(y_i - z_i) / (1 + beta / (alpha + r)) for y_i, z_i in zip(y, z_0, strict=True)]


@wrong("Q2.4b", "radial_direction")
def points_inwards(y, r, z_0, alpha, beta):
    """The sign is wrong: z~ points from z_0 to z."""
    return [(z_i - y_i) / (r + beta * r / (alpha + r)) for y_i, z_i in zip(y, z_0, strict=True)]


@wrong("Q2.4b", "radial_direction")
def adds_the_centre_to_the_direction(y, r, z_0, alpha, beta):
    """z_0 is added: z~ is a direction, and z_0 only belongs to z = z_0 + r z~."""
    scale = r * (1 + beta / (alpha + r))
    return [z_i + (y_i - z_i) / scale for y_i, z_i in zip(y, z_0, strict=True)]


@wrong("Q2.4b", "radial_direction")
def gives_the_point_itself(y, r, z_0, alpha, beta):
    """This is z: z~ = (z - z_0) / r is asked for."""
    return [z_i + (y_i - z_i) / (1 + beta / (alpha + r)) for y_i, z_i in zip(y, z_0, strict=True)]


@wrong("Q2.4b", "radial_direction")
def forgets_to_subtract_the_centre(y, r, z_0, alpha, beta):
    """y is divided, not y - z_0: the direction goes from z_0 to z."""
    return [y_i / (r * (1 + beta / (alpha + r))) for y_i in y]


@wrong("Q2.4b", "radial_direction")
def forgets_r_beside_beta(y, r, z_0, alpha, beta):
    """y - z_0 is divided by r + beta / (alpha + r): the second term is beta r / (alpha + r)."""
    return [(y_i - z_i) / (r + beta / (alpha + r)) for y_i, z_i in zip(y, z_0, strict=True)]


@wrong("Q2.4b", "radial_direction")
def multiplies_by_the_stretch(y, r, z_0, alpha, beta):
    """y - z_0 is multiplied by 1 + beta / (alpha + r): that is how g goes forwards, so divide by it."""
    return [(y_i - z_i) / r * (1 + beta / (alpha + r)) for y_i, z_i in zip(y, z_0, strict=True)]


@wrong("Q2.4b", "radial_direction")
def multiplies_by_alpha_plus_r(y, r, z_0, alpha, beta):
    """h(alpha, r) is 1 / (alpha + r): here beta is multiplied by alpha + r."""
    return [(y_i - z_i) / (r * (1 + beta * (alpha + r))) for y_i, z_i in zip(y, z_0, strict=True)]


@wrong("Q2.4c", "radial_inverse")
def forgets_to_add_the_centre(y, z_0, alpha, beta):
    """This is z - z_0: add z_0."""
    r = radial_radius(y, z_0, alpha, beta)
    return [r * u_i for u_i in radial_direction(y, r, z_0, alpha, beta)] if r else [0.0 for _ in z_0]


@wrong("Q2.4c", "radial_inverse")
def divides_zero_by_zero(y, z_0, alpha, beta):
    """For y = z_0 the radius is 0, and the direction would be 0 / 0: treat this point apart."""
    r = radial_radius(y, z_0, alpha, beta)
    return [z_i + r * u_i for z_i, u_i in zip(z_0, radial_direction(y, r, z_0, alpha, beta), strict=True)]


@wrong("Q2.4c", "radial_inverse")
def forgets_the_radius(y, z_0, alpha, beta):
    """The unit vector z~ is added without its length: z = z_0 + r z~."""
    r = radial_radius(y, z_0, alpha, beta)
    return [c + u for c, u in zip(z_0, radial_direction(y, r, z_0, alpha, beta), strict=True)] if r else list(z_0)


@wrong("Q2.4c", "radial_inverse")
def takes_the_radius_of_y(y, z_0, alpha, beta):
    """h is taken at |y - z_0|, the radius of y: it belongs to r = |z - z_0|, which radial_radius finds."""
    rho = math.dist(y, z_0)
    return [c + (y_i - c) / (1 + beta / (alpha + rho)) for y_i, c in zip(y, z_0, strict=True)]


@wrong("Q2.4c", "radial_inverse")
def subtracts_the_displacement(y, z_0, alpha, beta):
    """This subtracts beta h (y - z_0), the displacement at y: g has added beta h (z - z_0), that of z."""
    r = radial_radius(y, z_0, alpha, beta)
    return [y_i - beta / (alpha + r) * (y_i - c) for y_i, c in zip(y, z_0, strict=True)]


@wrong("Q2.4c", "radial_inverse")
def gives_zero_at_the_centre(y, z_0, alpha, beta):
    """For y = z_0 the answer is z_0, not 0."""
    r = radial_radius(y, z_0, alpha, beta)
    if r == 0:
        return [0.0 for _ in z_0]
    return [c + r * u for c, u in zip(z_0, radial_direction(y, r, z_0, alpha, beta), strict=True)]


@wrong("Q2.4c", "radial_inverse")
def starts_from_y(y, z_0, alpha, beta):
    """r z~ is added to y: it is added to z_0."""
    r = radial_radius(y, z_0, alpha, beta)
    return [c + r * u for c, u in zip(y, radial_direction(y, r, z_0, alpha, beta), strict=True)] if r else list(y)


@wrong("Q2.4d", "radial_collision")
def stays_on_the_bound(alpha):
    """beta = -alpha satisfies the sufficient condition: r is still unique. beta must be smaller."""
    return -alpha, 0.0, 0.01


@wrong("Q2.4d", "radial_collision")
def takes_two_of_any_radii(alpha):
    """These radii do not give the same |y - z_0|: put both into r + beta r / (alpha + r)."""
    return -2 * alpha, alpha, 2 * alpha


# ---------------------------------------------------------------- Question 3


@wrong("Q3a1", "log_evidence")
def does_not_carry_the_variance(x_0, chain):
    """The variance of x_0 is not only s_1: the variance of x_1 comes on top, times a_1^2."""
    mean = 0.0
    for a, b in zip(chain.slopes[::-1], chain.offsets[::-1], strict=True):
        mean = a * mean + b
    return log_normal(x_0, mean, chain.variances[0])


@wrong("Q3a1", "log_evidence")
def scales_the_variance_by_a(x_0, chain):
    """A variance is multiplied by a_t^2, not by a_t."""
    mean, variance = 0.0, 1.0
    for a, b, s in zip(chain.slopes[::-1], chain.offsets[::-1], chain.variances[::-1], strict=True):
        mean, variance = a * mean + b, a * variance + s
    return log_normal(x_0, mean, variance)


@wrong("Q3a1", "log_evidence")
def goes_through_the_chain_forwards(x_0, chain):
    """The steps are taken in the wrong order: from x_T to x_0, step T comes first."""
    mean, variance = 0.0, 1.0
    for a, b, s in zip(chain.slopes, chain.offsets, chain.variances, strict=True):
        mean, variance = a * mean + b, a**2 * variance + s
    return log_normal(x_0, mean, variance)


@wrong("Q3a1", "log_evidence")
def squares_the_noise(x_0, chain):
    """s_t is squared: it is a variance already."""
    mean, variance = 0.0, 1.0
    for a, b, s in zip(chain.slopes[::-1], chain.offsets[::-1], chain.variances[::-1], strict=True):
        mean, variance = a * mean + b, a**2 * variance + s**2
    return log_normal(x_0, mean, variance)


@wrong("Q3a1", "log_evidence")
def hands_a_deviation_to_log_normal(x_0, chain):
    """log_normal is given the standard deviation: its last argument is a variance."""
    mean, variance = 0.0, 1.0
    for a, b, s in zip(chain.slopes[::-1], chain.offsets[::-1], chain.variances[::-1], strict=True):
        mean, variance = a * mean + b, a**2 * variance + s
    return log_normal(x_0, mean, math.sqrt(variance))


@wrong("Q3a1", "log_evidence")
def starts_without_variance(x_0, chain):
    """The variance starts at 0: p(x_T) = N(0, 1) has the variance 1."""
    mean, variance = 0.0, 0.0
    for a, b, s in zip(chain.slopes[::-1], chain.offsets[::-1], chain.variances[::-1], strict=True):
        mean, variance = a * mean + b, a**2 * variance + s
    return log_normal(x_0, mean, variance)


@wrong("Q3a1", "log_evidence")
def forgets_the_offsets(x_0, chain):
    """The offsets b_t are missing in the mean."""
    variance = 1.0
    for a, s in zip(chain.slopes[::-1], chain.variances[::-1], strict=True):
        variance = a**2 * variance + s
    return log_normal(x_0, 0.0, variance)


@wrong("Q3a1", "log_evidence")
def leaves_out_step_T(x_0, chain):
    """Step T is left out: there are T of them, from x_T to x_0."""
    mean, variance = 0.0, 1.0
    for a, b, s in list(zip(chain.slopes, chain.offsets, chain.variances, strict=True))[-2::-1]:
        mean, variance = a * mean + b, a**2 * variance + s
    return log_normal(x_0, mean, variance)


@wrong("Q3a1", "log_evidence")
def scales_the_new_noise_too(x_0, chain):
    """The noise of a step is multiplied by a_t^2 as well: s_t is added after the multiplication."""
    mean, variance = 0.0, 1.0
    for a, b, s in zip(chain.slopes[::-1], chain.offsets[::-1], chain.variances[::-1], strict=True):
        mean, variance = a * mean + b, a**2 * (variance + s)
    return log_normal(x_0, mean, variance)


@wrong("Q3a1", "log_evidence")
def does_not_scale_the_variance(x_0, chain):
    """The variance is not multiplied by a_t^2 in each step: only s_t is added."""
    mean, variance = 0.0, 1.0
    for a, b, s in zip(chain.slopes[::-1], chain.offsets[::-1], chain.variances[::-1], strict=True):
        mean, variance = a * mean + b, variance + s
    return log_normal(x_0, mean, variance)


@wrong("Q3a2", "log_ratio")
def forgets_the_prior(x, chain):
    """log p(x_T) is missing: the model starts there."""
    total = 0.0
    for t, (a, b, s) in enumerate(zip(chain.slopes, chain.offsets, chain.variances, strict=True), start=1):
        beta = chain.betas[t - 1]
        total += log_normal(x[t - 1], a * x[t] + b, s) - log_normal(x[t], math.sqrt(1 - beta) * x[t - 1], beta)
    return total


@wrong("Q3a2", "log_ratio")
def forgets_the_denominator(x, chain):
    """This is log p(x_{0:T}); log q(x_{1:T} | x_0) has to be subtracted."""
    total = log_normal(x[-1], 0.0, 1.0)
    for t, (a, b, s) in enumerate(zip(chain.slopes, chain.offsets, chain.variances, strict=True), start=1):
        total += log_normal(x[t - 1], a * x[t] + b, s)
    return total


@wrong("Q3a2", "log_ratio")
def forgets_the_square_root(x, chain):
    """The mean of q(x_t | x_{t-1}) is sqrt(1 - beta_t) x_{t-1}: the square root is missing."""
    total = log_normal(x[-1], 0.0, 1.0)
    for t, (a, b, s) in enumerate(zip(chain.slopes, chain.offsets, chain.variances, strict=True), start=1):
        beta = chain.betas[t - 1]
        total += log_normal(x[t - 1], a * x[t] + b, s) - log_normal(x[t], (1 - beta) * x[t - 1], beta)
    return total


@wrong("Q3a2", "log_ratio")
def adds_log_q(x, chain):
    """log q(x_t | x_{t-1}) is added: the ratio divides by q."""
    total = log_normal(x[-1], 0.0, 1.0)
    for t, (a, b, s) in enumerate(zip(chain.slopes, chain.offsets, chain.variances, strict=True), start=1):
        beta = chain.betas[t - 1]
        total += log_normal(x[t - 1], a * x[t] + b, s) + log_normal(x[t], math.sqrt(1 - beta) * x[t - 1], beta)
    return total


@wrong("Q3a2", "log_ratio")
def hands_roots_of_all_variances_on(x, chain):
    """log_normal is given standard deviations: s_t and beta_t are variances, and it takes them as they are."""
    total = log_normal(x[-1], 0.0, 1.0)
    for t, (a, b, s) in enumerate(zip(chain.slopes, chain.offsets, chain.variances, strict=True), start=1):
        beta = chain.betas[t - 1]
        total += log_normal(x[t - 1], a * x[t] + b, s**0.5)
        total -= log_normal(x[t], math.sqrt(1 - beta) * x[t - 1], beta**0.5)
    return total


@wrong("Q3a2", "log_ratio")
def hands_the_root_of_beta_on(x, chain):
    """log_normal is given sqrt(beta_t): beta_t is the variance of q(x_t | x_{t-1}), and that is what it takes."""
    total = log_normal(x[-1], 0.0, 1.0)
    for t, (a, b, s) in enumerate(zip(chain.slopes, chain.offsets, chain.variances, strict=True), start=1):
        beta = chain.betas[t - 1]
        total += log_normal(x[t - 1], a * x[t] + b, s) - log_normal(x[t], math.sqrt(1 - beta) * x[t - 1], beta**0.5)
    return total


@wrong("Q3a2", "log_ratio")
def leaves_out_the_last_factor(x, chain):
    """The factors of t = T are missing: the product goes from 1 to T."""
    total = log_normal(x[-1], 0.0, 1.0)
    for t in range(1, chain.T):
        total += log_normal(x[t - 1], chain.slopes[t - 1] * x[t] + chain.offsets[t - 1], chain.variances[t - 1])
        total -= log_normal(x[t], math.sqrt(1 - chain.betas[t - 1]) * x[t - 1], chain.betas[t - 1])
    return total


@wrong("Q3a2", "log_ratio")
def divides_by_the_marginals(x, chain):
    """The denominator has q(x_t | x_0) for each t: q(x_{1:T} | x_0) is the product of the steps q(x_t | x_{t-1})."""
    total = log_normal(x[-1], 0.0, 1.0)
    for t in range(1, chain.T + 1):
        total += log_normal(x[t - 1], chain.slopes[t - 1] * x[t] + chain.offsets[t - 1], chain.variances[t - 1])
        total -= log_normal(x[t], math.sqrt(alpha_bar(t, chain.betas)) * x[0], 1 - alpha_bar(t, chain.betas))
    return total


@wrong("Q3a2", "log_ratio")
def takes_the_prior_at_x_0(x, chain):
    """The prior N(0, 1) is taken at x_0: it is the law of x_T."""
    total = log_normal(x[0], 0.0, 1.0)
    for t, (a, b, s) in enumerate(zip(chain.slopes, chain.offsets, chain.variances, strict=True), start=1):
        beta = chain.betas[t - 1]
        total += log_normal(x[t - 1], a * x[t] + b, s) - log_normal(x[t], math.sqrt(1 - beta) * x[t - 1], beta)
    return total


@wrong("Q3a2", "log_ratio")
def exchanges_beta_and_one_minus_beta(x, chain):
    """beta_t and 1 - beta_t are exchanged: q(x_t | x_{t-1}) is N(sqrt(1 - beta_t) x_{t-1}, beta_t)."""
    total = log_normal(x[-1], 0.0, 1.0)
    for t, (a, b, s) in enumerate(zip(chain.slopes, chain.offsets, chain.variances, strict=True), start=1):
        beta = chain.betas[t - 1]
        total += log_normal(x[t - 1], a * x[t] + b, s) - log_normal(x[t], math.sqrt(beta) * x[t - 1], 1 - beta)
    return total


@wrong("Q3a2", "log_ratio")
def forgets_the_offsets_of_p(x, chain):
    """The offsets b_t are missing: p(x_{t-1} | x_t) has the mean a_t x_t + b_t."""
    total = log_normal(x[-1], 0.0, 1.0)
    for t, (a, s, beta) in enumerate(zip(chain.slopes, chain.variances, chain.betas, strict=True), start=1):
        total += log_normal(x[t - 1], a * x[t], s) - log_normal(x[t], math.sqrt(1 - beta) * x[t - 1], beta)
    return total


@wrong("Q3a3", "elbo")
def puts_in_the_means(x_0, chain):
    """This is the log-ratio at the mean of q. The expectation of a square has a variance in it too."""
    return log_ratio([math.sqrt(alpha_bar(t, chain.betas)) * x_0 for t in range(chain.T + 1)], chain)


@wrong("Q3a3", "elbo")
def forgets_the_entropy(x_0, chain):
    """-E_q[log q(x_t | x_{t-1})], an entropy for each step, is missing."""
    last = alpha_bar(chain.T, chain.betas)
    total = -0.5 * math.log(2 * math.pi) - 0.5 * (last * x_0**2 + 1 - last)
    return total + sum(expected_log_normal(t, x_0, chain) for t in range(1, chain.T + 1))


@wrong("Q3a3", "elbo")
def takes_neighbours_for_independent(x_0, chain):
    """x_{t-1} and x_t are correlated under q: the covariance is missing in the variance of x_{t-1} - a_t x_t."""
    total = reconstruction_term(x_0, chain) - sum(kl_terms(x_0, chain)) - prior_term(x_0, chain)
    for t, (a, s, beta) in enumerate(zip(chain.slopes, chain.variances, chain.betas, strict=True), start=1):
        total -= a * math.sqrt(1 - beta) * (1 - alpha_bar(t - 1, chain.betas)) / s
    return total


@wrong("Q3a3", "elbo")
def negates_the_bound(x_0, chain):
    """This is the loss, -L_DDPM: the bound itself is asked for."""
    return prior_term(x_0, chain) + sum(kl_terms(x_0, chain)) - reconstruction_term(x_0, chain)


@wrong("Q3a3", "elbo")
def subtracts_the_entropy(x_0, chain):
    """The entropies have the wrong sign: -E_q[log q] is added."""
    last = alpha_bar(chain.T, chain.betas)
    total = -0.5 * math.log(2 * math.pi) - 0.5 * (last * x_0**2 + 1 - last)
    for t in range(1, chain.T + 1):
        total += expected_log_normal(t, x_0, chain) - 0.5 * math.log(2 * math.pi * math.e * chain.betas[t - 1])
    return total


@wrong("Q3a3", "elbo")
def forgets_the_e_of_the_entropy(x_0, chain):
    """The entropy of a Gaussian is 1/2 log(2 pi e beta_t): the e, which is the expected square, is missing."""
    last = alpha_bar(chain.T, chain.betas)
    total = -0.5 * math.log(2 * math.pi) - 0.5 * (last * x_0**2 + 1 - last)
    for t in range(1, chain.T + 1):
        total += expected_log_normal(t, x_0, chain) + 0.5 * math.log(2 * math.pi * chain.betas[t - 1])
    return total


@wrong("Q3a3", "elbo")
def takes_x_T_at_its_mean(x_0, chain):
    """E_q[log p(x_T)] was taken at the mean of x_T: its variance, 1 - alpha-bar_T, adds to the expected square."""
    last = alpha_bar(chain.T, chain.betas)
    total = -0.5 * math.log(2 * math.pi) - 0.5 * last * x_0**2
    for t in range(1, chain.T + 1):
        entropy = 0.5 * math.log(2 * math.pi * math.e * chain.betas[t - 1])
        total += expected_log_normal(t, x_0, chain) + entropy
    return total


@wrong("Q3a3", "elbo")
def forgets_the_prior_term(x_0, chain):
    """The term of the prior, KL[q(x_T | x_0) || p(x_T)], is missing."""
    return reconstruction_term(x_0, chain) - sum(kl_terms(x_0, chain))


@wrong("Q3a3", "elbo")
def adds_the_divergences(x_0, chain):
    """The divergences of (b) are added: the bound subtracts them."""
    return reconstruction_term(x_0, chain) + sum(kl_terms(x_0, chain)) + prior_term(x_0, chain)


@wrong("Q3a3", "elbo")
def forgets_log_p_of_x_T(x_0, chain):
    """E_q[log p(x_T)] is missing: the model starts at x_T."""
    total = 0.0
    for t in range(1, chain.T + 1):
        entropy = 0.5 * math.log(2 * math.pi * math.e * chain.betas[t - 1])
        total += expected_log_normal(t, x_0, chain) + entropy
    return total


@wrong("Q3a3", "elbo")
def gives_the_log_evidence(x_0, chain):
    """This is log p(x_0), the left side of (a): the bound depends on q, too."""
    return log_evidence(x_0, chain)


@wrong("Q3b1", "posterior")
def takes_beta_for_the_variance(x_t, x_0, t, betas):
    """beta_t is the variance of q(x_t | x_{t-1}); to know x_0 as well makes the posterior's smaller."""
    before, after, beta = alpha_bar(t - 1, betas), alpha_bar(t, betas), betas[t - 1]
    mean = (math.sqrt(before) * beta * x_0 + math.sqrt(1 - beta) * (1 - before) * x_t) / (1 - after)
    return mean, beta


@wrong("Q3b1", "posterior")
def takes_alpha_bar_t_for_the_one_before(x_t, x_0, t, betas):
    """alpha-bar_t stands where alpha-bar_{t-1} belongs: x_{t-1} has the noise of t - 1 steps."""
    after, beta = alpha_bar(t, betas), betas[t - 1]
    return math.sqrt(after) * beta * x_0 / (1 - after) + math.sqrt(1 - beta) * x_t, beta


@wrong("Q3b1", "posterior")
def counts_t_from_zero(x_t, x_0, t, betas):
    """This is the posterior of t + 1: beta_t is betas[t - 1], for t = 1 .. T."""
    t = min(t + 1, len(betas))
    if t == 2:
        t = 1
    before, after, beta = alpha_bar(t - 1, betas), alpha_bar(t, betas), betas[t - 1]
    mean = (math.sqrt(before) * beta * x_0 + math.sqrt(1 - beta) * (1 - before) * x_t) / (1 - after)
    return mean, beta * (1 - before) / (1 - after)


@wrong("Q3b1", "posterior")
def returns_a_standard_deviation(x_t, x_0, t, betas):
    """The second value is the standard deviation: the variance is asked for."""
    before, after, beta = alpha_bar(t - 1, betas), alpha_bar(t, betas), betas[t - 1]
    mean = (math.sqrt(before) * beta * x_0 + math.sqrt(1 - beta) * (1 - before) * x_t) / (1 - after)
    return mean, math.sqrt(beta * (1 - before) / (1 - after))


@wrong("Q3b1", "posterior")
def exchanges_the_coefficients(x_t, x_0, t, betas):
    """The coefficients of x_t and x_0 are exchanged: sqrt(alpha-bar_{t-1}) beta_t belongs to x_0."""
    before, after, beta = alpha_bar(t - 1, betas), alpha_bar(t, betas), betas[t - 1]
    mean = (math.sqrt(before) * beta * x_t + math.sqrt(1 - beta) * (1 - before) * x_0) / (1 - after)
    return mean, beta * (1 - before) / (1 - after)


@wrong("Q3b1", "posterior")
def turns_the_variance_over(x_t, x_0, t, betas):
    """In the variance, the fraction is upside down: it is beta_t (1 - alpha-bar_{t-1}) / (1 - alpha-bar_t)."""
    before, after, beta = alpha_bar(t - 1, betas), alpha_bar(t, betas), betas[t - 1]
    mean = (math.sqrt(before) * beta * x_0 + math.sqrt(1 - beta) * (1 - before) * x_t) / (1 - after)
    return mean, beta * (1 - after) / (1 - before)


@wrong("Q3b1", "posterior")
def forgets_both_square_roots(x_t, x_0, t, betas):
    """Both coefficients of the mean lack their square root, of alpha-bar_{t-1} and of 1 - beta_t."""
    before, after, beta = alpha_bar(t - 1, betas), alpha_bar(t, betas), betas[t - 1]
    mean = (before * beta * x_0 + (1 - beta) * (1 - before) * x_t) / (1 - after)
    return mean, beta * (1 - before) / (1 - after)


@wrong("Q3b1", "posterior")
def takes_alpha_bar_t_beside_x_0(x_t, x_0, t, betas):
    """The coefficient of x_0 has alpha-bar_t where alpha-bar_{t-1} belongs."""
    before, after, beta = alpha_bar(t - 1, betas), alpha_bar(t, betas), betas[t - 1]
    mean = (math.sqrt(after) * beta * x_0 + math.sqrt(1 - beta) * (1 - before) * x_t) / (1 - after)
    return mean, beta * (1 - before) / (1 - after)


@wrong("Q3b1", "posterior")
def takes_alpha_bar_t_beside_x_t(x_t, x_0, t, betas):
    """The coefficient of x_t has alpha-bar_t where alpha_t = 1 - beta_t belongs."""
    before, after, beta = alpha_bar(t - 1, betas), alpha_bar(t, betas), betas[t - 1]
    mean = (math.sqrt(before) * beta * x_0 + math.sqrt(after) * (1 - before) * x_t) / (1 - after)
    return mean, beta * (1 - before) / (1 - after)


@wrong("Q3b1", "posterior")
def returns_the_variance_first(x_t, x_0, t, betas):
    """The variance comes first: the order is mean, variance."""
    before, after, beta = alpha_bar(t - 1, betas), alpha_bar(t, betas), betas[t - 1]
    mean = (math.sqrt(before) * beta * x_0 + math.sqrt(1 - beta) * (1 - before) * x_t) / (1 - after)
    return beta * (1 - before) / (1 - after), mean


@wrong("Q3b1", "posterior")
def takes_x_0_for_the_noise(x_t, x_0, t, betas):
    """This is the formula with the predicted noise, and x_0 stands in its place: write the mean with x_0 and x_t."""
    before, after, beta = alpha_bar(t - 1, betas), alpha_bar(t, betas), betas[t - 1]
    mean = (x_t - beta / math.sqrt(1 - after) * x_0) / math.sqrt(1 - beta)
    return mean, beta * (1 - before) / (1 - after)


@wrong("Q3b1", "posterior")
def forgets_that_x_t_is_known(x_t, x_0, t, betas):
    """This is the law of x_{t-1} given x_0 alone: x_t is known too."""
    return math.sqrt(alpha_bar(t - 1, betas)) * x_0, 1 - alpha_bar(t - 1, betas)


@wrong("Q3b1", "posterior")
def reads_the_beta_after(x_t, x_0, t, betas):
    """betas[t] is beta_{t+1}, and does not exist for t = T: beta_t is betas[t - 1]."""
    beta, after = betas[t], math.prod(1 - b for b in betas[: t + 1])
    before = after / (1 - beta)
    mean = (math.sqrt(before) * beta * x_0 + math.sqrt(1 - beta) * (1 - before) * x_t) / (1 - after)
    return mean, beta * (1 - before) / (1 - after)


@wrong("Q3b2", "reconstruction_term")
def reconstructs_from_the_mean(x_0, chain):
    """x_1 was replaced by its mean: the variance of a_1 x_1 belongs to the expected square."""
    mean = chain.slopes[0] * math.sqrt(1 - chain.betas[0]) * x_0 + chain.offsets[0]
    return log_normal(x_0, mean, chain.variances[0])


@wrong("Q3b2", "reconstruction_term")
def adds_the_variance_outside(x_0, chain):
    """The variance of a_1 x_1 is not added to s_1: E[log N(x_0; m, s)] is not log N(x_0; E[m], s + Var[m])."""
    mean = chain.slopes[0] * math.sqrt(1 - chain.betas[0]) * x_0 + chain.offsets[0]
    return log_normal(x_0, mean, chain.variances[0] + chain.slopes[0] ** 2 * chain.betas[0])


@wrong("Q3b2", "reconstruction_term")
def takes_x_0_for_x_1(x_0, chain):
    """x_0 stands where x_1 belongs: the mean of p(x_0 | x_1) is a_1 x_1 + b_1, with x_1 from q(x_1 | x_0)."""
    return log_normal(x_0, chain.slopes[0] * x_0 + chain.offsets[0], chain.variances[0])


@wrong("Q3b2", "reconstruction_term")
def scales_the_variance_of_x_1_by_a(x_0, chain):
    """The variance of a_1 x_1 is a_1^2 beta_1: a_1 is not squared."""
    a, b, s, beta = chain.slopes[0], chain.offsets[0], chain.variances[0], chain.betas[0]
    return log_normal(x_0, a * math.sqrt(1 - beta) * x_0 + b, s) - a * beta / (2 * s)


@wrong("Q3b2", "reconstruction_term")
def adds_beta_without_the_slope(x_0, chain):
    """The variance of a_1 x_1 is a_1^2 beta_1: the factor a_1^2 is missing."""
    a, b, s, beta = chain.slopes[0], chain.offsets[0], chain.variances[0], chain.betas[0]
    return log_normal(x_0, a * math.sqrt(1 - beta) * x_0 + b, s) - beta / (2 * s)


@wrong("Q3b2", "reconstruction_term")
def subtracts_the_variance_of_x_1(x_0, chain):
    """The variance of a_1 x_1 has the wrong sign: it makes the expected square larger."""
    a, b, s, beta = chain.slopes[0], chain.offsets[0], chain.variances[0], chain.betas[0]
    return log_normal(x_0, a * math.sqrt(1 - beta) * x_0 + b, s) + a**2 * beta / (2 * s)


@wrong("Q3b2", "reconstruction_term")
def forgets_s_in_the_constant(x_0, chain):
    """The normalizing constant is 1/2 log(2 pi s_1): s_1 is missing in it."""
    a, b, s, beta = chain.slopes[0], chain.offsets[0], chain.variances[0], chain.betas[0]
    square = (x_0 - a * math.sqrt(1 - beta) * x_0 - b) ** 2 + a**2 * beta
    return -0.5 * math.log(2 * math.pi) - square / (2 * s)


@wrong("Q3b2", "reconstruction_term")
def forgets_the_root_in_the_mean_of_x_1(x_0, chain):
    """The mean of x_1 is sqrt(1 - beta_1) x_0: the square root is missing."""
    a, b, s, beta = chain.slopes[0], chain.offsets[0], chain.variances[0], chain.betas[0]
    return log_normal(x_0, a * (1 - beta) * x_0 + b, s) - a**2 * beta / (2 * s)


@wrong("Q3b2", "reconstruction_term")
def forgets_the_offset_of_the_first_step(x_0, chain):
    """The offset b_1 is missing: the mean of p(x_0 | x_1) is a_1 x_1 + b_1."""
    a, s, beta = chain.slopes[0], chain.variances[0], chain.betas[0]
    return log_normal(x_0, a * math.sqrt(1 - beta) * x_0, s) - a**2 * beta / (2 * s)


@wrong("Q3b3", "kl_terms")
def swaps_q_and_p_in_each_term(x_0, chain):
    """Each term is KL[p || q]: the posterior q comes first, p stands in the denominator."""
    terms = []
    for t in range(2, chain.T + 1):
        after = alpha_bar(t, chain.betas)
        shift, variance = posterior_at_zero(x_0, t, chain.betas)
        slope = math.sqrt(1 - chain.betas[t - 1]) * (1 - alpha_bar(t - 1, chain.betas)) / (1 - after)
        a, b, s = chain.slopes[t - 1], chain.offsets[t - 1], chain.variances[t - 1]
        square = ((slope - a) * math.sqrt(after) * x_0 + shift - b) ** 2 + (slope - a) ** 2 * (1 - after)
        terms.append(0.5 * (math.log(variance / s) + (s + square) / variance - 1))
    return terms


@wrong("Q3b3", "kl_terms")
def takes_x_t_at_its_mean(x_0, chain):
    """The divergence was taken at the mean of x_t; its expectation also has the variance of x_t in it."""
    terms = []
    for t in range(2, chain.T + 1):
        x_t = math.sqrt(alpha_bar(t, chain.betas)) * x_0
        mean, variance = posterior(x_t, x_0, t, chain.betas)
        s = chain.variances[t - 1]
        square = (mean - chain.slopes[t - 1] * x_t - chain.offsets[t - 1]) ** 2
        terms.append(0.5 * (math.log(s / variance) + (variance + square) / s - 1))
    return terms


@wrong("Q3b3", "kl_terms")
def lists_them_backwards(x_0, chain):
    """The terms are in the wrong order: t = 2 comes first."""
    terms = []
    for t in range(chain.T, 1, -1):
        _, variance = posterior_at_zero(x_0, t, chain.betas)
        terms.append(-0.5 * math.log(2 * math.pi * math.e * variance) - expected_log_normal(t, x_0, chain))
    return terms


@wrong("Q3b3", "kl_terms")
def does_not_square_the_slopes(x_0, chain):
    """The expected square of the means' difference has (slope - a_t)^2 Var(x_t) in it: there the square is missing."""
    terms = []
    for t in range(2, chain.T + 1):
        after, (shift, variance) = alpha_bar(t, chain.betas), posterior_at_zero(x_0, t, chain.betas)
        slope = math.sqrt(1 - chain.betas[t - 1]) * (1 - alpha_bar(t - 1, chain.betas)) / (1 - after)
        k, s = slope - chain.slopes[t - 1], chain.variances[t - 1]
        square = (k * math.sqrt(after) * x_0 + shift - chain.offsets[t - 1]) ** 2 + k * (1 - after)
        terms.append(0.5 * (math.log(s / variance) + (variance + square) / s - 1))
    return terms


@wrong("Q3b3", "kl_terms")
def flips_the_logarithm_of_each_term(x_0, chain):
    """The logarithm has the wrong sign: it is log(s_t / variance of the posterior)."""
    terms = []
    for t, s in enumerate(chain.variances[1:], start=2):
        _, variance = posterior_at_zero(x_0, t, chain.betas)
        term = -0.5 * math.log(2 * math.pi * math.e * variance) - expected_log_normal(t, x_0, chain)
        terms.append(term - math.log(s / variance))
    return terms


@wrong("Q3b3", "kl_terms")
def loses_the_half_of_each_term(x_0, chain):
    """The factor 1/2 of a Gaussian divergence is lost."""
    terms = []
    for t in range(2, chain.T + 1):
        _, variance = posterior_at_zero(x_0, t, chain.betas)
        term = -0.5 * math.log(2 * math.pi * math.e * variance) - expected_log_normal(t, x_0, chain)
        terms.append(2 * term)
    return terms


@wrong("Q3b3", "kl_terms")
def forgets_the_variance_of_the_posterior(x_0, chain):
    """E_q[(x_{t-1} - mean of p)^2] is not only the squared distance of the means: the posterior's variance is lost."""
    terms = []
    for t, s in enumerate(chain.variances[1:], start=2):
        _, variance = posterior_at_zero(x_0, t, chain.betas)
        term = -0.5 * math.log(2 * math.pi * math.e * variance) - expected_log_normal(t, x_0, chain)
        terms.append(term - variance / (2 * s))
    return terms


@wrong("Q3b4", "prior_term")
def loses_the_half_of_the_prior_term(x_0, chain):
    """The factor 1/2 of a Gaussian divergence is lost."""
    last = alpha_bar(chain.T, chain.betas)
    return last * x_0**2 + (1 - last) - 1 - math.log(1 - last)


@wrong("Q3b4", "prior_term")
def swaps_prior_and_x_T(x_0, chain):
    """This is KL[p(x_T) || q(x_T | x_0)]: q comes first."""
    last = alpha_bar(chain.T, chain.betas)
    return 0.5 * ((last * x_0**2 + 1) / (1 - last) - 1 + math.log(1 - last))


@wrong("Q3b4", "prior_term")
def takes_the_last_step_alone(x_0, chain):
    """This is q(x_T | x_{T-1}) with x_0 in the place of x_{T-1}: all T steps add their noise, 1 - alpha-bar_T."""
    beta = chain.betas[-1]
    return 0.5 * ((1 - beta) * x_0**2 + beta - 1 - math.log(beta))


@wrong("Q3b4", "prior_term")
def flips_the_logarithm_of_the_prior_term(x_0, chain):
    """The logarithm has the wrong sign: -log(1 - alpha-bar_T) is positive."""
    last = alpha_bar(chain.T, chain.betas)
    return 0.5 * (last * x_0**2 + (1 - last) - 1 + math.log(1 - last))


@wrong("Q3b4", "prior_term")
def forgets_the_root_of_alpha_bar(x_0, chain):
    """The mean of x_T is sqrt(alpha-bar_T) x_0, so its square is alpha-bar_T x_0^2: here alpha-bar_T is squared too."""
    last = alpha_bar(chain.T, chain.betas)
    return 0.5 * (last**2 * x_0**2 + (1 - last) - 1 - math.log(1 - last))


@wrong("Q3b4", "prior_term")
def squares_the_variance_of_x_T(x_0, chain):
    """1 - alpha-bar_T is squared: it is the variance of x_T already."""
    last = alpha_bar(chain.T, chain.betas)
    return 0.5 * (last * x_0**2 + (1 - last) ** 2 - 1 - math.log((1 - last) ** 2))


@wrong("Q3b4", "prior_term")
def does_not_halve_the_logarithm(x_0, chain):
    """The logarithm is not halved: 1/2 stands before all of the Gaussian divergence."""
    last = alpha_bar(chain.T, chain.betas)
    return 0.5 * (last * x_0**2 + (1 - last) - 1) - math.log(1 - last)


@wrong("Q3b4", "prior_term")
def forgets_the_mean_of_x_T(x_0, chain):
    """The mean of x_T is missing: its square is alpha-bar_T x_0^2."""
    last = alpha_bar(chain.T, chain.betas)
    return 0.5 * ((1 - last) - 1 - math.log(1 - last))


@wrong("Q3b4", "prior_term")
def multiplies_the_betas(x_0, chain):
    """alpha-bar_T is the product of 1 - beta_t: this is the product of the betas."""
    last = math.prod(chain.betas)
    return 0.5 * (last * x_0**2 + (1 - last) - 1 - math.log(1 - last))


@wrong("Q3c1", "joint_elbo")
def weighs_with_p(p, q):
    """The expectation is under q, not under p."""
    return sum(v * math.log(v / u) for r, s in zip(p, q, strict=True) for v, u in zip(r, s, strict=True) if u > 0)


@wrong("Q3c1", "joint_elbo")
def takes_zero_times_log_zero(p, q):
    """Where q = 0 the logarithm does not exist: such an entry contributes 0, so leave it out."""
    return sum(u * math.log(v / u) for r, s in zip(p, q, strict=True) for v, u in zip(r, s, strict=True))


@wrong("Q3c1", "joint_elbo")
def gives_the_evidence(p, q):
    """This is log p(x_0, c), the left side: the bound depends on q."""
    return math.log(sum(map(sum, p)))


@wrong("Q3c1", "joint_elbo")
def sums_over_z_first(p, q):
    """The sum over x_{1:T} is taken before the logarithm: x_{1:T} is latent as well, and the logarithm belongs inside
    of both sums."""
    return sum(sum(s) * math.log(sum(r) / sum(s)) for r, s in zip(p, q, strict=True))


@wrong("Q3c1", "joint_elbo")
def forgets_the_entropy_of_q(p, q):
    """-E_q[log q], the entropy of q, is missing."""
    return sum(u * math.log(v) for r, s in zip(p, q, strict=True) for v, u in zip(r, s, strict=True) if u > 0)


@wrong("Q3c1", "joint_elbo")
def does_not_weigh_the_logarithms(p, q):
    """The logarithms are summed without their weights: the expectation under q multiplies each by its q."""
    return sum(math.log(v / u) for r, s in zip(p, q, strict=True) for v, u in zip(r, s, strict=True) if u > 0)


@wrong("Q3c1", "joint_elbo")
def averages_over_the_entries(p, q):
    """The sum is divided by the number of entries: the weights q are an average already."""
    cells = [(v, u) for r, s in zip(p, q, strict=True) for v, u in zip(r, s, strict=True)]
    return sum(u * math.log(v / u) for v, u in cells if u > 0) / len(cells)


@wrong("Q3c1", "joint_elbo")
def normalizes_p(p, q):
    """p is divided by its sum: that is the true posterior, and this is -KL[q || posterior], the gap alone."""
    n = sum(map(sum, p))
    return sum(u * math.log(v / n / u) for r, s in zip(p, q, strict=True) for v, u in zip(r, s, strict=True) if u > 0)


@wrong("Q3c1", "joint_elbo")
def weighs_log_p_only(p, q):
    """Only log p is weighted with q: -log q is under the same expectation."""
    cells = [(v, u) for r, s in zip(p, q, strict=True) for v, u in zip(r, s, strict=True) if u > 0]
    return sum(u * math.log(v) - math.log(u) for v, u in cells)


@wrong("Q3c2", "elbo_gap")
def forgets_to_normalize_p(p, q):
    """p(x_0, c, latent) is no law of the latent variables: divide by p(x_0, c) to get the posterior."""
    return sum(u * math.log(u / v) for r, s in zip(p, q, strict=True) for v, u in zip(r, s, strict=True) if u > 0)


@wrong("Q3c2", "elbo_gap")
def turns_the_gap_around(p, q):
    """This is KL[posterior || q]: the gap of the bound is KL[q || posterior]."""
    n = sum(map(sum, p))
    return sum(
        v / n * math.log(v / n / max(u, 1e-300)) for r, s in zip(p, q, strict=True) for v, u in zip(r, s, strict=True)
    )


@wrong("Q3c2", "elbo_gap")
def forgets_the_logarithm_of_the_evidence(p, q):
    """p(x_0, c) stands where log p(x_0, c) belongs: the bound is one for the logarithm."""
    cells = [(v, u) for r, s in zip(p, q, strict=True) for v, u in zip(r, s, strict=True) if u > 0]
    return sum(map(sum, p)) - sum(u * math.log(v / u) for v, u in cells)


@wrong("Q3c2", "elbo_gap")
def takes_the_logarithm_of_zero(p, q):
    """Where q = 0 the logarithm does not exist: such an entry contributes 0, so leave it out."""
    n = sum(map(sum, p))
    return sum(u * math.log(u * n / v) for r, s in zip(p, q, strict=True) for v, u in zip(r, s, strict=True))


@wrong("Q3c2", "elbo_gap")
def weighs_the_gap_with_p(p, q):
    """The expectation is under p, not under q: this is no gap of the bound."""
    cells = [(v, u) for r, s in zip(p, q, strict=True) for v, u in zip(r, s, strict=True) if u > 0]
    return math.log(sum(map(sum, p))) - sum(v * math.log(v / u) for v, u in cells)


@wrong("Q3d", "log_q")
def forgets_the_encoder(x, z, c, joint):
    """The factor q_psi(z | c, x_0) is missing."""
    return sum(
        log_normal(x[t], math.sqrt(1 - beta) * x[t - 1], beta) for t, beta in enumerate(joint.chain.betas, start=1)
    )


@wrong("Q3d", "log_q")
def encodes_with_the_prior(x, z, c, joint):
    """z has the encoder's law under q; p(z) = N(0, 1) belongs to the model."""
    steps = ((x[t - 1], x[t], beta) for t, beta in enumerate(joint.chain.betas, start=1))
    return log_normal(z, 0.0, 1.0) + sum(log_normal(new, math.sqrt(1 - b) * old, b) for old, new, b in steps)


@wrong("Q3d", "log_q")
def encodes_the_noisy_end(x, z, c, joint):
    """The encoder sees c and x_0, not x_T."""
    steps = ((x[t - 1], x[t], beta) for t, beta in enumerate(joint.chain.betas, start=1))
    encoder = log_normal(z, joint.encoder_mean(c, x[-1]), joint.encoder_variance)
    return encoder + sum(log_normal(new, math.sqrt(1 - b) * old, b) for old, new, b in steps)


@wrong("Q3d", "log_q")
def factorizes_backwards(x, z, c, joint):
    """These are the steps of p_phi(x_{t-1} | x_t, c, z): q is the forward process."""
    chain = joint.chain_given(z, c)
    steps = (
        log_normal(x[t - 1], chain.slopes[t - 1] * x[t] + chain.offsets[t - 1], chain.variances[t - 1])
        for t in range(1, chain.T + 1)
    )
    return log_normal(z, joint.encoder_mean(c, x[0]), joint.encoder_variance) + sum(steps)


@wrong("Q3d", "log_q")
def hands_the_encoders_deviation_on(x, z, c, joint):
    """log_normal is given the encoder's standard deviation: it takes the variance, encoder_variance as it is."""
    steps = ((x[t - 1], x[t], beta) for t, beta in enumerate(joint.chain.betas, start=1))
    encoder = log_normal(z, joint.encoder_mean(c, x[0]), math.sqrt(joint.encoder_variance))
    return encoder + sum(log_normal(new, math.sqrt(1 - b) * old, b) for old, new, b in steps)


@wrong("Q3d", "log_q")
def forgets_the_root_in_each_step(x, z, c, joint):
    """The mean of q(x_t | x_{t-1}) is sqrt(1 - beta_t) x_{t-1}: the square root is missing."""
    steps = ((x[t - 1], x[t], beta) for t, beta in enumerate(joint.chain.betas, start=1))
    encoder = log_normal(z, joint.encoder_mean(c, x[0]), joint.encoder_variance)
    return encoder + sum(log_normal(new, (1 - b) * old, b) for old, new, b in steps)


@wrong("Q3d", "log_q")
def swaps_the_encoders_arguments(x, z, c, joint):
    """The encoder's arguments are swapped: encoder_mean takes c first, then x_0."""
    steps = ((x[t - 1], x[t], beta) for t, beta in enumerate(joint.chain.betas, start=1))
    encoder = log_normal(z, joint.encoder_mean(x[0], c), joint.encoder_variance)
    return encoder + sum(log_normal(new, math.sqrt(1 - b) * old, b) for old, new, b in steps)


@wrong("Q3d", "log_q")
def gives_x_0_a_factor(x, z, c, joint):
    """x_0 has a factor N(0, 1) of its own: it is given, not a latent variable."""
    steps = ((x[t - 1], x[t], beta) for t, beta in enumerate(joint.chain.betas, start=1))
    encoder = log_normal(z, joint.encoder_mean(c, x[0]), joint.encoder_variance)
    return log_normal(x[0], 0.0, 1.0) + encoder + sum(log_normal(new, (1 - b) ** 0.5 * old, b) for old, new, b in steps)


@wrong("Q3d", "log_q")
def multiplies_the_marginals(x, z, c, joint):
    """Every x_t has the law given x_0 here: the x_t are not independent, so each step is conditioned on x_{t-1}."""
    betas = joint.chain.betas
    bars = [(t, alpha_bar(t, betas)) for t in range(1, len(betas) + 1)]
    encoder = log_normal(z, joint.encoder_mean(c, x[0]), joint.encoder_variance)
    return encoder + sum(log_normal(x[t], math.sqrt(bar) * x[0], 1 - bar) for t, bar in bars)


@wrong("Q3d", "log_q")
def leaves_out_the_last_step_of_q(x, z, c, joint):
    """The step to x_T is missing: t goes from 1 to T."""
    steps = ((x[t - 1], x[t], beta) for t, beta in enumerate(joint.chain.betas[:-1], start=1))
    encoder = log_normal(z, joint.encoder_mean(c, x[0]), joint.encoder_variance)
    return encoder + sum(log_normal(new, math.sqrt(1 - b) * old, b) for old, new, b in steps)


@wrong("Q3d", "log_q")
def multiplies_the_logarithms(x, z, c, joint):
    """The log-densities are multiplied: the logarithm of a product is the sum of the logarithms."""
    total = log_normal(z, joint.encoder_mean(c, x[0]), joint.encoder_variance)
    for t, beta in enumerate(joint.chain.betas, start=1):
        total *= log_normal(x[t], math.sqrt(1 - beta) * x[t - 1], beta)
    return total


@wrong("Q3e1", "vae_part")
def adds_the_divergence(x_0, c, joint):
    """The divergence from the prior is subtracted, not added."""
    mean, variance, v = joint.encoder_mean(c, x_0), joint.encoder_variance, joint.decoder_variance
    error = (c - joint.decoder_slope * mean) ** 2 + joint.decoder_slope**2 * variance
    likelihood = -0.5 * math.log(2 * math.pi * v) - error / (2 * v)
    return likelihood + 0.5 * (mean**2 + variance - 1 - math.log(variance))


@wrong("Q3e1", "vae_part")
def decodes_the_mean(x_0, c, joint):
    """log p(c | z) was taken at the encoder's mean: the variance of z adds to the expected square."""
    mean, variance = joint.encoder_mean(c, x_0), joint.encoder_variance
    likelihood = log_normal(c, joint.decoder_slope * mean, joint.decoder_variance)
    return likelihood - 0.5 * (mean**2 + variance - 1 - math.log(variance))


@wrong("Q3e1", "vae_part")
def decodes_only(x_0, c, joint):
    """The divergence of the encoder from the prior p(z) is missing."""
    mean, variance, v = joint.encoder_mean(c, x_0), joint.encoder_variance, joint.decoder_variance
    error = (c - joint.decoder_slope * mean) ** 2 + joint.decoder_slope**2 * variance
    return -0.5 * math.log(2 * math.pi * v) - error / (2 * v)


@wrong("Q3e1", "vae_part")
def scales_the_variance_of_z_by_the_slope(x_0, c, joint):
    """The variance of decoder_slope z is decoder_slope^2 times that of z: the slope is not squared."""
    mean, variance = joint.encoder_mean(c, x_0), joint.encoder_variance
    w, v = joint.decoder_slope, joint.decoder_variance
    likelihood = log_normal(c, w * mean, v) - w * variance / (2 * v)
    return likelihood - 0.5 * (mean**2 + variance - 1 - math.log(variance))


@wrong("Q3e1", "vae_part")
def adds_the_variance_of_z_unscaled(x_0, c, joint):
    """The variance of decoder_slope z is decoder_slope^2 times that of z: this factor is missing."""
    mean, variance = joint.encoder_mean(c, x_0), joint.encoder_variance
    w, v = joint.decoder_slope, joint.decoder_variance
    likelihood = log_normal(c, w * mean, v) - variance / (2 * v)
    return likelihood - 0.5 * (mean**2 + variance - 1 - math.log(variance))


@wrong("Q3e1", "vae_part")
def squares_the_encoders_variance(x_0, c, joint):
    """In the divergence, encoder_variance is squared: it is a variance already."""
    mean, variance = joint.encoder_mean(c, x_0), joint.encoder_variance
    w, v = joint.decoder_slope, joint.decoder_variance
    likelihood = log_normal(c, w * mean, v) - w**2 * variance / (2 * v)
    return likelihood - 0.5 * (mean**2 + variance**2 - 1 - math.log(variance**2))


@wrong("Q3e1", "vae_part")
def loses_the_half_of_the_divergence(x_0, c, joint):
    """The factor 1/2 of the divergence is lost."""
    mean, variance = joint.encoder_mean(c, x_0), joint.encoder_variance
    w, v = joint.decoder_slope, joint.decoder_variance
    likelihood = log_normal(c, w * mean, v) - w**2 * variance / (2 * v)
    return likelihood - (mean**2 + variance - 1 - math.log(variance))


@wrong("Q3e1", "vae_part")
def forgets_the_decoders_constant(x_0, c, joint):
    """The normalizing constant of p(c | z), 1/2 log(2 pi decoder_variance), is missing."""
    mean, variance = joint.encoder_mean(c, x_0), joint.encoder_variance
    w, v = joint.decoder_slope, joint.decoder_variance
    likelihood = -((c - w * mean) ** 2 + w**2 * variance) / (2 * v)
    return likelihood - 0.5 * (mean**2 + variance - 1 - math.log(variance))


@wrong("Q3e1", "vae_part")
def integrates_z_out_of_the_likelihood(x_0, c, joint):
    """The first term is the logarithm of E[p(c | z)]: the expectation of the logarithm is asked for."""
    mean, variance = joint.encoder_mean(c, x_0), joint.encoder_variance
    w, v = joint.decoder_slope, joint.decoder_variance
    likelihood = log_normal(c, w * mean, v + w**2 * variance)
    return likelihood - 0.5 * (mean**2 + variance - 1 - math.log(variance))


@wrong("Q3e1", "vae_part")
def turns_the_divergence_around(x_0, c, joint):
    """The divergence is KL[p(z) || q]: q comes first."""
    mean, variance = joint.encoder_mean(c, x_0), joint.encoder_variance
    w, v = joint.decoder_slope, joint.decoder_variance
    likelihood = log_normal(c, w * mean, v) - w**2 * variance / (2 * v)
    return likelihood - 0.5 * ((mean**2 + 1) / variance - 1 + math.log(variance))


@wrong("Q3e1", "vae_part")
def decodes_without_the_slope(x_0, c, joint):
    """The decoder's mean is decoder_slope z: the slope is missing there."""
    mean, variance = joint.encoder_mean(c, x_0), joint.encoder_variance
    w, v = joint.decoder_slope, joint.decoder_variance
    likelihood = log_normal(c, mean, v) - w**2 * variance / (2 * v)
    return likelihood - 0.5 * (mean**2 + variance - 1 - math.log(variance))


@wrong("Q3e2", "ddpm_part")
def diffuses_at_the_mean_of_z(x_0, c, joint):
    """The bound was taken at the encoder's mean: it is quadratic in z, so the variance of z counts too."""
    return elbo(x_0, joint.chain_given(joint.encoder_mean(c, x_0), c))


@wrong("Q3e2", "ddpm_part")
def draws_z_from_the_prior(x_0, c, joint):
    """The expectation is over the encoder's z, not over p(z) = N(0, 1)."""
    squares = sum(k**2 / s for k, s in zip(joint.z_slopes, joint.chain.variances, strict=True))
    return elbo(x_0, joint.chain_given(0.0, c)) - 0.5 * squares


@wrong("Q3e2", "ddpm_part")
def forgets_the_condition(x_0, c, joint):
    """The reverse process is conditioned on c and z: use joint.chain_given(z, c), not joint.chain."""
    return elbo(x_0, joint.chain)


@wrong("Q3e2", "ddpm_part")
def subtracts_the_whole_variance(x_0, c, joint):
    """The variance of z counts with a factor 1/2, as the squares in the exponents do: it is lost."""
    squares = sum(k**2 / s for k, s in zip(joint.z_slopes, joint.chain.variances, strict=True))
    return elbo(x_0, joint.chain_given(joint.encoder_mean(c, x_0), c)) - joint.encoder_variance * squares


@wrong("Q3e2", "ddpm_part")
def adds_the_variance_of_z(x_0, c, joint):
    """What the variance of z contributes has the wrong sign: it makes the squares larger, and the bound smaller."""
    squares = sum(k**2 / s for k, s in zip(joint.z_slopes, joint.chain.variances, strict=True))
    return elbo(x_0, joint.chain_given(joint.encoder_mean(c, x_0), c)) + 0.5 * joint.encoder_variance * squares


@wrong("Q3e2", "ddpm_part")
def does_not_square_the_slopes_of_z(x_0, c, joint):
    """The variance of k_t z is k_t^2 times that of z: k_t is not squared."""
    squares = sum(k / s for k, s in zip(joint.z_slopes, joint.chain.variances, strict=True))
    return elbo(x_0, joint.chain_given(joint.encoder_mean(c, x_0), c)) - 0.5 * joint.encoder_variance * squares


@wrong("Q3e2", "ddpm_part")
def forgets_to_divide_by_s(x_0, c, joint):
    """The squares are not divided by s_t, the variance of the reverse step."""
    squares = sum(k**2 for k in joint.z_slopes)
    return elbo(x_0, joint.chain_given(joint.encoder_mean(c, x_0), c)) - 0.5 * joint.encoder_variance * squares


@wrong("Q3e2", "ddpm_part")
def takes_one_variance_for_one_deviation(x_0, c, joint):
    """z is moved by its variance where its standard deviation belongs."""
    mean, v = joint.encoder_mean(c, x_0), joint.encoder_variance
    return 0.5 * sum(elbo(x_0, joint.chain_given(z, c)) for z in (mean + v, mean - v))


@wrong("Q3e2", "ddpm_part")
def forgets_the_slopes_of_z(x_0, c, joint):
    """What the variance of z adds has the factors k_t^2 / s_t, summed over the steps: they are missing."""
    return elbo(x_0, joint.chain_given(joint.encoder_mean(c, x_0), c)) - 0.5 * joint.encoder_variance


# ---------------------------------------------------------------- Question 4


@wrong("Q4.1a", "velocity")
def lets_the_generator_ascend(psi_0, psi_1, theta):
    """The generator descends: v_theta = -dL/dtheta. Here its sign is the critic's."""
    fake = sigmoid(psi_0 * theta + psi_1)
    return -theta * fake, sigmoid(-psi_1) - fake, -psi_0 * fake


@wrong("Q4.1a", "velocity")
def lets_the_critic_descend(psi_0, psi_1, theta):
    """The critic ascends: v_psi = +grad_psi L. Here its sign is the generator's."""
    fake = sigmoid(psi_0 * theta + psi_1)
    return theta * fake, fake - sigmoid(-psi_1), psi_0 * fake


@wrong("Q4.1a", "velocity")
def does_not_saturate(psi_0, psi_1, theta):
    """This is the non-saturating generator, which ascends log sigma(C(x)): this question's descends log
    sigma(-C(x))."""
    fake = sigmoid(psi_0 * theta + psi_1)
    return -theta * fake, sigmoid(-psi_1) - fake, psi_0 * (1 - fake)


@wrong("Q4.1a", "velocity")
def differentiates_sigma_only(psi_0, psi_1, theta):
    """This is the derivative of sigma, sigma (1 - sigma): that of log sigma(-x) is -sigma(x)."""
    fake, real = sigmoid(psi_0 * theta + psi_1), sigmoid(psi_1)
    return -theta * fake * (1 - fake), real * (1 - real) - fake * (1 - fake), psi_0 * fake * (1 - fake)


@wrong("Q4.1a", "velocity")
def keeps_the_sign_inside(psi_0, psi_1, theta):
    """d/dx log sigma(x) is sigma(-x), not sigma(x): the argument's sign is wrong."""
    fake = sigmoid(-(psi_0 * theta + psi_1))
    return -theta * fake, sigmoid(psi_1) - fake, psi_0 * fake


@wrong("Q4.1a", "velocity")
def forgets_the_data_term(psi_0, psi_1, theta):
    """The term of the data, log sigma(C(0)), is missing in v_psi_1."""
    fake = sigmoid(psi_0 * theta + psi_1)
    return -theta * fake, -fake, psi_0 * fake


@wrong("Q4.1a", "velocity")
def takes_sigma_for_its_derivative_at_the_data(psi_0, psi_1, theta):
    """d/dpsi_1 log sigma(psi_1) is sigma(-psi_1), not sigma(psi_1)."""
    fake = sigmoid(psi_0 * theta + psi_1)
    return -theta * fake, sigmoid(psi_1) - fake, psi_0 * fake


@wrong("Q4.1a", "velocity")
def flips_the_sign_of_both_fakes(psi_0, psi_1, theta):
    """The derivative of log sigma(-C) by C is -sigma(C): here sigma is taken at -C."""
    fake = sigmoid(-psi_0 * theta - psi_1)
    return -theta * fake, sigmoid(-psi_1) - fake, psi_0 * fake


@wrong("Q4.1a", "velocity")
def adds_the_term_of_the_fakes(psi_0, psi_1, theta):
    """In v_psi_1 the term of the fakes has the wrong sign: d/dpsi_1 log sigma(-C) is -sigma(C)."""
    fake = sigmoid(psi_0 * theta + psi_1)
    return -theta * fake, sigmoid(-psi_1) + fake, psi_0 * fake


@wrong("Q4.1a", "velocity")
def exchanges_psi_0_and_theta(psi_0, psi_1, theta):
    """psi_0 and theta have changed places: the derivative of psi_0 theta by psi_0 is theta."""
    fake = sigmoid(psi_0 * theta + psi_1)
    return -psi_0 * fake, sigmoid(-psi_1) - fake, theta * fake


@wrong("Q4.1a", "velocity")
def forgets_the_sign_of_v_psi_0(psi_0, psi_1, theta):
    """v_psi_0 has the wrong sign: d/dpsi_0 log sigma(-C(theta)) is -theta sigma(C(theta))."""
    fake = sigmoid(psi_0 * theta + psi_1)
    return theta * fake, sigmoid(-psi_1) - fake, psi_0 * fake


@wrong("Q4.1a", "velocity")
def puts_theta_first(psi_0, psi_1, theta):
    """The order is v_psi_0, v_psi_1, v_theta: here v_theta comes first."""
    fake = sigmoid(psi_0 * theta + psi_1)
    return psi_0 * fake, -theta * fake, sigmoid(-psi_1) - fake


@wrong("Q4.1a", "velocity")
def forgets_the_bias(psi_0, psi_1, theta):
    """psi_1 is missing in C(theta) = psi_0 theta + psi_1."""
    fake = sigmoid(psi_0 * theta)
    return -theta * fake, sigmoid(-psi_1) - fake, psi_0 * fake


@wrong("Q4.1a", "velocity")
def differentiates_the_data_term_wrongly(psi_0, psi_1, theta):
    """d/dpsi_1 log sigma(psi_1) is sigma(-psi_1), not 1."""
    fake = sigmoid(psi_0 * theta + psi_1)
    return -theta * fake, 1 - fake, psi_0 * fake


@wrong("Q4.1b", "stationary_points")
def leaves_psi_1_free():
    """psi_1 is not free: v_psi_1 = 0 fixes it too."""
    return [(0.0, 0.0, 0.0), (0.0, 1.0, 0.0)]


@wrong("Q4.1b", "stationary_points")
def puts_the_generator_elsewhere():
    """For theta not 0 the critic's slope still moves, v_psi_0 = -theta sigma(...): theta* is where the data is."""
    return [(0.0, 0.0, 1.0)]


@wrong("Q4.1b", "stationary_points")
def sets_psi_1_to_one_half():
    """sigma(C) = 1/2 at the optimum, which means C = 0: psi_1* is not 1/2."""
    return [(0.0, 0.5, 0.0)]


@wrong("Q4.1b", "stationary_points")
def leaves_psi_0_free():
    """psi_0 is not free: for psi_0 other than 0 the generator moves, v_theta = psi_0 sigma(...)."""
    return [(1.0, 0.0, 0.0)]


@wrong("Q4.2", "jacobian")
def transposes_the_jacobian():
    """This is the transpose: row i is the gradient of the i-th component of v."""
    return [[0.0, 0.0, 0.5], [0.0, -0.5, 0.0], [-0.5, 0.0, 0.0]]


@wrong("Q4.2", "jacobian")
def gives_the_hessian():
    """This is the Hessian of L, which is symmetric. v_theta = -dL/dtheta, so the last row has the other sign."""
    return [[0.0, 0.0, -0.5], [0.0, -0.5, 0.0], [-0.5, 0.0, 0.0]]


@wrong("Q4.2", "jacobian")
def takes_a_quarter_for_a_half():
    """dv_psi_1/dpsi_1 has two terms: real and fake data contribute -1/4 each."""
    return [[0.0, 0.0, -0.5], [0.0, -0.25, 0.0], [0.5, 0.0, 0.0]]


@wrong("Q4.2", "jacobian")
def inserts_too_early():
    """psi_1 seems not to move: differentiate sigma(-psi_1) and sigma(psi_1) before you insert psi_1 = 0."""
    return [[0.0, 0.0, -0.5], [0.0, 0.0, 0.0], [0.5, 0.0, 0.0]]


@wrong("Q4.2", "jacobian")
def loses_the_sign_of_the_first_row():
    """v_psi_0 = -theta sigma(...): its derivative by theta is negative."""
    return [[0.0, 0.0, 0.5], [0.0, -0.5, 0.0], [0.5, 0.0, 0.0]]


@wrong("Q4.2", "jacobian")
def loses_the_sign_in_the_middle():
    """dv_psi_1/dpsi_1 is negative: sigma(-psi_1) falls in psi_1, and -sigma(psi_1) does."""
    return [[0.0, 0.0, -0.5], [0.0, 0.5, 0.0], [0.5, 0.0, 0.0]]


@wrong("Q4.2", "jacobian")
def takes_one_for_sigma_of_zero():
    """The entries of psi_0 and theta are sigma(0), which is 1/2, not 1."""
    return [[0.0, 0.0, -1.0], [0.0, -0.5, 0.0], [1.0, 0.0, 0.0]]


@wrong("Q4.2", "jacobian")
def takes_a_quarter_off_the_diagonal():
    """The entries of psi_0 and theta are sigma(0) = 1/2: 1/4 is its derivative."""
    return [[0.0, 0.0, -0.25], [0.0, -0.5, 0.0], [0.25, 0.0, 0.0]]


@wrong("Q4.2", "jacobian")
def orders_theta_before_psi_1():
    """Rows and columns are in the order psi_0, theta, psi_1: psi_0, psi_1, theta is asked for."""
    return [[0.0, -0.5, 0.0], [0.5, 0.0, 0.0], [0.0, 0.0, -0.5]]


@wrong("Q4.2", "jacobian")
def takes_one_in_the_middle():
    """dv_psi_1/dpsi_1 has two terms, and each is -sigma'(0) = -1/4: together they are -1/2, not -1."""
    return [[0.0, 0.0, -0.5], [0.0, -1.0, 0.0], [0.5, 0.0, 0.0]]


@wrong("Q4.2", "jacobian")
def takes_the_second_derivative_by_theta():
    """v_theta = psi_0 sigma(...) does not change with theta at psi_0 = 0: its entry is 0."""
    return [[0.0, 0.0, -0.5], [0.0, -0.5, 0.0], [0.5, 0.0, -0.25]]


@wrong("Q4.3a", "eigenvalues")
def loses_the_imaginary_unit():
    """lambda^2 = -1/4 has no real root: the pair is imaginary."""
    return [-0.5, 0.5, -0.5]


@wrong("Q4.3a", "eigenvalues")
def forgets_the_conjugate():
    """Complex eigenvalues of a real matrix come in conjugate pairs: +i and -i."""
    return [-0.5, 0.5j, 0.5j]


@wrong("Q4.3a", "eigenvalues")
def forgets_the_square_root_of_a_quarter():
    """lambda^2 = -1/4 gives +-i/2: the square root of 1/4 is 1/2."""
    return [-0.5, 0.25j, -0.25j]


@wrong("Q4.3a", "eigenvalues")
def flips_the_real_eigenvalue():
    """The real eigenvalue has the wrong sign: it is the middle entry of J*."""
    return [0.5, 0.5j, -0.5j]


@wrong("Q4.3a", "eigenvalues")
def takes_the_root_of_minus_one():
    """The pair solves lambda^2 = -1/4: it is +-i/2, not +-i."""
    return [-0.5, 1j, -1j]


@wrong("Q4.3a", "eigenvalues")
def loses_the_real_eigenvalue():
    """The middle entry of J* is an eigenvalue of its own: -1/2, not 0."""
    return [0.0, 0.5j, -0.5j]


@wrong("Q4.3a", "eigenvalues")
def loses_the_pair():
    """The pair is not 0: the entries off the diagonal give lambda^2 = -1/4."""
    return [-0.5, 0.0, 0.0]


@wrong("Q4.3a", "eigenvalues")
def takes_a_double_real_eigenvalue():
    """The pair is imaginary, +-i/2: lambda^2 = -1/4 has no real root."""
    return [-0.5, 0.5, 0.5]


@wrong("Q4.3b", "stability")
def looks_at_one_eigenvalue():
    """One negative eigenvalue is not enough: all real parts must be negative, and a pair has real part 0."""
    return "asymptotically stable", -0.5


@wrong("Q4.3b", "stability")
def calls_a_centre_unstable():
    """No real part is positive. With a largest real part of 0 the linearization does not decide."""
    return "unstable", 0.0


@wrong("Q4.3b", "stability")
def takes_the_modulus():
    """The rate is the largest real part; this is the largest modulus."""
    return "inconclusive", 0.5


@wrong("Q4.3b", "stability")
def believes_that_zero_is_stable():
    """A largest real part of 0 decides nothing: "asymptotically stable" needs all real parts to be negative."""
    return "asymptotically stable", 0.0


@wrong("Q4.3b", "stability")
def takes_the_real_eigenvalue_for_the_rate():
    """The verdict is right, but the rate is the largest real part, 0: this is the smallest."""
    return "inconclusive", -0.5


@wrong("Q4.3c", "conserved")
def is_constant(psi_0, psi_1, theta):
    """A constant is conserved, but it says nothing: V must differ from trajectory to trajectory."""
    return 1.0


@wrong("Q4.3c", "conserved")
def subtracts_the_squares(psi_0, psi_1, theta):
    """The time derivatives of psi_0^2 and theta^2 are opposite: the sum is conserved, not the difference."""
    return psi_0**2 - theta**2


@wrong("Q4.3c", "conserved")
def counts_psi_1(psi_0, psi_1, theta):
    """psi_1^2 is not conserved: psi_1 is attracted by 0."""
    return psi_0**2 + psi_1**2 + theta**2


@wrong("Q4.3c", "conserved")
def takes_the_objective(psi_0, psi_1, theta):
    """The objective L is not conserved: critic and generator both change it."""
    return math.log(sigmoid(psi_1)) + math.log(sigmoid(-psi_0 * theta - psi_1))


@wrong("Q4.3c", "conserved")
def multiplies_psi_0_and_theta(psi_0, psi_1, theta):
    """psi_0 theta is not conserved: its time derivative is (psi_0^2 - theta^2) sigma(...)."""
    return psi_0 * theta


@wrong("Q4.3c", "conserved")
def adds_psi_0_and_theta(psi_0, psi_1, theta):
    """psi_0 + theta is not conserved: its time derivative is (psi_0 - theta) sigma(...). Multiply before you add."""
    return psi_0 + theta


@wrong("Q4.3c", "conserved")
def takes_theta_alone(psi_0, psi_1, theta):
    """theta^2 alone is not conserved: psi_0^2 falls as it grows, so add it."""
    return theta**2


@wrong("Q4.3c", "conserved")
def takes_psi_0_alone(psi_0, psi_1, theta):
    """psi_0^2 alone is not conserved: theta^2 falls as it grows, so add it."""
    return psi_0**2


@wrong("Q4.4a", "velocity_r1")
def takes_half_of_gamma(psi_0, psi_1, theta, gamma):
    """The gradient of R_1 = psi_0^2 is 2 psi_0, so that gamma/2 becomes gamma; here it stayed gamma/2."""
    fake = sigmoid(psi_0 * theta + psi_1)
    return -theta * fake - gamma / 2 * psi_0, sigmoid(-psi_1) - fake, psi_0 * fake


@wrong("Q4.4a", "velocity_r1")
def takes_twice_gamma(psi_0, psi_1, theta, gamma):
    """The factor 1/2 of gamma/2 is lost: it cancels the 2 of the square's derivative."""
    fake = sigmoid(psi_0 * theta + psi_1)
    return -theta * fake - 2 * gamma * psi_0, sigmoid(-psi_1) - fake, psi_0 * fake


@wrong("Q4.4a", "velocity_r1")
def rewards_the_gradient(psi_0, psi_1, theta, gamma):
    """The penalty has the wrong sign: the critic ascends L minus the penalty."""
    fake = sigmoid(psi_0 * theta + psi_1)
    return -theta * fake + gamma * psi_0, sigmoid(-psi_1) - fake, psi_0 * fake


@wrong("Q4.4a", "velocity_r1")
def penalizes_the_bias(psi_0, psi_1, theta, gamma):
    """R_1 is the gradient with respect to x, which is psi_0: psi_1 is not penalized."""
    fake = sigmoid(psi_0 * theta + psi_1)
    return -theta * fake - gamma * psi_0, sigmoid(-psi_1) - fake - gamma * psi_1, psi_0 * fake


@wrong("Q4.4a", "velocity_r1")
def does_not_differentiate_the_penalty(psi_0, psi_1, theta, gamma):
    """The penalty itself was subtracted, not its gradient."""
    fake = sigmoid(psi_0 * theta + psi_1)
    return -theta * fake - gamma / 2 * psi_0**2, sigmoid(-psi_1) - fake, psi_0 * fake


@wrong("Q4.4a", "velocity_r1")
def penalizes_nothing(psi_0, psi_1, theta, gamma):
    """The penalty is missing: this is the velocity of the system without it."""
    fake = sigmoid(psi_0 * theta + psi_1)
    return -theta * fake, sigmoid(-psi_1) - fake, psi_0 * fake


@wrong("Q4.4a", "velocity_r1")
def penalizes_the_generator(psi_0, psi_1, theta, gamma):
    """The penalty is in v_theta, too: the generator descends L alone."""
    fake = sigmoid(psi_0 * theta + psi_1)
    return -theta * fake - gamma * psi_0, sigmoid(-psi_1) - fake, psi_0 * fake - gamma * psi_0


@wrong("Q4.4a", "velocity_r1")
def subtracts_gamma_times_the_penalty(psi_0, psi_1, theta, gamma):
    """gamma psi_0^2 was subtracted: the gradient of the penalty gamma/2 psi_0^2 is gamma psi_0."""
    fake = sigmoid(psi_0 * theta + psi_1)
    return -theta * fake - gamma * psi_0**2, sigmoid(-psi_1) - fake, psi_0 * fake


@wrong("Q4.4a", "velocity_r1")
def penalizes_theta(psi_0, psi_1, theta, gamma):
    """gamma theta was subtracted: the gradient of C by x is psi_0, so the penalty's is gamma psi_0."""
    fake = sigmoid(psi_0 * theta + psi_1)
    return -theta * fake - gamma * theta, sigmoid(-psi_1) - fake, psi_0 * fake


@wrong("Q4.4a", "velocity_r1")
def penalizes_the_bias_only(psi_0, psi_1, theta, gamma):
    """The penalty acts on v_psi_1 here: the gradient of C by x is psi_0, so it acts on v_psi_0."""
    fake = sigmoid(psi_0 * theta + psi_1)
    return -theta * fake, sigmoid(-psi_1) - fake - gamma * psi_1, psi_0 * fake


@wrong("Q4.4b", "stationary_points_r1")
def lets_the_penalty_move_the_point(gamma):
    """The penalty does not move the stationary point: from v_theta = 0 follows psi_0 = 0, where its gradient is 0."""
    return [(0.0, 0.0, -2 * gamma)]


@wrong("Q4.4b", "stationary_points_r1")
def moves_theta_by_gamma(gamma):
    """theta* does not depend on gamma: at psi_0 = 0 the penalty's gradient is 0."""
    return [(0.0, 0.0, gamma)]


@wrong("Q4.5", "jacobian_r1")
def puts_half_of_gamma_into_the_jacobian(gamma):
    """The entry of psi_0 is half of what it should be: the second derivative of psi_0^2 is 2."""
    return [[-gamma / 2, 0.0, -0.5], [0.0, -0.5, 0.0], [0.5, 0.0, 0.0]]


@wrong("Q4.5", "jacobian_r1")
def forgets_the_penalty(gamma):
    """This is the Jacobian without the penalty."""
    return [[0.0, 0.0, -0.5], [0.0, -0.5, 0.0], [0.5, 0.0, 0.0]]


@wrong("Q4.5", "jacobian_r1")
def puts_gamma_in_the_wrong_place(gamma):
    """The penalty acts on v_psi_0 through psi_0, the first entry; here it acts on psi_1."""
    return [[0.0, 0.0, -0.5], [0.0, -0.5 - gamma, 0.0], [0.5, 0.0, 0.0]]


@wrong("Q4.5", "jacobian_r1")
def adds_gamma_with_the_wrong_sign(gamma):
    """gamma has the wrong sign: the penalty is subtracted, so the entry of psi_0 is -gamma."""
    return [[gamma, 0.0, -0.5], [0.0, -0.5, 0.0], [0.5, 0.0, 0.0]]


@wrong("Q4.5", "jacobian_r1")
def puts_twice_gamma_into_the_jacobian(gamma):
    """The entry of psi_0 is twice what it should be: gamma/2 and the 2 of the square's derivative give gamma."""
    return [[-2 * gamma, 0.0, -0.5], [0.0, -0.5, 0.0], [0.5, 0.0, 0.0]]


@wrong("Q4.5", "jacobian_r1")
def transposes_the_regularized_jacobian(gamma):
    """This is the transpose: row i is the gradient of the i-th component of v."""
    return [[-gamma, 0.0, 0.5], [0.0, -0.5, 0.0], [-0.5, 0.0, 0.0]]


@wrong("Q4.5", "jacobian_r1")
def puts_gamma_on_both_parameters(gamma):
    """gamma stands in the row of psi_1 as well: the penalty psi_0^2 does not depend on psi_1."""
    return [[-gamma, 0.0, -0.5], [0.0, -0.5 - gamma, 0.0], [0.5, 0.0, 0.0]]


@wrong("Q4.5", "jacobian_r1")
def puts_gamma_on_theta(gamma):
    """gamma stands in the row of theta: the penalty acts on v_psi_0 through psi_0, the first entry."""
    return [[0.0, 0.0, -0.5], [0.0, -0.5, 0.0], [0.5, 0.0, -gamma]]


@wrong("Q4.5", "jacobian_r1")
def loses_the_sign_of_the_last_row(gamma):
    """v_theta = psi_0 sigma(...): its derivative by psi_0 is positive."""
    return [[-gamma, 0.0, -0.5], [0.0, -0.5, 0.0], [-0.5, 0.0, 0.0]]


@wrong("Q4.5", "jacobian_r1")
def takes_a_quarter_beside_gamma(gamma):
    """dv_psi_1/dpsi_1 has two terms: real and fake data contribute -1/4 each."""
    return [[-gamma, 0.0, -0.5], [0.0, -0.25, 0.0], [0.5, 0.0, 0.0]]


@wrong("Q4.6a", "eigenvalues_r1")
def keeps_them_real(gamma):
    """For gamma < 1 the discriminant gamma^2 - 1 is negative and the pair is complex; its absolute value is not it."""
    discriminant = abs(gamma**2 - 1) ** 0.5
    return [-0.5, (-gamma + discriminant) / 2, (-gamma - discriminant) / 2]


@wrong("Q4.6a", "eigenvalues_r1")
def takes_the_square_root_of_a_negative(gamma):
    """math.sqrt refuses a negative discriminant: for gamma < 1 the eigenvalues are complex, so use cmath.sqrt."""
    discriminant = math.sqrt(gamma**2 - 1)
    return [-0.5, (-gamma + discriminant) / 2, (-gamma - discriminant) / 2]


@wrong("Q4.6a", "eigenvalues_r1")
def makes_the_discriminant_gamma_squared_minus_four(gamma):
    """lambda^2 + gamma lambda + 1/4 = 0 has the discriminant gamma^2 - 1, since 4 times 1/4 is 1."""
    discriminant = complex(gamma**2 - 4) ** 0.5
    return [-0.5, (-gamma + discriminant) / 2, (-gamma - discriminant) / 2]


@wrong("Q4.6a", "eigenvalues_r1")
def flips_the_sum(gamma):
    """The sum of the pair is the trace -gamma, not gamma: the signs of the real parts are wrong."""
    discriminant = complex(gamma**2 - 1) ** 0.5
    return [-0.5, (gamma + discriminant) / 2, (gamma - discriminant) / 2]


@wrong("Q4.6a", "eigenvalues_r1")
def forgets_the_two_of_the_quadratic_formula(gamma):
    """The division by 2 of the quadratic formula is missing: it is (-gamma +- sqrt(gamma^2 - 1)) / 2."""
    discriminant = complex(gamma**2 - 1) ** 0.5
    return [-0.5, -gamma + discriminant, -gamma - discriminant]


@wrong("Q4.6a", "eigenvalues_r1")
def cuts_the_discriminant_off(gamma):
    """A negative discriminant was cut off at 0: for gamma < 1 the pair is complex."""
    discriminant = max(gamma**2 - 1, 0.0) ** 0.5
    return [-0.5, (-gamma + discriminant) / 2, (-gamma - discriminant) / 2]


@wrong("Q4.6a", "eigenvalues_r1")
def adds_one_to_the_discriminant(gamma):
    """The discriminant is gamma^2 - 1, not gamma^2 + 1: the product of the pair is +1/4."""
    discriminant = complex(gamma**2 + 1) ** 0.5
    return [-0.5, (-gamma + discriminant) / 2, (-gamma - discriminant) / 2]


@wrong("Q4.6a", "eigenvalues_r1")
def turns_the_discriminant_around(gamma):
    """The discriminant has the wrong sign: it is gamma^2 - 1, negative for gamma < 1."""
    discriminant = complex(1 - gamma**2) ** 0.5
    return [-0.5, (-gamma + discriminant) / 2, (-gamma - discriminant) / 2]


@wrong("Q4.6a", "eigenvalues_r1")
def ignores_gamma(gamma):
    """These are the eigenvalues without the penalty: they depend on gamma."""
    return [-0.5, 0.5j, -0.5j]


@wrong("Q4.6a", "eigenvalues_r1")
def adds_a_real_part_only(gamma):
    """The penalty does not only move the pair to the left: its imaginary part depends on gamma, too, and is 0 above
    1."""
    return [-0.5, -gamma / 2 + 0.5j, -gamma / 2 - 0.5j]


@wrong("Q4.6a", "eigenvalues_r1")
def flips_the_real_eigenvalue_again(gamma):
    """The real eigenvalue has the wrong sign: it is the middle entry of J*."""
    discriminant = complex(gamma**2 - 1) ** 0.5
    return [0.5, (-gamma + discriminant) / 2, (-gamma - discriminant) / 2]


@wrong("Q4.6b", "stability_r1")
def believes_gamma_always_helps(gamma):
    """-gamma/2 is the real part only while the pair is complex: for gamma > 1 a stronger penalty slows down."""
    return "asymptotically stable", max(-0.5, -gamma / 2) if gamma < 1 else -gamma / 2


@wrong("Q4.6b", "stability_r1")
def takes_the_fastest_eigenvalue(gamma):
    """The slowest direction decides: the rate is the largest real part, not the smallest."""
    return "asymptotically stable", min(-0.5, (-gamma - math.sqrt(max(gamma**2 - 1, 0.0))) / 2)


@wrong("Q4.6b", "stability_r1")
def sees_no_difference(gamma):
    """With the penalty no eigenvalue has real part 0 any more: all three are negative."""
    return "inconclusive", 0.0


@wrong("Q4.6b", "stability_r1")
def needs_real_eigenvalues(gamma):
    """Complex eigenvalues do not make a system unstable: only the sign of the real parts matters."""
    rate = (-gamma + math.sqrt(max(gamma**2 - 1, 0.0))) / 2
    return "asymptotically stable" if gamma >= 1 else "unstable", rate


@wrong("Q4.6b", "stability_r1")
def takes_the_real_eigenvalue_always(gamma):
    """-1/2 is one of three eigenvalues: the pair has a larger real part."""
    return "asymptotically stable", -0.5


@wrong("Q4.6b", "stability_r1")
def gives_a_positive_rate(gamma):
    """The rate has the wrong sign: it is the largest real part, which is negative."""
    return "asymptotically stable", (gamma - math.sqrt(max(gamma**2 - 1, 0.0))) / 2


@wrong("Q4.6b", "stability_r1")
def takes_a_root_below_one(gamma):
    """math.sqrt refuses gamma^2 - 1 for gamma < 1: there the pair is complex, and its real part is -gamma/2."""
    return "asymptotically stable", (-gamma + math.sqrt(gamma**2 - 1)) / 2
