"""The theory assignment: the worked solutions' formulas against the code, every form of an answer, the given models.

solutions/theory/*.tex holds each final formula in a `result` box that names its function. `evaluate` below reads the
LaTeX itself, so that a formula that is changed in the text, or a function that is changed in the code, fails here.
"""

import cmath
import importlib
import math
import re
import shutil
import sys
from itertools import product

import numpy as np
import pytest

from autograder.course import load_assignment
from autograder.grading.grade import load_hidden_tests
from autograder.publish import pdf

ASSIGNMENT = load_assignment("theory")


@pytest.fixture(scope="module")
def answers():
    """The reference, imported under its own name and forgotten afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        for folder in (ASSIGNMENT.given, ASSIGNMENT.solutions):
            patch.syspath_prepend(folder)
        for name in ("answers", "theory_models"):
            patch.delitem(sys.modules, name, raising=False)
        yield importlib.import_module("answers")
        for name in ("answers", "theory_models"):
            sys.modules.pop(name, None)


# ---------------------------------------------------------------- a reader of LaTeX formulas

TOKEN = re.compile(
    r"\\begin\{pmatrix\}|\\end\{pmatrix\}|\\\\|\\[,;! ]|\\[A-Za-z]+|\d+\.?\d*|[A-Za-z]|[-+/^_(){}\[\],;&=*|]"
)
IGNORED = {r"\left", r"\right", r"\,", r"\mathrm"}
ACCENTS = {r"\tilde", r"\bar"}


class Formula:
    """One right-hand side, evaluated while it is read. Juxtaposition multiplies; a name that is callable is applied.

    Args:
        text: LaTeX.
        names: values by name: "a", r"\\sigma", "e_c"; a list or dict is indexed by its subscript, a function of one
            argument may be, too.
    """

    def __init__(self, text: str, names: dict):
        self.tokens = [token for token in TOKEN.findall(text) if token not in IGNORED]
        self.names, self.at = names, 0

    def value(self):
        found = self.sum()
        assert self.at == len(self.tokens), f"cannot read {self.tokens[self.at :]}"
        return found

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, expected: str = "") -> str:
        token = self.peek()
        assert token and token == (expected or token), f"{token!r} where {expected!r} is expected: {self.tokens}"
        self.at += 1
        return token

    def sum(self):
        total = -self.product() if self.skip("-") else self.product()
        while self.peek() in ("+", "-"):
            total = total + self.product() if self.take() == "+" else total - self.product()
        return total

    def skip(self, token: str) -> bool:
        self.at += self.peek() == token
        return self.tokens[self.at - 1 : self.at] == [token]

    def product(self):
        found = self.power()
        while self.peek() and self.peek() not in ("+", "-", ")", "}", "]", ",", ";", "&", r"\\", r"\end{pmatrix}"):
            found = found / self.power() if self.skip("/") else found * self.power()
        return found

    def power(self):
        base = self.atom()
        return base ** self.argument() if self.skip("^") else base

    def argument(self):
        """What follows \\sqrt, ^ or \\frac: a group in braces, or one token."""
        if not self.skip("{"):
            return self.atom()
        found = self.sum()
        self.take("}")
        return found

    def atom(self):
        token = self.take()
        if token[0].isdigit():
            return float(token)
        if token == "(":
            found = self.listed(")")
            return found[0] if len(found) == 1 else tuple(found)
        if token == r"\frac":
            return self.argument() / self.argument()
        if token == r"\sqrt":
            root = cmath.sqrt(self.argument())
            return root.real if root.imag == 0 else root
        if token == r"\log":
            return math.log(self.power())
        if token == r"\norm":
            return np.linalg.norm(self.argument())
        if token in (r"\sum", r"\prod"):
            return self.repeated(token)
        if token == r"\begin{pmatrix}":
            return self.matrix()
        return self.named(token)

    def listed(self, end: str) -> list:
        found = [self.sum()]
        while self.peek() in (",", ";"):
            self.take()
            found.append(self.sum())
        self.take(end)
        return found

    def matrix(self) -> np.ndarray:
        rows = [[self.sum()]]
        while self.peek() != r"\end{pmatrix}":
            if self.take() == "&":
                rows[-1].append(self.sum())
            else:
                rows.append([self.sum()])
        self.take()
        return np.array(rows).squeeze()

    def repeated(self, kind: str):
        """\\sum_{t=1}^{T} or \\prod_{t=1}^{T}, over all that is multiplied with it."""
        self.take("_"), self.take("{")
        index = self.take()
        self.take("=")
        low = int(self.sum())
        self.take("}"), self.take("^")
        high, start = int(self.argument()), self.at
        found, saved = (0.0 if kind == r"\sum" else 1.0), self.names.get(index)
        # The body is read once for every value; where there is none, once with the first, to get past it.
        for value in range(low, high + 1) or [low]:
            self.at, self.names[index] = start, value
            try:
                body = self.product()
            except (IndexError, KeyError):
                if high >= low:
                    raise
            if high >= low:
                found = found + body if kind == r"\sum" else found * body
        self.names[index] = saved
        return found

    def named(self, token: str):
        if token in ACCENTS:
            braces = self.skip("{")
            token += self.take()
            if braces:
                self.take("}")
        group, subscript = None, ""
        if self.peek() == "_":
            braces = self.tokens[self.at + 1] == "{"
            group = self.tokens[self.at + 2 : self.tokens.index("}", self.at)] if braces else None
            subscript = "_" + ("".join(group) if braces else self.tokens[self.at + 1])
        if token + subscript in self.names:
            self.at += (len(group) + 3 if group else 2) if subscript else 0
            found = self.names[token + subscript]
        else:
            assert token in self.names, f"{token} is not known"
            found = self.names[token]
            if self.skip("_"):
                index = self.indices() if self.skip("{") else (int(self.atom()),)
                found = found(*index) if callable(found) else found[index[0] if len(index) == 1 else index]
        if callable(found):
            self.take("(")
            return found(*self.listed(")"))
        return found

    def indices(self) -> tuple[int, ...]:
        return tuple(int(value) for value in self.listed("}"))


def evaluate(box: str, names: dict):
    """The value of a result box: `name &= value` lines, then the line that counts (which alone may hold a matrix)."""
    names = dict(names)
    lines = re.split(r"\\\\(?![^\0]*?\\end\{pmatrix\})", box)
    *definitions, last = (re.sub(r"\s+", " ", line).strip().rstrip(".,") for line in lines)
    for line in definitions:
        left, right = line.split("&=")
        name = re.fullmatch(r"(.+?)(?:_([a-z]))?", left.strip())  # without a space, as the reader joins its tokens
        if name[2]:  # a_t &= ...: a function of t
            names[name[1]] = lambda t, right=right, index=name[2]: Formula(right, names | {index: t}).value()
        else:
            names[name[1]] = Formula(right, names).value()
    last = last.split("&=")[1]
    return Formula(last, names).value()


def boxes() -> dict[str, str]:
    """The result boxes of the worked solutions, by the function that they name."""
    found = {}
    for path in sorted(ASSIGNMENT.solutions.glob("q*.tex")):
        text = re.sub(r"(?<!\\)%.*", "", path.read_text(encoding="utf-8"))
        for name, box in re.findall(r"\\begin\{result\}\{(\w+)\}(.*?)\\end\{result\}", text, re.DOTALL):
            assert name not in found, f"two boxes for {name}"
            found[name] = box.replace(r"\abar", r"\bar\alpha")
    return found


@pytest.mark.parametrize(
    "text, value",
    [
        (r"\frac{1}{2} - \frac{a^2 + 1}{2a}", 0.5 - 5 / 4),
        (r"2 a \left(a - 3\right)^2 / 4", 1.0),
        (r"\sum_{t=1}^{3} x_t \prod_{u=1}^{t-1} x_u + 1", 1 + 2 + 2 * 3 + 2 * 3 * 5),
        (r"\sqrt{a + 2}\,\log(4a - 7)", 0.0),
        (r"-f(a; x_2) x_{a-1}", -(2 + 3) * 2),
        (r"\begin{pmatrix} 1 & -a \\ 0 & a^2 \end{pmatrix}", [[1, -2], [0, 4]]),
    ],
)
def test_the_reader_of_formulas(text, value):
    names = {"a": 2, "x": [None, 2, 3, 5], "f": lambda p, q: p + q}
    np.testing.assert_allclose(Formula(text, names).value(), value)


# ---------------------------------------------------------------- text against code


def one_based(values) -> dict:
    return dict(enumerate(values, start=1))


def normal_density(x, mean, variance):
    return math.exp(-((x - mean) ** 2) / (2 * variance)) / math.sqrt(2 * math.pi * variance)


def case(answers, name: str, random: np.random.Generator):
    """Names for a formula, and what it must give: the function's value (or y, where the formula is y = g(z))."""
    call = getattr(answers, name)
    sigma = answers.sigmoid
    uniform = lambda low, high, *size: random.uniform(low, high, *size)  # noqa: E731
    constants = {r"\pi": math.pi, "e": math.e, "i": 1j, r"\max": max, r"\N": normal_density}
    gamma = uniform(0.2, 2)
    gan = dict(zip(("psi_0", "psi_1", "theta"), uniform(-2, 2, 3), strict=True))
    gan_names = {r"\psi_0": gan["psi_0"], r"\psi_1": gan["psi_1"], r"\theta": gan["theta"], r"\sigma": sigma}
    gan_names |= constants | {r"\gamma": gamma}

    match name:
        case "kl_q_p" | "kl_p_q":
            mu_1, mu_2 = uniform(-2, 2, 2)
            s_1, s_2 = uniform(0.5, 2, 2)
            return {r"\mu_1": mu_1, r"\sigma_1": s_1, r"\mu_2": mu_2, r"\sigma_2": s_2}, call(mu_1, s_1, mu_2, s_2)
        case "kl_witness":
            return {}, call()
        case "relu_collision":
            a, b, c = uniform(-2, 2, 3)
            return {"a": a, "b": b, "c": c}, call(a, b, c)
        case "mixture_slope" | "mixture_inverse":
            w, a, b = random.dirichlet([1, 1, 1]), uniform(0.5, 2, 3), uniform(-1, 1, 3)
            at = uniform(-2, 2)
            found = call(at, w.tolist(), a.tolist(), b.tolist())
            z = at if name == "mixture_slope" else found
            names = {"w": one_based(w), "a": one_based(a), "b": one_based(b), "z": z, "N": 3, r"\sigma": sigma}
            return names, found if name == "mixture_slope" else at
        case "residual_inverse":
            f, y = (lambda z: z**3 - 0.5 * z), uniform(-3, 3)
            return {"f": f, "z": call(y, f)}, y
        case "radial_radius" | "radial_direction" | "radial_inverse" | "radial_collision":
            alpha = uniform(0.5, 2)
            beta = uniform(-alpha, 2)
            y, z_0 = random.normal(size=(2, 4))
            flow = {"y": y.tolist(), "z_0": z_0.tolist(), "alpha": alpha, "beta": beta}
            r = answers.radial_radius(**flow)
            u = np.array(answers.radial_direction(r=r, **flow))
            names = {r"\vy": y, r"\vz_0": z_0, r"\alpha": alpha, r"\beta": beta, "r": r, r"\vu": u}
            arguments = {"radial_collision": {"alpha": alpha}, "radial_direction": flow | {"r": r}}
            return names, call(**arguments.get(name, flow))
        case "joint_elbo" | "elbo_gap":
            p, q = uniform(0.1, 0.2, (2, 3)), random.dirichlet(np.ones(6)).reshape(2, 3)
            tables = ({(i + 1, j + 1): t[i, j] for i, j in product(range(2), range(3))} for t in (p, q))
            return dict(zip("pq", tables, strict=True)) | {"M": 2, "N": 3}, call(p.tolist(), q.tolist())
        case "velocity" | "conserved":
            return gan_names, call(**gan)
        case "velocity_r1":
            return gan_names, call(**gan, gamma=gamma)
        case "stationary_points":
            return gan_names, call()[0]
        case "stationary_points_r1":
            return gan_names, call(gamma)[0]
        case "jacobian_r1" | "eigenvalues_r1":
            return gan_names, call(gamma)
        case "stability":
            return gan_names, call()[1]
        case "stability_r1":
            return gan_names, call(gamma)[1]
        case "jacobian" | "eigenvalues":
            return gan_names, call()
    names, expected = question_3(answers, name, call, random)
    return constants | names, expected


