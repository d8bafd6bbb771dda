"""What a write-up needs: numbers and tables for LaTeX, and references."""
