"""The progress bars of transformers."""

from __future__ import annotations

import sys


def only_on_a_terminal() -> None:
    """Keep transformers from drawing bars where they cannot move: a file or a pipe gets each step anew."""
    if not sys.stderr.isatty():
        from transformers.utils import logging

        logging.disable_progress_bar()
