"""What a learner's record is good for: what to ask again, how much was learned, what comes next."""
