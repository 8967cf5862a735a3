"""The grader's side of the sandbox: starts it, hands submissions to it, gets plain data back."""
