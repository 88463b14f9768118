"""Tests of one module each, on real parts: what must hold, whatever comes in."""
