"""A learner's code, run where it cannot hurt: plain data in and out, calls, snippets, one child."""
