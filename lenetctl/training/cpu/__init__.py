"""Convolutions and pools in C++, compiled for the machine at hand."""
