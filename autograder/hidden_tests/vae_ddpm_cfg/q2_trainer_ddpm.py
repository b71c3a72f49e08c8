from autograder.exercise import Exercise, number, weight


class Aq2_trainer_ddpm(Exercise):
    module = "q2_trainer_ddpm"

    @number("Q2.6")
    @weight(1)
    def test_Q2_6_0(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.Trainer.sample.__name__))

    @number("Q2.6")
    @weight(1)
    def test_Q2_6_1(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.Trainer.sample.__name__))

    @number("Q2.6")
    @weight(1)
    def test_Q2_6_2(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.Trainer.sample.__name__))

    @number("Q2.6")
    @weight(1)
    def test_Q2_6_3(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.Trainer.sample.__name__))

    @number("Q2.7")
    @weight(1)
    def test_Q2_7_0(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.Trainer.generate_intermediate_samples.__name__))

    @number("Q2.7")
    @weight(1)
    def test_Q2_7_1(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.Trainer.generate_intermediate_samples.__name__))

    @number("Q2.7")
    @weight(1)
    def test_Q2_7_2(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.Trainer.generate_intermediate_samples.__name__))

    @number("Q2.7")
    @weight(1)
    def test_Q2_7_3(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.Trainer.generate_intermediate_samples.__name__))
