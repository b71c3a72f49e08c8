"""Right answers to gan.py that look different from the reference."""

from autograder.grading.variants import right


@right("Q2.1", "jsd")
def jsd_by_softplus(cp, cq):
    """softplus in the place of logsigmoid, logarithms of 2."""
    return math.log(2) - 0.5 * (F.softplus(-cp).mean() + F.softplus(cq).mean())


@right("Q2.1", "jsd")
def jsd_by_binary_cross_entropy(cp, cq):
    """PyTorch's loss for logits."""
    real = F.binary_cross_entropy_with_logits(cp, torch.ones_like(cp))
    fake = F.binary_cross_entropy_with_logits(cq, torch.zeros_like(cq))
    return -(real + fake) / 2 + math.log(4.0) / 2


@right("Q2.2", "w1")
def w1_by_sums(cp, cq):
    """Sums over counts."""
    return cp.sum() / cp.numel() - cq.sum() / cq.numel()


@right("Q2.3", "ogp")
def ogp_from_p_to_q(p, cp, q, cq, critic):
    """The roles of e and 1 - e exchanged, Variable-style ones as grad_outputs, the norm by hand with an epsilon."""
    epsilon = torch.rand(p.shape[0], 1).to(p).view(-1, *([1] * (p.dim() - 1))).expand_as(p)
    between = torch.autograd.Variable(p + epsilon * (q - p), requires_grad=True)
    out = critic(between)
    gradient = torch.autograd.grad(
        outputs=out, inputs=between, grad_outputs=torch.ones_like(out), create_graph=True, retain_graph=True
    )[0]
    norm = torch.sqrt(gradient.view(gradient.size(0), -1).pow(2).sum(1) + 1e-12)
    return ((norm - 1) ** 2).mean()


@right("Q2.3", "ogp")
def ogp_by_torch_func(p, cp, q, cq, critic):
    """torch.func.grad of the critic's sum."""
    epsilon = torch.empty(len(p), *[1] * (p.dim() - 1)).uniform_(0, 1).to(p)
    gradient = torch.func.grad(lambda x: critic(x).sum())(epsilon * p + (1 - epsilon) * q)
    return (gradient.reshape(len(p), -1).norm(2, dim=-1) - 1).pow(2).mean()


@right("Q2.4", "r1gp")
def r1_in_place(p, cp, q, cq, critic):
    """p itself is made to require gradients."""
    p.requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(p).sum(), p, create_graph=True)
    return (gradient.reshape(len(p), -1).norm(dim=1) ** 2).mean()


@right("Q2.4", "r1gp")
def r1_by_a_loop(p, cp, q, cq, critic):
    """One sample after the other."""
    total = 0.0
    for sample in p.split(1):
        sample = sample.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(critic(sample).sum(), sample, create_graph=True)
        total = total + (gradient**2).sum()
    return total / p.shape[0]


@right("Q2.5", "make_losses")
def losses_by_ifs(loss_type, reg_type=None, reg_cf=1.0):
    """Names are looked at when a loss is called."""

    def metric(p, q, critic):
        if loss_type == "JSD":
            return jsd(critic(p), critic(q))
        if loss_type == "W1":
            return w1(critic(p), critic(q))
        raise NotImplementedError(loss_type)

    def critic_loss(p, q, critic):
        loss = -metric(p, q, critic)
        if reg_type == "GP":
            loss += reg_cf * ogp(p, critic(p), q, critic(q), critic)
        elif reg_type == "R1":
            loss += reg_cf * r1gp(p, critic(p), q, critic(q), critic)
        elif reg_type is not None:
            raise NotImplementedError(reg_type)
        return loss

    return metric, critic_loss


@right("Q2.5", "make_losses")
def losses_with_everything_inline(loss_type, reg_type=None, reg_cf=1.0):
    """w1 written out, lambdas."""
    if loss_type == "JSD":
        metric = lambda p, q, critic: jsd(critic(p), critic(q))  # noqa: E731
    elif loss_type == "W1":
        metric = lambda p, q, critic: critic(p).mean() - critic(q).mean()  # noqa: E731
    else:
        raise NotImplementedError
    if reg_type is None:
        return metric, lambda p, q, critic: -metric(p, q, critic)
    penalty = {"GP": ogp, "R1": r1gp}.get(reg_type)
    if penalty is None:
        raise NotImplementedError
    return metric, lambda p, q, critic: reg_cf * penalty(p, critic(p), q, critic(q), critic) - metric(p, q, critic)


