from autograder.exercise import Exercise, number, weight


class Aq3_trainer_cfg(Exercise):
    module = "q3_trainer_cfg"

    @number("Q3.11")
    @weight(1)
    def test_Q3_11_0(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.Trainer.sample.__name__))

    @number("Q3.11")
    @weight(1)
    def test_Q3_11_1(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.Trainer.sample.__name__))

    @number("Q3.11")
    @weight(1)
    def test_Q3_11_2(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.Trainer.sample.__name__))

    @number("Q3.11")
    @weight(1)
    def test_Q3_11_3(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.Trainer.sample.__name__))
