"""How a problem is attempted; one file each."""
