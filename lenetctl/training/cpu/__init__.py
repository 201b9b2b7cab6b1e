"""Steps in C++, compiled for the machine at hand."""