def question_3(answers, name, call, random):
    """As above, for the chain and the joint model."""
    T = 4
    betas, slopes, variances = (tuple(random.uniform(0.2, 0.7, T)) for _ in range(3))
    offsets, k, l = (tuple(random.uniform(-0.5, 0.5, T)) for _ in range(3))
    chain = answers.Chain(betas, slopes, offsets, variances)
    d, v, e_c, e_x, e_v = random.uniform(0.3, 1, 5)
    joint = answers.Joint(chain, k, l, d, v, e_c, e_x, e_v)
    x, (z, c) = random.normal(size=T + 1), random.normal(size=2)
    names = {r"\beta": one_based(betas), "a": one_based(slopes), "b": one_based(offsets), "s": one_based(variances)}
    names |= {"k": one_based(k), "l": one_based(l), "d": d, "v": v, "e_c": e_c, "e_x": e_x, "e_v": e_v}
    names |= {"x": x, "T": T, "z": z, "c": c, r"\Lddpm": lambda at: answers.elbo(x[0], joint.chain_given(at, c))}
    match name:
        case "log_ratio":
            expected = call(x, chain)
        case "posterior":
            names["t"] = 3
            expected = call(x[3], x[0], 3, betas)
        case "kl_terms":
            names["t"] = 3
            expected = call(x[0], chain)[1]  # t = 2, 3, 4
        case "log_q":
            expected = call(x, z, c, joint)
        case "vae_part" | "ddpm_part":
            expected = call(x[0], c, joint)
        case _:
            expected = call(x[0], chain)
    return names, expected


