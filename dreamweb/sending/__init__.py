"""Sends recordings from the machine they lie on to a journal elsewhere; needs nothing of a server's own parts."""
