"""The course as web pages, made from the stored notebooks: ``birnn site``.

Nothing is run and no source is parsed: what an output is says its descriptor, see
:mod:`birnn_course.descriptor`. The pages need no network, and open from a disk too.
"""
