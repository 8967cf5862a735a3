"""The course as a web site: pages made of what is stored, which run nothing."""
