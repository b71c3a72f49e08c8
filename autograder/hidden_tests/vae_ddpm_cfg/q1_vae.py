from autograder.exercise import Exercise, number, weight


class Aq1_vae(Exercise):
    module = "q1_vae"

    @number("Q1.1")
    @weight(1)
    def test_Q1_1_0(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.log_likelihood_bernoulli.__name__))

    @number("Q1.1")
    @weight(1)
    def test_Q1_1_1(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.log_likelihood_bernoulli.__name__))

    @number("Q1.1")
    @weight(1)
    def test_Q1_1_2(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.log_likelihood_bernoulli.__name__))

    @number("Q1.1")
    @weight(1)
    def test_Q1_1_3(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.log_likelihood_bernoulli.__name__))

    @number("Q1.2")
    @weight(1)
    def test_Q1_2_0(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.log_likelihood_normal.__name__))

    @number("Q1.2")
    @weight(1)
    def test_Q1_2_1(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.log_likelihood_normal.__name__))

    @number("Q1.2")
    @weight(1)
    def test_Q1_2_2(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.log_likelihood_normal.__name__))

    @number("Q1.2")
    @weight(1)
    def test_Q1_2_3(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.log_likelihood_normal.__name__))

    @number("Q1.3")
    @weight(1)
    def test_Q1_3_0(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.log_mean_exp.__name__))

    @number("Q1.3")
    @weight(1)
    def test_Q1_3_1(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.log_mean_exp.__name__))

    @number("Q1.3")
    @weight(1)
    def test_Q1_3_2(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.log_mean_exp.__name__))

    @number("Q1.3")
    @weight(1)
    def test_Q1_3_3(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.log_mean_exp.__name__))

    @number("Q1.4")
    @weight(1)
    def test_Q1_4_0(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.kl_gaussian_gaussian_analytic.__name__))

    @number("Q1.4")
    @weight(1)
    def test_Q1_4_1(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.kl_gaussian_gaussian_analytic.__name__))

    @number("Q1.4")
    @weight(1)
    def test_Q1_4_2(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.kl_gaussian_gaussian_analytic.__name__))

    @number("Q1.4")
    @weight(1)
    def test_Q1_4_3(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.kl_gaussian_gaussian_analytic.__name__))

    @number("Q1.5")
    @weight(1)
    def test_Q1_5_0(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.kl_gaussian_gaussian_mc.__name__))

    @number("Q1.5")
    @weight(1)
    def test_Q1_5_1(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.kl_gaussian_gaussian_mc.__name__))

    @number("Q1.5")
    @weight(1)
    def test_Q1_5_2(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.kl_gaussian_gaussian_mc.__name__))

    @number("Q1.5")
    @weight(1)
    def test_Q1_5_3(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.kl_gaussian_gaussian_mc.__name__))
class LogMeanExp(Exercise):
    module = "q1_vae"

    @number("Q1.3")
    @weight(4)
    def test_large_values_do_not_overflow(self):
        """log_mean_exp is exact where exp() alone would overflow."""
        y = self.randn(97, 5) + 1000
        self.check(lambda q1: q1.log_mean_exp(y), "log_mean_exp overflows")