@pytest.mark.parametrize("name", [spec.target for spec in ASSIGNMENT.exercises.values()])
def test_text_and_code_agree(answers, name):
    """Each function has one formula in the worked solutions, and both give the same numbers."""
    box = boxes()[name]
    random = np.random.default_rng(7)
    for _ in range(5):
        names, expected = case(answers, name, random)
        np.testing.assert_allclose(evaluate(box, names), np.array(expected), rtol=1e-9, atol=1e-12)


def test_a_changed_formula_is_noticed(answers):
    """Signs, indices and factors of the text matter."""
    changes = {
        "kl_q_p": (r"- \frac{1}{2}", ""),
        "elbo": (r"\bar\alpha_{t-1}} x_0", r"\bar\alpha_t} x_0"),
        "posterior": (r"(1 - \bar\alpha_{t-1}) x_t", r"(1 - \bar\alpha_t) x_t"),
        "kl_terms": (r"\log\frac{s_t}{\tilde\beta_t}", r"\log\frac{\tilde\beta_t}{s_t}"),
        "velocity_r1": (r"- \gamma \psi_0", r"- \frac{\gamma}{2} \psi_0"),
        "jacobian": (r"-\frac{1}{2} \\", r"\frac{1}{2} \\"),
    }
    for name, (old, new) in changes.items():
        box = boxes()[name]
        assert old in box
        names, expected = case(answers, name, np.random.default_rng(1))
        with pytest.raises(AssertionError):
            np.testing.assert_allclose(evaluate(box.replace(old, new), names), np.array(expected), rtol=1e-6)