@right("Q2.6", "apply_exponential_moving_average")
def ema_through_data(source, target, alpha=0.998):
    """New tensors for .data, by name."""
    parameters = dict(target.named_parameters())
    for name, parameter in source.named_parameters():
        parameters[name].data = alpha * parameters[name].data + (1 - alpha) * parameter.data


@right("Q2.6", "apply_exponential_moving_average")
def ema_through_the_state(source, target, alpha=0.998):
    """By a state dict that is loaded."""
    new, old = source.state_dict(), target.state_dict()
    target.load_state_dict({name: old[name] * alpha + new[name] * (1 - alpha) for name in old})


@right("Q2.7", "make_train_step")
def step_with_a_fresh_batch_for_the_generator(
    loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None
):
    """One more batch of data in the generator's step, .detach(), item()."""
    metric, critic_loss = make_losses(loss_type, reg_type, reg_cf)

    def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
        for _, p in zip(range(critic_inner_iters), train_data_iter):  # noqa: B905
            loss = critic_loss(p, generator().detach(), critic)
            critic.zero_grad()
            loss.backward()
            critic_optim.step()
        loss = metric(next(train_data_iter), generator(), critic)
        generator.zero_grad()
        loss.backward()
        generator_optim.step()
        if alpha_ema is not None:
            apply_exponential_moving_average(generator, test_generator, alpha_ema)
        return loss.item()

    return train_step


@right("Q2.7", "make_train_step")
def step_with_one_graph_of_fakes(loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None):
    """The critic's last fakes serve the generator too; the critic is frozen meanwhile; the average is inline."""
    metric, critic_loss = make_losses(loss_type=loss_type, reg_type=reg_type, reg_cf=reg_cf)

    def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
        for _ in range(critic_inner_iters):
            p, q = next(train_data_iter), generator()
            critic_optim.zero_grad()
            critic_loss(p=p, q=q.detach(), critic=critic).backward()
            critic_optim.step()
        critic.requires_grad_(False)
        generator_optim.zero_grad()
        value = metric(p=p, q=q, critic=critic)
        value.backward()
        generator_optim.step()
        critic.requires_grad_(True)
        if alpha_ema is not None:
            with torch.no_grad():
                for new, old in zip(generator.parameters(), test_generator.parameters(), strict=True):
                    old.mul_(alpha_ema).add_(new, alpha=1 - alpha_ema)
        return value.detach()

    return train_step


@right("Q2.1", "jsd")
def jsd_by_logaddexp(cp, cq):
    """log sigmoid by logaddexp with zero."""
    zero = cp.new_zeros(())
    log_p, log_q = -torch.logaddexp(zero, -cp), -torch.logaddexp(zero, cq)
    return (log_p.mean() + log_q.mean()) / 2 + math.log(2)


@right("Q2.3", "ogp")
def ogp_by_vmap_of_grad(p, cp, q, cq, critic):
    """torch.func: the gradient of one sample's critic, mapped over the batch."""
    a = torch.rand((len(p),) + (1,) * (p.dim() - 1)).to(p)
    between = (a * p + (1 - a) * q).detach()
    gradients = torch.func.vmap(torch.func.grad(lambda x: critic(x[None]).sum()))(between)
    return torch.mean((torch.linalg.vector_norm(gradients.flatten(1), dim=1) - 1) ** 2)


@right("Q2.4", "r1gp")
def r1_by_func_grad(p, cp, q, cq, critic):
    """torch.func.grad of the summed critic, einsum for the squares."""
    gradient = torch.func.grad(lambda x: critic(x).sum())(p.detach()).flatten(1)
    return torch.einsum("bd,bd->b", gradient, gradient).mean()


@right("Q2.6", "apply_exponential_moving_average")
def ema_by_foreach(source, target, alpha=0.998):
    """In place, all parameters at once."""
    with torch.no_grad():
        torch._foreach_lerp_(list(target.parameters()), list(source.parameters()), 1 - alpha)


@right("Q2.3", "ogp")
def ogp_sample_by_sample(p, cp, q, cq, critic):
    """A loop over pairs, the critic called with one point at a time."""
    terms = []
    for real, fake in zip(p.detach(), q.detach(), strict=True):
        point = torch.lerp(fake, real, torch.rand(())).unsqueeze(0).requires_grad_()
        (gradient,) = torch.autograd.grad(critic(point).sum(), point, create_graph=True)
        terms.append((gradient.norm() - 1) ** 2)
    return torch.stack(terms).mean()
