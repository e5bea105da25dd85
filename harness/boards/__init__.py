"""Boards: what their files say, and how they are shown. Ranking is `harness.boards.ranking`."""
