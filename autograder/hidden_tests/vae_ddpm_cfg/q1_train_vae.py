from autograder.exercise import Exercise, number, weight


class Aq1_train_vae(Exercise):
    module = "q1_train_vae"

    @number("Q1.6")
    @weight(1)
    def test_Q1_6_0(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.loss_function.__name__))

    @number("Q1.6")
    @weight(1)
    def test_Q1_6_1(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.loss_function.__name__))

    @number("Q1.6")
    @weight(1)
    def test_Q1_6_2(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.loss_function.__name__))

    @number("Q1.6")
    @weight(1)
    def test_Q1_6_3(self):
        """exists."""
        x = self.randn(5, 3)
        self.check(lambda m: (x.exp().sum(1), m.loss_function.__name__))
