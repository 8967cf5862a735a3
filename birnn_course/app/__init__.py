"""The course as a program on this machine: JupyterLab, the learner's notebooks, what works here."""
