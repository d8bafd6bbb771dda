"""Fixtures of the tests of reliability; `make reliability` also has the table written here."""
