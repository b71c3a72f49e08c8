from autograder.exercise import Exercise, number, weight


class Aq3_cfg_diffusion(Exercise):
    module = "q3_cfg_diffusion"

    @number("Q3.1")
    @weight(1)
    def test_Q3_1_0(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.get_lambda.__name__))

    @number("Q3.1")
    @weight(1)
    def test_Q3_1_1(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.get_lambda.__name__))

    @number("Q3.1")
    @weight(1)
    def test_Q3_1_2(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.get_lambda.__name__))

    @number("Q3.1")
    @weight(1)
    def test_Q3_1_3(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.get_lambda.__name__))

    @number("Q3.2")
    @weight(1)
    def test_Q3_2_0(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.alpha_lambda.__name__))

    @number("Q3.2")
    @weight(1)
    def test_Q3_2_1(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.alpha_lambda.__name__))

    @number("Q3.2")
    @weight(1)
    def test_Q3_2_2(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.alpha_lambda.__name__))

    @number("Q3.2")
    @weight(1)
    def test_Q3_2_3(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.alpha_lambda.__name__))

    @number("Q3.3")
    @weight(1)
    def test_Q3_3_0(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.sigma_lambda.__name__))

    @number("Q3.3")
    @weight(1)
    def test_Q3_3_1(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.sigma_lambda.__name__))

    @number("Q3.3")
    @weight(1)
    def test_Q3_3_2(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.sigma_lambda.__name__))

    @number("Q3.3")
    @weight(1)
    def test_Q3_3_3(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.sigma_lambda.__name__))

    @number("Q3.4")
    @weight(1)
    def test_Q3_4_0(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.q_sample.__name__))

    @number("Q3.4")
    @weight(1)
    def test_Q3_4_1(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.q_sample.__name__))

    @number("Q3.4")
    @weight(1)
    def test_Q3_4_2(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.q_sample.__name__))

    @number("Q3.4")
    @weight(1)
    def test_Q3_4_3(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.q_sample.__name__))

    @number("Q3.5")
    @weight(1)
    def test_Q3_5_0(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.sigma_q.__name__))

    @number("Q3.5")
    @weight(1)
    def test_Q3_5_1(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.sigma_q.__name__))

    @number("Q3.5")
    @weight(1)
    def test_Q3_5_2(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.sigma_q.__name__))

    @number("Q3.5")
    @weight(1)
    def test_Q3_5_3(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.sigma_q.__name__))

    @number("Q3.6")
    @weight(1)
    def test_Q3_6_0(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.sigma_q_x.__name__))

    @number("Q3.6")
    @weight(1)
    def test_Q3_6_1(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.sigma_q_x.__name__))

    @number("Q3.6")
    @weight(1)
    def test_Q3_6_2(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.sigma_q_x.__name__))

    @number("Q3.6")
    @weight(1)
    def test_Q3_6_3(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.sigma_q_x.__name__))

    @number("Q3.7")
    @weight(1)
    def test_Q3_7_0(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.mu_p_theta.__name__))

    @number("Q3.7")
    @weight(1)
    def test_Q3_7_1(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.mu_p_theta.__name__))

    @number("Q3.7")
    @weight(1)
    def test_Q3_7_2(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.mu_p_theta.__name__))

    @number("Q3.7")
    @weight(1)
    def test_Q3_7_3(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.mu_p_theta.__name__))

    @number("Q3.8")
    @weight(1)
    def test_Q3_8_0(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.var_p_theta.__name__))

    @number("Q3.8")
    @weight(1)
    def test_Q3_8_1(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.var_p_theta.__name__))

    @number("Q3.8")
    @weight(1)
    def test_Q3_8_2(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.var_p_theta.__name__))

    @number("Q3.8")
    @weight(1)
    def test_Q3_8_3(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.var_p_theta.__name__))

    @number("Q3.9")
    @weight(1)
    def test_Q3_9_0(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.p_sample.__name__))

    @number("Q3.9")
    @weight(1)
    def test_Q3_9_1(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.p_sample.__name__))

    @number("Q3.9")
    @weight(1)
    def test_Q3_9_2(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.p_sample.__name__))

    @number("Q3.9")
    @weight(1)
    def test_Q3_9_3(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.p_sample.__name__))

    @number("Q3.10")
    @weight(1)
    def test_Q3_10_0(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.loss.__name__))

    @number("Q3.10")
    @weight(1)
    def test_Q3_10_1(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.loss.__name__))

    @number("Q3.10")
    @weight(1)
    def test_Q3_10_2(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.loss.__name__))

    @number("Q3.10")
    @weight(1)
    def test_Q3_10_3(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.CFGDiffusion.loss.__name__))
