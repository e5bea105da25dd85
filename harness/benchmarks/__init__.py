"""Which problems there are: manifests, loading, fetching, and what training data has seen of them."""
