"""What is written: every table and column once, and how they are read and written."""
