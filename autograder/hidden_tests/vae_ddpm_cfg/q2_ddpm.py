from autograder.exercise import Exercise, number, weight


class Aq2_ddpm(Exercise):
    module = "q2_ddpm"

    @number("Q2.1")
    @weight(1)
    def test_Q2_1_0(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.DenoiseDiffusion.q_xt_x0.__name__))

    @number("Q2.1")
    @weight(1)
    def test_Q2_1_1(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.DenoiseDiffusion.q_xt_x0.__name__))

    @number("Q2.1")
    @weight(1)
    def test_Q2_1_2(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.DenoiseDiffusion.q_xt_x0.__name__))

    @number("Q2.1")
    @weight(1)
    def test_Q2_1_3(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.DenoiseDiffusion.q_xt_x0.__name__))

    @number("Q2.2")
    @weight(1)
    def test_Q2_2_0(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.DenoiseDiffusion.q_sample.__name__))

    @number("Q2.2")
    @weight(1)
    def test_Q2_2_1(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.DenoiseDiffusion.q_sample.__name__))

    @number("Q2.2")
    @weight(1)
    def test_Q2_2_2(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.DenoiseDiffusion.q_sample.__name__))

    @number("Q2.2")
    @weight(1)
    def test_Q2_2_3(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.DenoiseDiffusion.q_sample.__name__))

    @number("Q2.3")
    @weight(1)
    def test_Q2_3_0(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.DenoiseDiffusion.p_xt_prev_xt.__name__))

    @number("Q2.3")
    @weight(1)
    def test_Q2_3_1(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.DenoiseDiffusion.p_xt_prev_xt.__name__))

    @number("Q2.3")
    @weight(1)
    def test_Q2_3_2(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.DenoiseDiffusion.p_xt_prev_xt.__name__))

    @number("Q2.3")
    @weight(1)
    def test_Q2_3_3(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.DenoiseDiffusion.p_xt_prev_xt.__name__))

    @number("Q2.4")
    @weight(1)
    def test_Q2_4_0(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.DenoiseDiffusion.p_sample.__name__))

    @number("Q2.4")
    @weight(1)
    def test_Q2_4_1(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.DenoiseDiffusion.p_sample.__name__))

    @number("Q2.4")
    @weight(1)
    def test_Q2_4_2(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.DenoiseDiffusion.p_sample.__name__))

    @number("Q2.4")
    @weight(1)
    def test_Q2_4_3(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.DenoiseDiffusion.p_sample.__name__))

    @number("Q2.5")
    @weight(1)
    def test_Q2_5_0(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.DenoiseDiffusion.loss.__name__))

    @number("Q2.5")
    @weight(1)
    def test_Q2_5_1(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.DenoiseDiffusion.loss.__name__))

    @number("Q2.5")
    @weight(1)
    def test_Q2_5_2(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.DenoiseDiffusion.loss.__name__))

    @number("Q2.5")
    @weight(1)
    def test_Q2_5_3(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.DenoiseDiffusion.loss.__name__))
