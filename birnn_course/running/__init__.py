"""What runs a learner's code, careless but not hostile, and the snippets of the data files.

A function is called in this process, a line is run in a child; plain data goes in and comes out.
"""
