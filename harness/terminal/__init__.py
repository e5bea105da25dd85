"""What a person sees: tables, and progress while work goes on."""