# ---------------------------------------------------------------- the mathematics of the reference


def test_the_decomposition_adds_up_and_bounds(answers):
    """(b) adds up to (a), and stays below the evidence; (e) adds up to the bound of the joint model."""
    random = np.random.default_rng(3)
    for steps in (1, 2, 5):
        betas, slopes, variances = (tuple(random.uniform(0.2, 0.7, steps)) for _ in range(3))
        chain = answers.Chain(betas, slopes, tuple(random.normal(size=steps)), variances)
        x_0 = random.normal()
        parts = answers.reconstruction_term(x_0, chain) - answers.prior_term(x_0, chain)
        terms = answers.kl_terms(x_0, chain)
        assert len(terms) == steps - 1 and all(term >= 0 for term in terms)
        assert math.isclose(parts - sum(terms), answers.elbo(x_0, chain), rel_tol=1e-10)
        assert answers.elbo(x_0, chain) <= answers.log_evidence(x_0, chain)


def test_the_objective_is_the_mean_of_its_integrand(answers):
    """elbo is the average of log_ratio over trajectories of q, within six standard errors."""
    random = np.random.default_rng(5)
    chain = answers.Chain((0.2, 0.4, 0.3), (0.8, 0.9, 0.7), (0.1, -0.2, 0.3), (0.3, 0.4, 0.5))
    values = []
    for _ in range(4000):
        x = [0.7]
        for beta in chain.betas:
            x.append(math.sqrt(1 - beta) * x[-1] + math.sqrt(beta) * random.normal())
        values.append(answers.log_ratio(x, chain))
    assert abs(np.mean(values) - answers.elbo(0.7, chain)) < 6 * np.std(values) / math.sqrt(len(values))


