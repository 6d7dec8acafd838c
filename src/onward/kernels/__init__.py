"""Arrays in, arrays out: NumPy and Numba, no pandas, no scikit-learn."""
