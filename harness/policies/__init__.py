"""What proposes tactics or whole proofs."""
