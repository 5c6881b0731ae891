"""Clips to train on: finished ones, and composites that are made while training runs."""
