"""From measurements to verdicts, tables and figures."""
