"""What runs inside the sandbox, beside a student's code; nothing in this folder knows an answer."""
