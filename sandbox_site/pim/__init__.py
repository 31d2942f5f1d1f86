"""The sandbox PIM: a server of its own that speaks the API of Optimizely PIM.

It stands in for the service that a site without an account cannot reach, for the
demo and for the tests. It is strict where the service is strict (signatures, types,
paging), so that what works here does not work by accident.
"""
