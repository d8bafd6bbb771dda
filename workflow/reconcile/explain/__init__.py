"""One number, one network, no study: which countings give the number."""
