"""What the numbers say: verdicts, evidence, ranking, conclusion, from study and measurements."""
