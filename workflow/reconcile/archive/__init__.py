"""One file that anyone can verify: packed, read, checked, made again and compared."""