# ---------------------------------------------------------------- wrong types are answered with a sentence


@pytest.fixture(scope="module")
def hidden():
    load_hidden_tests(ASSIGNMENT)
    return sys.modules["hidden_theory_answers.common"]


def test_every_kind_of_number_is_read(hidden):
    import fractions

    import sympy
    import torch

    gamma = sympy.Symbol("gamma")
    same = [0.5, 1 / 2, fractions.Fraction(1, 2), np.float32(0.5), np.array([[0.5]]), torch.tensor(0.5), (0.5,)]
    same += [sympy.Rational(1, 2), sympy.Matrix([gamma / 4]), gamma / 4, sympy.sqrt(gamma / 8), 0.5 + 0j]
    same += [torch.tensor([0.5], requires_grad=True), sympy.Tuple(gamma - sympy.Rational(3, 2)), torch.tensor(0.5 + 0j)]
    for value in same:
        assert hidden.real(hidden.leaves(value, {"gamma": 2.0})) == [0.5], value


def test_other_types_get_a_sentence(hidden):
    import sympy

    wrong = {
        "without a return": None,
        "a string": "gamma/2",
        "type bool": True,
        "expression in x": sympy.Symbol("x"),
        "cannot be evaluated": sympy.zoo,
        "type function": lambda: 1,
        "a dict": {"psi_0": 0},
        "a set": {1.0, 2.0},
        "type object": object(),
        "complex": 1j,
        "2 numbers instead of 1": [1.0, 2.0],
        "0 numbers instead of 1": [],
    }
    for part, value in wrong.items():
        sentence = hidden.table(lambda value=value: value, [{}])
        assert isinstance(sentence, str) and part in sentence, (part, sentence)
        assert sentence.endswith((".", "?"))


def test_eigenvalues_in_any_order_and_form(hidden):
    import sympy
    import torch

    matrix = [[0, 0, sympy.Rational(-1, 2)], [0, sympy.Rational(-1, 2), 0], [sympy.Rational(1, 2), 0, 0]]
    forms = [[-0.5, 0.5j, -0.5j], (0.5j, -0.5j, -0.5), sympy.Matrix(matrix).eigenvals()]
    forms += [sympy.FiniteSet(sympy.I / 2, -sympy.I / 2, -sympy.Rational(1, 2)), torch.tensor([-0.5j, 0.5j, -0.5])]
    first = hidden.spectrum(forms[0], {})
    for form in forms:
        torch.testing.assert_close(hidden.spectrum(form, {}), first)
    assert "2 numbers instead of 3" in hidden.spectrum([-0.5, 0.5j], {})


# ---------------------------------------------------------------- the documents


def test_documents_name_every_function():
    """Handout, template and README ask for each function of answers.py, and for none that does not exist."""
    functions = {spec.target for spec in ASSIGNMENT.exercises.values()}
    latex = ASSIGNMENT.given / "latex"
    for folder in (latex / "questions", latex / "answers"):
        text = "".join(path.read_text(encoding="utf-8") for path in folder.glob("q*.tex"))
        assert set(re.findall(r"\\checks\{(\w+)\}", text)) == functions, folder.name
    readme = (ASSIGNMENT.given / "README.md").read_text(encoding="utf-8")
    for spec in ASSIGNMENT.exercises.values():
        assert re.search(rf"\b{spec.id}\b", readme) and f"`{spec.target}`" in readme, spec.id


def test_the_points_are_those_of_the_questions():
    points = {}
    for spec in ASSIGNMENT.exercises.values():
        question = re.match(r"Q[123]|Q4\.[123]|Q4", spec.id)[0]
        points[question] = points.get(question, 0) + spec.points
    assert points == {"Q1": 5, "Q2": 10, "Q3": 5, "Q4.1": 6, "Q4.2": 2, "Q4.3": 6, "Q4": 6}


def test_make_pdf_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(pdf.shutil, "which", lambda name: None)
    assert pdf.main() == 1
    assert "apt-get install" in capsys.readouterr().err


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="LaTeX is not installed")
def test_the_documents_are_typeset(monkeypatch, tmp_path):
    found = pdf.documents("theory")
    assert [path.stem for path in found] == ["handout", "template", "solutions"]
    for document in found:
        assert pdf.typeset("theory", document, tmp_path).read_bytes().startswith(b"%PDF")
