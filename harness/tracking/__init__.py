"""Events of an experiment and who hears of them; Weights & Biases is a view of the records."""
