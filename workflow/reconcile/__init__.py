"""Reconcile the numbers a paper prints with networks that are built, run and measured."""

__version__ = "0.1.0"
