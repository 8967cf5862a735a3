"""What is made for one learner: questions due again, a mixed test, the gain, what comes next."""
