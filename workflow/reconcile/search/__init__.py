"""What would explain a printed number that no reading reproduces. Hits change no verdict."""
