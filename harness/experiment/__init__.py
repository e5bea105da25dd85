"""One experiment from its YAML to its records: files and sweeps, the plan, carrying it out."""
